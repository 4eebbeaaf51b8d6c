"""Mails do not depend on the request they are sent in."""

from typing import NoReturn

from flask import Flask

from invite_app.mail import messages
from tests.support.factories import invite, make_organization


def test_mail_templates_cannot_see_the_request(app: Flask) -> None:
    @app.context_processor
    def who_is_signed_in() -> NoReturn:
        raise AssertionError

    with app.test_request_context():
        row = invite(make_organization()).message
        assert row is not None
        assert messages.invitation(row).to == "ana@guest.example"
