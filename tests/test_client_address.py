"""The client address that rate limits, sign-ins and the audit log use."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request
from sqlalchemy import select

from invite_app.db import session
from invite_app.models import Session
from invite_app.web.client_address import clean
from tests.support.databases import on_sqlite
from tests.support.factories import make_organization
from tests.support.visitor import Visitor

PROXY = "192.0.2.9"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25eth0]:4711", "fe80::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:", None),
        ("203.0.113.7:http", None),
        ("[203.0.113.7", None),
        ("203.0.113.700", None),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_addresses_have_one_form(text: str | None, address: str | None) -> None:
    assert clean(text) == address


@on_sqlite
@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ({"REMOTE_ADDR": PROXY}, PROXY),
        ({"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "203.0.113.7:4711"}, "203.0.113.7"),
        ({"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "1.2.3.4, [2001:db8::1]:4711"}, "2001:db8::1"),
        ({"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "x" * 47}, PROXY),
        ({"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "unknown"}, None),
    ],
)
def test_invalid_addresses_become_the_proxys(
    make_app: Callable[..., Flask], peer: dict[str, Any], address: str | None
) -> None:
    app = make_app(INVITE_TRUSTED_PROXIES="1")
    app.add_url_rule("/seen", view_func=lambda: {"address": request.remote_addr})
    answer = app.test_client().get("/seen", environ_overrides=peer)
    assert answer.json == {"address": address}


def test_sign_in_accepts_a_long_forwarded_address(make_app: Callable[..., Flask]) -> None:
    app = make_app(INVITE_TRUSTED_PROXIES="1", INVITE_RATE_LIMITS="on")
    with app.app_context():
        owner = make_organization().owner
    Visitor(app, headers={"X-Forwarded-For": "[2001:0db8:0000:0000:0000:0000:0000:0001]:47110"}).sign_in(owner)
    with app.app_context():
        assert session().scalars(select(Session.ip)).all() == ["2001:db8::1"]


@on_sqlite
def test_another_port_is_the_same_client(make_app: Callable[..., Flask]) -> None:
    app = make_app(INVITE_TRUSTED_PROXIES="1", INVITE_RATE_LIMITS="on")
    statuses = [
        Visitor(app, headers={"X-Forwarded-For": f"203.0.113.7:{port}"})
        .post("/sign-in", email=f"nobody{port}@guest.example", password="wrong")
        .status_code
        for port in range(31)
    ]
    assert statuses == [422] * 30 + [429]
