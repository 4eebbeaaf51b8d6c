"""The audit log is only added to, outlives its organization for a year, and is then deleted."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, func, inspect, select, text, update

from invite_app.db import session, transaction
from invite_app.errors import OrganizationUnknown
from invite_app.extensions import db
from invite_app.models import AuditEvent
from invite_app.services import audit, audit_exports, audit_retention, organizations, sweeps
from tests.support.databases import on_sqlite
from tests.support.factories import OPERATOR, Acme, invite, make_api_key, make_organization
from tests.test_architecture import NAMES, tree_of

pytestmark = pytest.mark.usefixtures("app_context")


@pytest.fixture
def acme(app_context: None) -> Acme:
    return make_organization()


@pytest.fixture
def globex(app_context: None) -> Acme:
    return make_organization("Globex")


def actions(acme: Acme) -> list[str]:
    return [event.action for event in audit_exports.events_of_deleted(acme.id, by=OPERATOR)]


def count() -> int:
    session().commit()
    return session().scalar(select(func.count()).select_from(AuditEvent)) or 0


def age_everything(age: timedelta) -> None:
    with transaction() as writing:
        writing.execute(update(AuditEvent).values(at=AuditEvent.at - age) if False else _aged(age))
