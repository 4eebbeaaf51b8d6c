"""Inviting people with the published client."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from flask import Flask
from trieve_py_client.exceptions import (
    BadRequestException,
)
from trieve_py_client.models import InvitationData

from tests.support.factories import Acme, Key, configure, invite, reread, token_of
from tests.support.mail import SmtpServer

from .conftest import Connect, Trieve, message_of


def test_invitation_is_sent_by_mail(
    trieve: Trieve, acme: Acme, ana: InvitationData, smtp: SmtpServer, app: Flask
) -> None:
    answer = trieve.invitations.post_invitation_with_http_info(str(acme.id), ana)
    assert (answer.status_code, answer.raw_data, answer.headers.get("Content-Type")) == (204, b"", None)
    (mail,) = smtp.to("ana@guest.example")
    (invitation,) = trieve.invitations.get_invitations(str(acme.id), str(acme.id))
    with app.app_context():
        token = token_of(reread(UUID(invitation.id)))
    link = urlsplit(next(link for link in mail.links if "inv_code" in link))
    assert f"{link.scheme}://{link.netloc}{link.path}" == f"{ana.app_url}/auth"
    assert parse_qs(link.query) == {
        "inv_code": [token],
        "organization_id": [str(acme.id)],
        "redirect_uri": [ana.redirect_uri],
    }


def test_link_leads_to_the_given_app(
    trieve: Trieve, acme: Acme, ana: InvitationData, smtp: SmtpServer, app: Flask
) -> None:
    with app.app_context():
        configure(acme, allowed_origins=["https://app.example"])
    for number, app_url in enumerate(["https://app.example/base/", "https://app.example/base?a=b#c"]):
        ana.email, ana.app_url = f"ana{number}@guest.example", app_url
        trieve.invitations.post_invitation(str(acme.id), ana)
        (mail,) = smtp.to(ana.email)
        assert any(link.startswith("https://app.example/base/auth?inv_code=") for link in mail.links)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_role_is_returned_as_given(trieve: Trieve, acme: Acme, ana: InvitationData, number: int) -> None:
    ana.user_role = number
    trieve.invitations.post_invitation(str(acme.id), ana)
    (invitation,) = trieve.invitations.get_invitations(str(acme.id), str(acme.id))
    assert (invitation.role, invitation.used) == (number, False)
    assert (invitation.email, invitation.organization_id) == ("ana@guest.example", str(acme.id))
    assert abs((datetime.now(UTC).replace(tzinfo=None) - invitation.created_at).total_seconds()) < 60


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "no address": ({"email": "ana@"}, "Invalid email"),
    "oneself": ({"email": " OWNER@acme.example "}, "Can not invite yourself"),
    "a member": (
        {"email": "Member@acme.example"},
        "User with email member@acme.example is already in the organization",
    ),
    "invited": ({"email": "BO@guest.example"}, "User with email bo@guest.example has already been invited"),
    "a role above all": ({"user_role": 3}, "Can not invite user with higher role than yours"),
    "another app": (
        {"app_url": "https://evil.example"},
        "This address is not among the organization's allowed redirect origins: https://evil.example",
    ),
    "another redirect": (
        {"redirect_uri": "https://evil.example/x"},
        "This address is not among the organization's allowed redirect origins: https://evil.example/x",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_error_has_a_reason(trieve: Trieve, acme: Acme, ana: InvitationData, app: Flask, name: str) -> None:
    changes, message = REFUSALS[name]
    with app.app_context():
        invite(acme, "bo@guest.example")
    with pytest.raises(BadRequestException) as error:
        trieve.invitations.post_invitation(str(acme.id), ana.model_copy(update=changes))
    assert message_of(error) == message
    assert len(trieve.invitations.get_invitations(str(acme.id), str(acme.id))) == 1


def test_role_above_the_callers_is_refused(
    connect: Connect, make_key: Callable[..., Key], acme: Acme, ana: InvitationData
) -> None:
    ana.user_role = 2
    with pytest.raises(BadRequestException) as error:
        connect(make_key("admin").secret).invitations.post_invitation(str(acme.id), ana)
    assert message_of(error) == "Can not invite user with higher role than yours"


@pytest.mark.parametrize(
    "case",
    [
        ({"plan": "free"}, "Inviting users is not available on the free plan."),
        ({"seat_limit": 3}, "All 3 seats are in use."),
        ({"allowed_domains": ["acme.example"]}, "Only addresses at acme.example can be invited."),
    ],
)
def test_disallowed_domains_and_origins_are_refused(
    trieve: Trieve, acme: Acme, ana: InvitationData, app: Flask, case: tuple[dict[str, Any], str]
) -> None:
    settings, message = case
    with app.app_context():
        configure(acme, **settings)
    with pytest.raises(BadRequestException) as error:
        trieve.invitations.post_invitation(str(acme.id), ana)
    assert message_of(error).startswith(message)


def test_rejected_mail_stores_nothing(trieve: Trieve, acme: Acme, ana: InvitationData, smtp: SmtpServer) -> None:
    smtp.fail("451 4.7.1 later")
    with pytest.raises(BadRequestException) as error:
        trieve.invitations.post_invitation(str(acme.id), ana)
    assert message_of(error).startswith("The mail server cannot be reached")
    assert trieve.invitations.get_invitations(str(acme.id), str(acme.id)) == []
    smtp.behave()
    trieve.invitations.post_invitation(str(acme.id), ana)
