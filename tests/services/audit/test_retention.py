"""Audit events are append-only, outlive their organization for a year, and are then deleted."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from invite_app.db import session, transaction
from invite_app.errors import OrganizationNotFound
from invite_app.models import AuditEvent
from invite_app.models.types import now
from invite_app.services import audit, maintenance, organizations
from invite_app.services.audit import queries
from tests.support.factories import OPERATOR, Acme, invite
from tests.test_architecture import NAMES, tree_of

# Erasure replaces names, and retention deletes the logs of organizations that are gone.
MAY_CHANGE_EVENTS = {("invite_app.services.audit.events", "update"), ("invite_app.services.maintenance", "delete")}


def actions(acme: Acme) -> list[str]:
    return [event.action for event in audit.events_of_deleted(acme.id, by=OPERATOR)]


def count() -> int:
    session().commit()
    return session().scalar(select(func.count()).select_from(AuditEvent)) or 0


class TestDeletedOrganization:
    def test_log_stays_for_the_operator(self, acme: Acme) -> None:
        invite(acme)
        organizations.delete(acme.id, by=acme.owner.actor)
        found = actions(acme)
        assert found[0] == "organization.deleted"
        assert "invitation.sent" in found
        assert found[-1] == "organization.created"

    @pytest.mark.parametrize("wanted", ["id", "slug", "name"])
    def test_is_found_by_id_slug_and_name(self, acme: Acme, wanted: str) -> None:
        organizations.delete(acme.id, by=acme.owner.actor)
        by = {"id": str(acme.id), "slug": "acme", "name": "Acme"}[wanted]
        assert [one.id for one in audit.find_deleted_organizations(by)] == [acme.id]

    def test_log_is_for_the_operator_only(self, acme: Acme, globex: Acme) -> None:
        organizations.delete(acme.id, by=acme.owner.actor)
        for by in (acme.owner.actor, globex.owner.actor):
            with pytest.raises(OrganizationNotFound):
                audit.events_of_deleted(acme.id, by=by)
            with pytest.raises(OrganizationNotFound):
                queries.list_page_of_deleted(acme.id, by=by)

    def test_log_is_deleted_after_a_year(self, acme: Acme, globex: Acme) -> None:
        others = count()
        invite(globex)
        organizations.delete(acme.id, by=acme.owner.actor)
        with time_machine.travel(now() + timedelta(days=364)):
            maintenance.run()
            assert actions(acme)
        with time_machine.travel(now() + timedelta(days=366)):
            maintenance.run()
            maintenance.run()
            assert not actions(acme)
            assert not audit.find_deleted_organizations(str(acme.id))
            assert 0 < count() < others
            assert list(audit.export(globex.id, by=OPERATOR))


def test_model_refuses_changed_events(acme: Acme) -> None:
    event = latest_event()
    with pytest.raises(RuntimeError, match="only added"), transaction() as writing:
        writing.merge(event).action = "nothing.happened"


def test_model_refuses_deleted_events(acme: Acme) -> None:
    event = latest_event()
    with pytest.raises(RuntimeError, match="only added"), transaction() as writing:
        writing.delete(writing.merge(event))


def latest_event() -> AuditEvent:
    return session().scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()


def statements_on_events(module: str) -> Iterator[tuple[str, str]]:
    """Return the updates and deletions of audit events in a module, as (module, function called)."""
    for node in ast.walk(tree_of(NAMES[module])):
        if isinstance(node, ast.Call) and node.args:
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            target = ast.unparse(node.args[0])
            if called in ("update", "delete", "delete_rows", "_delete_where") and "AuditEvent" in target:
                yield module, "delete" if "delete" in called else called
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if found := re.search(r"\b(UPDATE|DELETE FROM) audit_events\b", text, re.IGNORECASE):
            yield module, found[1].lower().split()[0]


def test_only_erasure_and_retention_change_events() -> None:
    found = {one for module in NAMES for one in statements_on_events(module)}
    assert found == MAY_CHANGE_EVENTS
