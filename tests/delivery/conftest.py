"""Fixtures for an organization that sends through a real mail server."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from flask import Flask

from invite_app.errors import DomainError
from invite_app.mail.smtp import SmtpTransport
from tests.support.factories import Acme, invite, make_organization
from tests.support.mail import SmtpServer

Send = Callable[..., DomainError | None]


@pytest.fixture
def make_app(make_app: Callable[..., Flask]) -> Iterator[Callable[..., Flask]]:
    """Return the same, and close all connections to mail servers after the test."""
    made: list[Flask] = []

    def make(**changes: str) -> Flask:
        made.append(make_app(**changes))
        return made[-1]

    yield make
    for app in made:
        used = app.extensions["invite_app.transport"]
        if isinstance(used, SmtpTransport):
            used.close()


@pytest.fixture
def mail_app(make_app: Callable[..., Flask], smtp: SmtpServer) -> Flask:
    return make_app(**smtp.environ)


@pytest.fixture
def acme(mail_app: Flask) -> Acme:
    with mail_app.app_context():
        return make_organization()


@pytest.fixture
def send(mail_app: Flask, acme: Acme) -> Send:
    """Send an invitation as a request would; return the error, or None."""

    def send(email: str = "ana@guest.example", **draft: object) -> DomainError | None:
        with mail_app.app_context():
            try:
                invite(acme, email, **draft)
            except DomainError as error:
                return error
        return None

    return send


@pytest.fixture
def dripping() -> Iterator[int]:
    """Return the port of a server that keeps sending and never finishes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        is_over = threading.Event()

        def drip() -> None:
            with suppress(OSError):
                line, _ = listening.accept()
                with line:
                    while not is_over.wait(0.05):
                        line.sendall(b"2")

        thread = threading.Thread(target=drip)
        thread.start()
        yield listening.getsockname()[1]
        is_over.set()
        thread.join()
