"""Commands that create and change things: their output and their errors."""

import json
import re
from typing import Any

import pytest
from flask import Flask

from invite_app import create_app
from invite_app.access import ApiKeyActor
from invite_app.models import User
from invite_app.services import accounts, organizations, workspaces
from invite_app.services.api_keys import authentication
from tests.support.databases import dispose
from tests.support.factories import OPERATOR, PASSWORD

from .conftest import Ask, Run

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@pytest.fixture
def acme(ask: Ask) -> dict[str, Any]:
    return dict(ask("org", "create", "Acme", "--owner", "olivia@acme.example"))


class TestOrganizations:
    def test_create_returns_ids_and_setup_link(self, app: Flask, acme: dict[str, Any]) -> None:
        assert list(acme) == ["organization_id", "owner_user_id", "owner_email", "api_key", "sign_in_url"]
        assert acme["owner_email"] == "olivia@acme.example"
        token = acme["sign_in_url"].removeprefix("http://localhost/sign-in/")
        with app.app_context():
            actor = authentication.authenticate(acme["api_key"], ip=None)
            assert isinstance(actor, ApiKeyActor)
            assert str(organizations.get(acme["organization_id"], by=actor).id) == acme["organization_id"]
            session = accounts.sign_in_with_link(token, device=accounts.Device())
            assert (str(session.user_id), session.user.given_name) == (acme["owner_user_id"], "olivia")

    def test_create_accepts_every_setting(self, app: Flask, ask: Ask) -> None:
        settings = ("--plan", "free", "--seats", 5, "--allowed-origin", "https://a.example")
        names = ("--given-name", "Olivia", "--family-name", "Owner", "--password-stdin")
        made = ask("org", "create", "Acme", "--owner", "o@acme.example", *settings, *names, input=f"{PASSWORD}\n")
        with app.app_context():
            organization = organizations.get(made["organization_id"], by=OPERATOR)
            assert (organization.plan, organization.seat_limit) == ("free", 5)
            assert organization.allowed_origins == ["https://a.example"]
            assert accounts.sign_in("o@acme.example", PASSWORD, device=accounts.Device()).user.name == "Olivia Owner"

    def test_create_uses_an_existing_account_unchanged(self, acme: dict[str, Any], ask: Ask, run: Run) -> None:
        second = ask("org", "create", "Second", "--owner", "Olivia@ACME.example")
        assert second["owner_user_id"] == acme["owner_user_id"]
        refused = run("org", "create", "Third", "--owner", "olivia@acme.example", "--password-stdin", input=PASSWORD)
        assert (refused.exit_code, "already an account" in refused.stderr) == (1, True)
        assert len(ask("org", "list")) == 2

    @pytest.mark.parametrize("name", ["organization_id", "slug"])
    def test_are_found_by_id_or_slug(self, acme: dict[str, Any], ask: Ask, name: str) -> None:
        organization = ask("org", "list")[0][name]
        assert ask("org", "plan", organization, "free")["plan"] == "free"
        assert ask("org", "seats", organization, 7)["seats"] == 7
        assert ask("org", "seats", organization, "none")["seats"] is None
        ask("org", "delete", organization)
        assert ask("org", "list") == []

    def test_list_prints_a_table(self, acme: dict[str, Any], run: Run) -> None:
        heading, row = run("org", "list").output.splitlines()
        assert row.index("acme") == heading.index("slug")
        assert UUID.match(row)


class TestPeople:
    def test_create_and_sign_in(self, app: Flask, ask: Ask) -> None:
        user = ask("user", "create", "Zoe@acme.example", "--given-name", "Zoe", "--family-name", "Ek")
        link = ask("user", "sign-in-link", "zoe@acme.example")["sign_in_url"]
        with app.app_context():
            session = accounts.sign_in_with_link(link.rpartition("/")[2], device=accounts.Device())
            assert (str(session.user_id), session.user.is_verified) == (user["user_id"], True)

    def test_password_is_one_line(self, app: Flask, ask: Ask) -> None:
        names = ("--given-name", "Zoe", "--family-name", "Ek")
        ask("user", "create", "zoe@acme.example", *names, "--password-stdin", input=f"{PASSWORD}\nmore\n")
        with app.app_context():
            assert isinstance(accounts.sign_in("zoe@acme.example", PASSWORD, device=accounts.Device()).user, User)


class TestKeysAndWorkspaces:
    def test_workspace_is_created(self, app: Flask, acme: dict[str, Any], ask: Ask) -> None:
        made = ask("workspace", "create", "acme", "Sales")
        assert ask("workspace", "list", "acme") == [{"workspace_id": made["workspace_id"], "name": "Sales"}]
        with app.app_context():
            assert workspaces.list_all(acme["organization_id"], by=OPERATOR)[0].name == "Sales"

    def test_key_is_created_listed_and_revoked(self, app: Flask, acme: dict[str, Any], ask: Ask) -> None:
        made = ask("api-key", "create", "acme", "--name", "CI", "--role", "member", "--user", "olivia@acme.example")
        assert made["api_key"].startswith("sk_")
        listed = {key["name"]: key for key in ask("api-key", "list", "acme")}
        assert (listed["CI"]["role"], listed["CI"]["user"]) == ("Member", "olivia@acme.example")
        assert made["api_key"] not in json.dumps(listed)
        ask("api-key", "revoke", made["api_key_id"])
        assert [key["name"] for key in ask("api-key", "list", "acme")] == ["Owner"]


class TestSetupLink:
    def test_exists_until_the_first_account(self, ask: Ask, run: Run) -> None:
        link = ask("setup-link")["setup_url"]
        assert re.fullmatch(r"http://localhost/setup\?token=[0-9a-f]{40}", link)
        ask("user", "create", "zoe@acme.example", "--given-name", "Zoe", "--family-name", "Ek")
        assert run("setup-link").stderr == "Error: Already set up. Sign in.\n"


REFUSED = [
    (("org", "create", "", "--owner", "o@acme.example"), "Error: name: Enter a name."),
    (("org", "create", "A", "--owner", "no address"), "Error: Enter an email address, like name@example.com."),
    (("org", "create", "A", "--owner", "o@acme.example", "--allowed-origin", "ftp://x"), "Error: allowed origins: "),
    (("org", "plan", "nobody", "free"), "Error: There is no such organization."),
    (("org", "delete", "01a1fbc8-c9c8-72f0-b849-69b0acf74fcb"), "Error: There is no such organization."),
    (("user", "sign-in-link", "nobody@acme.example"), "Error: There is no such person."),
    (("user", "create", "a@a.example", "--given-name", "A\nB", "--family-name", "C"), "Error: given name: Leave out"),
    (("api-key", "create", "acme", "--name", "CI", "--role", "boss"), "Error: There is no role “boss”"),
    (("api-key", "revoke", "x"), "Error: There is no such API key."),
    (("workspace", "create", "acme", " "), "Error: name: Enter a name."),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=lambda value: " ".join(value)[:40])
def test_errors_are_one_line_on_stderr(
    acme: dict[str, Any], run: Run, arguments: tuple[str, ...], message: str
) -> None:
    refused = run(*arguments)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith(message)
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("org", "create", "Acme"),
        ("org", "plan", "acme", "golden"),
        ("org", "seats", "acme", "0"),
        ("org", "seats", "acme", "many"),
        ("user", "create", "a@a.example"),
        ("api-key", "create", "acme", "--name", "CI"),
        ("invite", "acme"),
        ("invite", "acme", "a@a.example"),
        ("invite", "acme", "a@a.example", "--role", "member", "--dry-run"),
        ("invite", "acme", "--csv", "/no/such/file"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_a_click_error(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_missing_migrations_name_the_command(empty_database_url: str, environ: dict[str, str]) -> None:
    app = create_app({**environ, "INVITE_DATABASE_URL": empty_database_url}, testing=True)
    result = app.test_cli_runner().invoke(args=["org", "list"])
    dispose(app)
    assert (result.exit_code, result.stderr) == (1, "Error: Migrations are missing. Run: flask db upgrade\n")


class TestPersonalData:
    def test_export_returns_everything(self, acme: dict[str, Any], ask: Ask, run: Run) -> None:
        exported = ask("user", "export", "Olivia@acme.example")
        account = exported["account"]
        assert (account["id"], account["email"]) == (acme["owner_user_id"], acme["owner_email"])
        assert exported["memberships"][0]["organization"] == "Acme"
        assert "olivia@acme.example" not in run("user", "export", "olivia@acme.example").output

    def test_erase_returns_the_pseudonym(self, app: Flask, ask: Ask, run: Run) -> None:
        made = ask("user", "create", "ana@guest.example", "--given-name", "Ana", "--family-name", "Guest")
        erased = ask("user", "erase", "ana@guest.example")
        assert (erased["user_id"], erased["pseudonym"][:13]) == (made["user_id"], "Deleted user ")
        assert "no such person" in run("user", "erase", "ana@guest.example").stderr

    def test_sole_owner_is_refused_with_instructions(self, acme: dict[str, Any], ask: Ask, run: Run) -> None:
        refused = run("user", "erase", "olivia@acme.example", "--json")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "Transfer ownership or delete the organization first." in refused.stderr
        ask("org", "delete", acme["organization_id"])
        ask("user", "erase", "olivia@acme.example")
