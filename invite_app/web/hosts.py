"""The `Host` of a request, normalized before Flask compares it with TRUSTED_HOSTS."""

from collections.abc import Callable, Iterable
from typing import Any

# Load balancers and Prometheus send the address of the machine as `Host`, which no setting names.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class NormalizedHosts:
    """A WSGI middleware: lower case, no trailing dot, and a trusted host for probes."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in PROBES:
            environ["HTTP_HOST"] = "localhost"
        elif "HTTP_HOST" in environ:
            environ["HTTP_HOST"] = normalized(environ["HTTP_HOST"])
        return self._application(environ, start_response)


def normalized(host: str) -> str:
    """Return the host in lower case and without the dot that ends a fully qualified name."""
    name, colon, port = host.lower().partition(":")
    return f"{name.removesuffix('.')}{colon}{port}"
