"""flask audit export."""

from flask import Flask

from invite_app.services import organizations
from tests.support.factories import BY_OPERATOR, OPERATOR, invite, make_organization

from .conftest import Ask, Run


def test_log_is_exported_newest_first(app: Flask, ask: Ask, run: Run) -> None:
    with app.app_context():
        acme = make_organization()
        invite(acme, "ana@guest.example")
    events = ask("audit", "export", "acme")
    assert (events[0]["action"], events[0]["target"]) == ("invitation.sent", "ana@guest.example")
    assert events[-1]["action"] == "organization.created"
    assert events == ask("audit", "export", acme.id)
    assert "invitation.sent" in run("audit", "export", "acme").output
    assert run("audit", "export", "nowhere").exit_code == 1


def test_deleted_organization_is_found_by_id_slug_name(app: Flask, ask: Ask) -> None:
    with app.app_context():
        acme = make_organization()
        organizations.delete(acme.id, by=OPERATOR)
    events = ask("audit", "export", acme.id)
    assert [events[0]["action"], events[-1]["action"]] == ["organization.deleted", "organization.created"]
    assert events == ask("audit", "export", "acme") == ask("audit", "export", "Acme")


def test_ambiguous_name_lists_the_ids(app: Flask, ask: Ask, run: Run) -> None:
    with app.app_context():
        ids = [make_organization().id]
        organizations.delete(ids[0], by=OPERATOR)
        ids.append(organizations.create(organizations.NewOrganization("Acme"), OWNER, by=BY_OPERATOR)[0].id)
    assert ask("audit", "export", "acme")[0]["action"] == "organization.created"  # its only event
    with app.app_context():
        organizations.delete(ids[1], by=OPERATOR)
    refused = run("audit", "export", "acme")
    assert refused.exit_code == 1
    assert all(str(one) in refused.output for one in ids)
    assert ask("audit", "export", ids[0])[-1]["target_id"] == str(ids[0])


OWNER = organizations.NewOwner("owner@acme.example", "Olivia")
