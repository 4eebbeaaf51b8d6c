"""The audit log: what was done, narrowed by address, and the same as a file."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask.typing import ResponseReturnValue

from invite_app.models import AuditEvent
from invite_app.models.types import now
from invite_app.pages.blueprint import pages
from invite_app.pages.shared import csv_download, current_actor, dates, page_links, principal, render_page
from invite_app.services import audit
from invite_app.services.audit import Filter

from . import audit_texts

HERE = "/organizations/<uuid:organization_id>/audit"
PARAMETERS = ("who", "action", "whom", "from", "to")
HEAD = ("When (UTC)", "Who", "As", "From", "Action", "What", "Before", "After")


@pages.get(HERE, endpoint="audit")
def show_log(organization_id: UUID) -> ResponseReturnValue:
    chosen = _chosen()
    page = audit.list_page(
        organization_id, by=current_actor(), only=_filter(chosen), cursor=request.args.get("cursor")
    )
    given: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    return render_page(
        "audit/list.html",
        events=page.items,
        page=page_links.links(page, **given),
        chosen=chosen,
        is_narrowed=bool(given),
        export=url_for("pages.audit_file", **given),
        words=audit_texts,
    )


@pages.get(f"{HERE}/export")
def audit_file(organization_id: UUID) -> ResponseReturnValue:
    """The events that the page with the same filters lists, all of them."""
    principal().check_can("audit:read")
    events = audit.export(organization_id, by=current_actor(), only=_filter(_chosen()))
    return csv_download.download(f"audit-log-{now():%Y-%m-%d}.csv", HEAD, _rows(events))


def _rows(events: Iterator[AuditEvent]) -> Iterator[tuple[object, ...]]:
    for event in events:
        changes = audit_texts.changes(event)
        yield (
            f"{event.at:%Y-%m-%d %H:%M:%S}",
            event.actor_name,
            event.actor_kind,
            event.ip,
            event.action,
            audit_texts.sentence(event),
            "; ".join(f"{change.label}: {change.before}" for change in changes if change.before),
            "; ".join(f"{change.label}: {change.after}" for change in changes if change.after),
        )


def _chosen() -> dict[str, str]:
    return {name: request.args.get(name, "").strip() for name in PARAMETERS}


def _filter(chosen: dict[str, str]) -> Filter:
    """Days are those of the reader, the last one included. One that is no day does not narrow the list."""
    first, last = dates.parse_date(chosen["from"]), dates.parse_date(chosen["to"])
    return Filter(
        actor=chosen["who"],
        action=chosen["action"],
        target=chosen["whom"],
        since=dates.start_of(first) if first else None,
        until=dates.end_of(last) if last else None,
    )
