"""Size and number of fields are limited before a form is parsed, depending on the sender's permissions."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict
from werkzeug.formparser import MultiPartParser

from invite_app.pages import blueprint
from invite_app.web import request_limits
from invite_app.web.request_limits import KIB, MIB, PUBLIC_BYTES, PUBLIC_FIELDS
from tests.support import html
from tests.support.databases import on_sqlite
from tests.support.factories import PASSWORD, Acme, make_member, make_role
from tests.support.visitor import Visitor
from tests.test_architecture import address_of

pytestmark = on_sqlite

TOO_LARGE = "This is too large: a form may have up to 64 KiB and 200 fields. Go back and send less."
URLENCODED = "application/x-www-form-urlencoded"
CHUNKED = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}


@pytest.fixture
def unparsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail when any form is parsed."""

    def fail(*_: object) -> None:
        raise AssertionError("a form was parsed")

    monkeypatch.setattr("werkzeug.formparser.parse_qsl", fail)
    monkeypatch.setattr(MultiPartParser, "parse", fail)


@pytest.fixture
def senders(app: Flask, acme: Acme, globex: Acme, visit: Callable[..., Visitor]) -> dict[int, Visitor]:
    """Return visitors who cannot send large forms to Acme, by the status of the error."""
    with app.app_context():
        make_role(acme, "Helper", {"members:read", "invitations:read"})
        helper = make_member(acme, "helper@acme.example", role="helper")
    return {403: visit(helper), 404: visit(globex.owner)}


@pytest.mark.usefixtures("unparsed")
@pytest.mark.parametrize(
    "body",
    [b"a=" + b"x" * (PUBLIC_BYTES - 1), b"&" * PUBLIC_FIELDS, b"a&" * (MIB // 2)],
    ids=["bytes", "fields", "both"],
)
@pytest.mark.parametrize("path", ["/sign-in", "/forgot", "/setup", "/appearance"])
def test_public_form_over_limits_is_not_parsed(path: str, body: bytes, visit: Callable[..., Visitor]) -> None:
    answer = visit().client.post(path, data=body, content_type=URLENCODED)
    assert answer.status_code == 413
    assert TOO_LARGE in html.read(answer.text).texts("p")


@pytest.mark.usefixtures("unparsed")
def test_chunked_form_over_limit_is_refused(visit: Callable[..., Visitor]) -> None:
    body = BytesIO(b"email=" + b"x" * (2 * PUBLIC_BYTES))
    answer = visit().client.post("/sign-in", input_stream=body, content_type=URLENCODED, environ_overrides=CHUNKED)
    assert answer.status_code == 413


def test_chunked_form_within_limits_is_read(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    form = f"email={acme.owner.email}&password={PASSWORD}&csrf_token={visitor.token('/sign-in')}"
    body = BytesIO(form.replace(" ", "+").encode())
    answer = visitor.client.post("/sign-in", input_stream=body, content_type=URLENCODED, environ_overrides=CHUNKED)
    assert answer.status_code == 303


@pytest.mark.parametrize("chunked", [False, True])
def test_multipart_parts_are_limited(chunked: bool, visit: Callable[..., Visitor]) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'
    body = part * (PUBLIC_FIELDS + 1) + b"--x--\r\n"
    answer = visit().client.post(
        "/sign-in",
        input_stream=BytesIO(body),
        content_type="multipart/form-data; boundary=x",
        environ_overrides=CHUNKED if chunked else {"CONTENT_LENGTH": str(len(body))},
    )
    assert answer.status_code == 413


def test_public_form_at_field_limit_is_accepted(acme: Acme, visit: Callable[..., Visitor]) -> None:
    more = {f"extra{number}": "x" for number in range(PUBLIC_FIELDS - 3)}
    assert visit().go("/sign-in", email=acme.owner.email, password=PASSWORD, **more) == "/"


@pytest.mark.usefixtures("unparsed")
def test_strangers_large_form_redirects_to_sign_in(acme: Acme, visit: Callable[..., Visitor]) -> None:
    path = f"/organizations/{acme.id}/invitations/bulk"
    answer = visit().client.post(path, data=b"a&" * (5 * MIB), content_type=URLENCODED)
    assert (answer.status_code, answer.location) == (303, f"/sign-in?next={path}")


def test_signed_out_large_form_is_dropped_with_notice(acme: Acme, visit: Callable[..., Visitor]) -> None:
    visitor, path = visit(acme.owner), f"/organizations/{acme.id}/invitations/bulk"
    visitor.go("/sign-out", page=path)
    answer = visitor.client.post(path, data={"text": "ana@guest.example\n" * 10_000})
    assert visitor.get(answer.location or "").notes == ["You were signed out. Sign in to go on."]


def large_forms(app: Flask, acme: Acme) -> list[str]:
    rules = [rule for rule in app.url_map.iter_rules() if blueprint.limits_of(rule.endpoint)]
    return [address_of(rule).replace("01980000-0000-7000-8000-000000000001", str(acme.id), 1) for rule in rules]


@pytest.mark.parametrize("status", [403, 404], ids=["member", "outsider"])
def test_large_form_without_permission_is_not_parsed(
    status: int, app: Flask, acme: Acme, senders: dict[int, Visitor], request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("unparsed")
    paths = large_forms(app, acme)
    assert len(paths) == 5
    for path in paths:
        answer = senders[status].client.post(path, data=b"a&" * (MIB // 4), content_type=URLENCODED)
        assert answer.status_code == status, path


def test_permission_allows_many_workspaces(acme: Acme, owner: Visitor) -> None:
    path = f"/organizations/{acme.id}/invitations/new"
    workspaces = [str(acme.id)] * 300
    page = owner.submit(path, email="ana@guest.example", role="member", workspace_ids=workspaces)
    assert page.errors, "the form was read, and its workspaces are unknown"


def test_form_without_declared_size_stays_small(acme: Acme, owner: Visitor) -> None:
    fields = MultiDict([("name", "x")] * (PUBLIC_FIELDS + 1))
    assert owner.client.post(f"/organizations/{acme.id}/settings", data=fields).status_code == 413


@pytest.mark.parametrize("path", ["/sign-in", "/organizations/{id}/workspaces/new"])
def test_large_outdated_form_is_not_signed(
    path: str, acme: Acme, owner: Visitor, visit: Callable[..., Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    dumps = URLSafeTimedSerializer.dumps

    def dumps_small(self: Any, values: Any, salt: Any = None) -> Any:
        assert len(str(values)) < 10 * KIB, "the form was serialized"
        return dumps(self, values, salt)

    monkeypatch.setattr(URLSafeTimedSerializer, "dumps", dumps_small)
    visitor = owner if "{id}" in path else visit()
    answer = visitor.client.post(path.format(id=acme.id), data={"name": "x" * (60 * KIB)})
    assert answer.status_code == 303


def test_every_unsafe_page_checks_its_token(app: Flask, acme: Acme, owner: Visitor) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())]
    pages = [rule for rule in rules if rule.endpoint.startswith("pages.")]
    assert len(pages) > 40
    for rule in pages:
        path = address_of(rule).replace("01980000-0000-7000-8000-000000000001", str(acme.id), 1)
        answer = owner.client.post(path, data={"csrf_token": "forged"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 400, path
        assert html.read(answer.text).texts("h1") == ["This page is out of date"], path


def test_unsafe_routes_outside_pages_are_endpoints(app: Flask) -> None:
    """Pages check tokens themselves, dialects have none; anything else is checked by Flask-WTF."""
    unsafe = {
        rule.endpoint.partition(".")[0]
        for rule in app.url_map.iter_rules()
        if {"POST", "PUT", "PATCH", "DELETE"} & (rule.methods or set())
    }
    assert unsafe == {"pages", "deepset", "clerk", "trieve", "almanac"}


@pytest.mark.usefixtures("unparsed")
def test_compressed_form_is_refused(visit: Callable[..., Visitor]) -> None:
    answer = visit().client.post("/sign-in", data=b"x", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.mimetype) == (415, "text/html")


def test_endless_query_is_refused(visit: Callable[..., Visitor]) -> None:
    query = "a&" * (request_limits.QUERY_BYTES // 2)
    assert visit().client.get(f"/sign-in?{query}").status_code == 200
    assert visit().client.get(f"/sign-in?{query}a").status_code == 414
