"""A form that cannot be taken now, because its sender was signed out or the page is out of date, is kept in the
session and shown again, filled in, when the same person opens its page.
"""

from typing import Any

from flask import current_app, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

KEY = "kept_form"
# Browsers drop cookies of more than 4096 bytes, name and attributes included.
MAX_COOKIE = 3800

_SECRET = ("password", "csrf_token")


def ask_to_sign_in() -> ResponseReturnValue:
    """Lead to the sign-in page, and from there back to here, with what was typed."""
    target = _page_of_request()
    if request.method == "POST" and was_signed_in():
        is_confirmed = save()
        flash(f"You were signed out. Sign in to go on{'; what you typed is kept' if is_confirmed else ''}.", "wait")
    return redirect(url_for("pages.sign_in", next=target), 303)


def show_restored() -> ResponseReturnValue:
    """Lead back to the page of a form that was posted from an outdated page, with what was typed."""
    save()
    flash("This page was out of date. Check what you typed and send it again.", "warn")
    return redirect(_page_of_request(), 303)


def was_signed_in() -> bool:
    return "person" in session


def save() -> bool:
    """Keep the posted form for the person who was last signed in here; whether there was room for it."""
    fields = _fields()
    if not fields or not _has_page() or sum(len(name) + len(value) for name, value in fields) > MAX_COOKIE:
        return False
    session[KEY] = {"path": request.path, "person": session.get("person"), "fields": fields}
    if len(_cookie()) > MAX_COOKIE:
        del session[KEY]
        return False
    return True


def restore() -> MultiDict[str, str] | None:
    """Return the form that was saved for this page and person, and delete it."""
    kept: dict[str, Any] | None = session.get(KEY)
    if request.method != "GET" or kept is None or kept["path"] != request.path:
        return None
    del session[KEY]
    return MultiDict(kept["fields"]) if kept["person"] == session.get("person") else None


def _fields() -> list[tuple[str, str]]:
    """Return the posted form without its secrets; nothing of a form that is too large to be parsed."""
    try:
        return [(name, value) for name, value in request.form.items(multi=True) if not _is_secret(name)]
    except RequestEntityTooLarge:
        return []


def _is_secret(name: str) -> bool:
    return any(word in name for word in _SECRET)


def _has_page() -> bool:
    """Return whether the form is posted to the URL of the page that shows it."""
    return current_app.url_map.bind("").test(request.path, method="GET")


def _page_of_request() -> str:
    if request.method in ("GET", "HEAD"):
        return request.full_path.rstrip("?")
    return request.path if _has_page() else url_for("pages.home")


def _cookie() -> str:
    serializer = current_app.session_interface.get_signing_serializer(current_app)  # type: ignore[attr-defined]
    return str(serializer.dumps(dict(session)))
