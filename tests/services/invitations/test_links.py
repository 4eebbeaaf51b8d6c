"""Tokens of links: bound to one row, purpose and address, and valid after a secret rotation."""

import base64
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invite_app import tokens
from invite_app.errors import InvalidLink
from invite_app.services import invitations
from tests.support.databases import on_sqlite
from tests.support.factories import PASSWORD, Acme, invite, make_organization, token_of

ID, NONCE = UUID(int=1), b"n" * 16
ACTIONS: list[Callable[[str], object]] = [
    invitations.open_link,
    lambda token: invitations.accept_with_new_account(token, invitations.NewProfile("Ana", "Guest", PASSWORD)),
    lambda token: invitations.accept_with_account(token, ID),
    invitations.decline,
]


def app_with(secret: str, *fallbacks: str) -> Flask:
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY=secret, SECRET_KEY_FALLBACKS=list(fallbacks))
    return app


OLD, NEW, OTHER = (name * 8 for name in ("old ", "new ", "none"))


class TestValid:
    def test_only_for_its_id_nonce_kind_purpose(self) -> None:
        with app_with(OLD).app_context():
            token = tokens.parse(tokens.invitation_token(ID, NONCE))
            assert (token.id, token.is_copied) == (ID, False)
            assert tokens.is_valid(token, "invitation", NONCE)
            assert not tokens.is_valid(token, "invitation", b"m" * 16)
            assert not tokens.is_valid(token, "account", NONCE)
            assert not tokens.is_valid(tokens.Token(UUID(int=2), token.kind, token.signature), "invitation", NONCE)
            assert not tokens.is_valid(tokens.Token(ID, tokens.COPIED, token.signature), "invitation", NONCE)

    def test_copied_token_is_marked(self) -> None:
        with app_with(OLD).app_context():
            copied = tokens.copied_token(ID, NONCE)
            assert copied != tokens.invitation_token(ID, NONCE)
            assert tokens.parse(copied).is_copied

    def test_after_rotation_while_the_old_secret_is_configured(self) -> None:
        with app_with(OLD).app_context():
            link, setup = tokens.invitation_token(ID, NONCE), tokens.setup_token()
        for app, still in ((app_with(NEW, OTHER, OLD), True), (app_with(NEW), False)):
            with app.app_context():
                assert tokens.is_valid(tokens.parse(link), "invitation", NONCE) is still
                assert tokens.is_setup_token(setup) is still
                assert tokens.invitation_token(ID, NONCE) != link

    def test_in_every_process_with_the_same_secret(self) -> None:
        made = set()
        for _ in range(2):
            with app_with(OLD).app_context():
                made.add((tokens.invitation_token(ID, NONCE), tokens.setup_token()))
        assert len(made) == 1

    @pytest.mark.parametrize("given", ["", "x", "é", "\ud800", "0" * 40])
    def test_nothing_else_opens_the_setup(self, given: str) -> None:
        with app_with(OLD).app_context():
            assert not tokens.is_setup_token(given)

    @given(st.text(max_size=80))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_never_for_arbitrary_text(self, text: str) -> None:
        try:
            token = tokens.parse(text)
        except InvalidLink:
            return
        with app_with(OLD).app_context():
            assert not tokens.is_valid(token, "invitation", NONCE)


class TestOfAnInvitation:
    def broken(self, token: str) -> None:
        for action in ACTIONS:
            with pytest.raises(InvalidLink):
                action(token)

    def test_forged_or_truncated_tokens_do_nothing(self, acme: Acme) -> None:
        token = token_of(invite(acme))
        for cut in range(len(token)):
            with pytest.raises(InvalidLink):
                invitations.open_link(token[:cut])
        self.broken(token[:-1])
        raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        for position in range(len(raw)):
            forged = raw.copy()
            forged[position] ^= 1
            with pytest.raises(InvalidLink):
                invitations.open_link(base64.urlsafe_b64encode(forged).decode().rstrip("="))

    def test_token_of_another_invitation_differs(self, acme: Acme, globex: Acme) -> None:
        mine, theirs = token_of(invite(acme)), token_of(invite(globex))
        raw = [base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)) for token in (mine, theirs)]
        self.broken(base64.urlsafe_b64encode(raw[1][:16] + raw[0][16:]).decode().rstrip("="))

    def test_account_token_does_nothing(self, acme: Acme) -> None:
        self.broken(tokens.account_token(invite(acme).id))

    def test_mailed_and_copied_tokens_cannot_be_exchanged(self, acme: Acme) -> None:
        sent = invite(acme)
        for copied in (True, False):
            token = token_of(sent, copied=copied)
            raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            raw[16:17] = tokens.MAILED if copied else tokens.COPIED
            self.broken(base64.urlsafe_b64encode(raw).decode().rstrip("="))

    def test_all_are_invalid_after_an_address_change(self, acme: Acme) -> None:
        sent = invite(acme)
        old = token_of(sent), token_of(sent, copied=True)
        changes = invitations.Changes(email="bo@guest.example")
        invitations.edit(acme.id, sent.id, changes, by=acme.owner.actor)
        for token in old:
            self.broken(token)


@on_sqlite
def test_link_uses_only_the_servers_own_host(make_app: Callable[..., Flask]) -> None:
    app = make_app(INVITE_EXTERNAL_URL="https://invite.example.com")
    with app.test_request_context(base_url="http://evil.example"):
        acme = make_organization()
        link = invitations.copy_link(acme.id, invite(acme).id, by=acme.owner.actor)
        assert link.startswith("https://invite.example.com/invitations/")
