/* Shows the API's document; without anything from elsewhere. */
window.addEventListener('DOMContentLoaded', () => {
  window.SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#operations',
    deepLinking: true,
    docExpansion: 'list',
    defaultModelsExpandDepth: -1,
    filter: true,
    validatorUrl: null,
    onComplete: () => document.getElementById('servers')?.setAttribute('aria-label', 'Server'),
  });
});
