"""Weekly statistics, which database triggers maintain, compared with counts of the invitations."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update

from invite_app.access import authorize
from invite_app.db import session, transaction
from invite_app.models import Invitation, Organization, WeeklyStatistics
from invite_app.models.types import Base, fresh, now, row_of
from invite_app.services import invitations
from tests.support.factories import Acme, expire, invite


def week_of(moment: datetime) -> date:
    return (moment - timedelta(days=moment.weekday())).date()


def counted(acme: Acme) -> dict[date, tuple[int, int, int]]:
    """Return the expected contents of the table."""
    sent: Counter[date] = Counter()
    accepted: Counter[date] = Counter()
    of_sent: Counter[date] = Counter()
    for one in session().scalars(select(Invitation).where(Invitation.organization_id == acme.id)):
        sent[week_of(one.created_at)] += 1
        if one.state == "accepted" and one.closed_at:
            accepted[week_of(one.closed_at)] += 1
            of_sent[week_of(one.created_at)] += 1
    return {week: (sent[week], accepted[week], of_sent[week]) for week in sent | accepted}


def kept(acme: Acme) -> dict[date, tuple[int, int, int]]:
    rows = session().scalars(select(WeeklyStatistics).where(WeeklyStatistics.organization_id == acme.id))
    numbers = {row.week: (row.sent, row.accepted, row.accepted_of_sent) for row in rows}
    return {week: found for week, found in numbers.items() if any(found)}


def write(which: Any) -> None:
    with transaction() as writing:
        writing.execute(which)


def test_they_count_every_change(acme: Acme) -> None:
    first, second, third = (invite(acme, f"{name}@guest.example").id for name in "abc")
    of = {name: Invitation.id == one for name, one in (("first", first), ("second", second), ("third", third))}
    assert kept(acme) == counted(acme) != {}
    later = now() + timedelta(weeks=3)
    write(update(Invitation).where(of["first"]).values(state="accepted", closed_at=later))
    invitations.revoke(acme.id, second, by=acme.owner.actor)
    assert kept(acme) == counted(acme)
    assert kept(acme)[week_of(later)] == (0, 1, 0)
    write(update(Invitation).where(of["first"]).values(state="revoked"))
    write(delete(Invitation).where(of["third"]))
    assert kept(acme) == counted(acme)


def test_bulk_changes_are_counted_by_week(acme: Acme) -> None:
    role_id = invite(acme).role_id
    start = now() - timedelta(weeks=5)
    rows = [
        row_of(
            fresh(
                Invitation,
                organization_id=acme.id,
                email=f"many{number}@guest.example",
                role_id=role_id,
                role_name="Member",
                inviter_kind="operator",
                inviter_name="",
                state="accepted" if number % 3 else "expired",
                created_at=start + timedelta(days=number),
                closed_at=start + timedelta(days=number + 9),
                expires_at=start,
            )
        )
        for number in range(30)
    ]
    write(insert(Base.metadata.tables["invitations"]).values(rows))
    assert kept(acme) == counted(acme)
    found = invitations.compute_statistics(authorize(acme.owner.actor, acme.id))
    assert (found.sent, found.accepted) == (31, 20)
    write(delete(Invitation).where(Invitation.state == "accepted"))
    assert kept(acme) == counted(acme)


def test_weeks_begin_on_monday_at_midnight_utc(acme: Acme) -> None:
    one = invite(acme)
    monday = datetime.fromisoformat("2026-11-16T00:00:00+00:00")
    for moment, week in ((monday, "2026-11-16"), (monday - timedelta(microseconds=1), "2026-11-09")):
        write(update(Invitation).where(Invitation.id == one.id).values(state="accepted", closed_at=moment))
        assert date.fromisoformat(week) in kept(acme)
        write(update(Invitation).where(Invitation.id == one.id).values(state="pending"))


def test_they_are_deleted_with_the_organization(acme: Acme) -> None:
    expire(invite(acme))
    write(delete(Organization).where(Organization.id == acme.id))
    assert session().scalars(select(WeeklyStatistics)).all() == []
