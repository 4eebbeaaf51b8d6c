"""The local outbox: mail to look at while no mail server is set."""

from uuid import UUID

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from invite_app.pages.blueprint import pages, set_organization
from invite_app.pages.shared import current_actor, last_organization, page_links, render_page, security_headers
from invite_app.services import delivery

# Mail cannot run scripts, load files or post forms. Links open in a new tab outside of the sandbox.
IN_FRAME = security_headers.content_security_policy(
    {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "allow-popups allow-popups-to-escape-sandbox",
    }
)


@pages.get("/outbox", endpoint="outbox")
def show_list() -> ResponseReturnValue:
    page = delivery.list_local(by=current_actor(), cursor=request.args.get("cursor"))
    if latest := last_organization():
        set_organization(latest.id)
    return render_page("outbox/list.html", rows=page.items, page=page_links.links(page))


@pages.get("/outbox/<uuid:message_id>")
def outbox_message(message_id: UUID) -> ResponseReturnValue:
    security_headers.mark_url_secret()
    row, message = delivery.get_local(message_id, by=current_actor())
    assert row.organization_id is not None
    set_organization(row.organization_id)
    return render_page("outbox/one.html", row=row, message=message)


@pages.get("/outbox/<uuid:message_id>/body")
def outbox_body(message_id: UUID) -> Response:
    security_headers.mark_url_secret()
    _, message = delivery.get_local(message_id, by=current_actor())
    answer = make_response(message.html.replace("<head>", '<head><base target="_blank">', 1))
    answer.headers["Content-Security-Policy"] = IN_FRAME
    return answer
