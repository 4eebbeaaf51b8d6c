"""The overview of an organization: what needs somebody, the seats, what happened last."""

from uuid import UUID

from flask.typing import ResponseReturnValue

from invite_app.services import attention, audit

from . import history
from .blueprint import pages
from .frame import local_address, show
from .visitor import actor, standing

LATEST = 5


@pages.get("/organizations/<uuid:organization_id>/")
def overview(organization_id: UUID) -> ResponseReturnValue:
    here = standing()
    may_see_invitations = here.may("invitations:read")
    return show(
        "overview/page.html",
        attention=attention.of(organization_id, by=actor()) if may_see_invitations else None,
        latest=_latest(organization_id) if here.may("audit:read") else [],
        local_address=local_address() if here.may("organization:write") else "",
    )


def _latest(organization_id: UUID) -> list[history.Line]:
    return history.latest(audit.list_page(organization_id, by=actor(), limit=LATEST).items)
