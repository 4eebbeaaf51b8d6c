"""The overview of an organization: what needs somebody, the seats, what happened last."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from flask import url_for
from flask.typing import ResponseReturnValue

from invite_app.models import Invitation
from invite_app.services import attention, audit, ownership
from invite_app.services.attention import Attention
from invite_app.services.cursors import Page

from . import history
from .blueprint import pages
from .frame import local_address, show
from .visitor import actor, standing

LATEST = 5
FEW_SEATS = 4


@dataclass(frozen=True)
class Line:
    """One thing that needs somebody, with the list to look through, if there is one."""

    kind: str
    icon: str
    sentence: str
    detail: str
    href: str = ""


@pages.get("/organizations/<uuid:organization_id>/")
def overview(organization_id: UUID) -> ResponseReturnValue:
    here = standing()
    needs = attention.of(organization_id, by=actor()) if here.may("invitations:read") else None
    return show(
        "overview/page.html",
        offer=ownership.find_people(organization_id, by=actor()),
        attention=needs,
        lines=list(_lines(needs)) if needs else [],
        latest=_latest(organization_id) if here.may("audit:read") else [],
    )


def _lines(needs: Attention) -> Iterator[Line]:
    """The most urgent first."""
    late, soon, seats = needs.undelivered, needs.ending_soon, needs.seats_left
    if late.total:
        sentence = f"{_invitations(late.total, 'was', 'were')} not delivered"
        yield Line("bad", "alert-circle", sentence, _names(late), url_for("pages.invitations", state="undelivered"))
    if soon.total:
        sentence = f"{_invitations(soon.total, 'ends', 'end')} within two days"
        yield Line("warn", "hourglass", sentence, _names(soon), url_for("pages.invitations", soon=1))
    if seats is not None and seats <= FEW_SEATS:
        sentence = f"All {f'but {seats} of ' if seats else ''}{standing().organization.seat_limit:,} seats are in use"
        detail = "Pending invitations hold a seat until they are accepted or end."
        yield Line("warn", "armchair", sentence, detail, url_for("pages.invitations"))
    if (address := local_address()) and standing().may("organization:write"):
        detail = "Nobody outside this machine can open them. Set INVITE_EXTERNAL_URL."
        yield Line("warn", "link", f"Links in emails start with {address}", detail)


def _invitations(number: int, one: str, several: str) -> str:
    return f"{number:,} invitation{'s' if number != 1 else ''} {one if number == 1 else several}"


def _names(page: Page[Invitation]) -> str:
    names = [invitation.name or invitation.email for invitation in page.items]
    rest = page.total - len(names)
    return f"{', '.join(names)} and {rest:,} more" if rest else " and ".join(names)


def _latest(organization_id: UUID) -> list[history.Line]:
    return history.latest(audit.list_page(organization_id, by=actor(), limit=LATEST).items)
