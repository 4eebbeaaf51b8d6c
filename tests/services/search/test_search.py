"""Search by fragments: the same matches on both databases, and an index that misses no writer."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, text
from uuid_utils.compat import uuid7

from invite_app.db import is_sqlite, session, transaction
from invite_app.extensions import db
from invite_app.models import AuditEvent, Invitation, Membership, Organization, User
from invite_app.models.search import search_folded
from invite_app.models.types import Base, fresh, now, row_of
from invite_app.services import accounts, audit, invitations, members
from invite_app.services.search import list_plan
from tests.support.factories import Acme, invite, make_member

# SQLite indexes new rows in batches of this size; until then, they are scanned.
GATHERED = 256


def found_members(acme: Acme, fragment: str, **options: Any) -> set[str]:
    """Find members with the queries of the pages and of the API; both agree."""
    only = members.Filter(fragment=fragment, **options)
    page = members.list_page(acme.id, by=acme.owner.actor, only=only, limit=500)
    lines = members.list_rows(acme.id, by=acme.owner.actor, only=only, limit=500)
    assert page.total == len(page.items) == lines.total
    assert [row.id for row in page.items] == [line.id for line in lines.items]
    return {row.user.email for row in page.items}


def found_invitations(acme: Acme, fragment: str) -> set[str]:
    page = invitations.list_page(acme.id, by=acme.owner.actor, only=invitations.Filter(fragment=fragment), limit=500)
    assert page.total == len(page.items)
    return {row.email for row in page.items}


def found_events(acme: Acme, target: str) -> set[str]:
    page = audit.list_page(acme.id, by=acme.owner.actor, only=audit.Filter(target=target), limit=500)
    return {row.target_name for row in page.items}


def add_many(acme: Acme, number: int = GATHERED) -> None:
    """Insert members, invitations and events without services and the ORM's unit of work."""
    users = [
        fresh(User, id=uuid7(), email=f"many{one:04d}@bulk.example", given_name="Many", family_name="Bulk")
        for one in range(number)
    ]
    role_id = members.get(acme.id, acme.member.id, by=acme.owner.actor).role_id
    common = {"organization_id": acme.id, "role_id": role_id}
    rows: list[Any] = [
        fresh(Membership, user_id=one.id, sort_name=f"many bulk {one.email}", **common) for one in users
    ]
    rows += [
        fresh(
            Invitation,
            email=one.email,
            role_name="Member",
            inviter_kind="operator",
            inviter_name="",
            expires_at=now(),
            **common,
        )
        for one in users
    ]
    what = {"actor_kind": "operator", "actor_name": "", "target_kind": "invitation", "action": "bulk"}
    rows += [fresh(AuditEvent, organization_id=acme.id, target_name=one.email, **what) for one in users]
    with transaction() as writing:
        for table in (User, Membership, Invitation, AuditEvent):
            of_table = [row_of(row) for row in (*users, *rows) if isinstance(row, table)]
            writing.execute(insert(Base.metadata.tables[table.__tablename__]), of_table)


@pytest.fixture(params=["waiting", "gathered"])
def settle(request: pytest.FixtureRequest, acme: Acme) -> Callable[[], None]:
    """Add the rows of the test to the index, or leave them in the list of unindexed rows."""
    return (lambda: add_many(acme)) if request.param == "gathered" else (lambda: None)


class TestTerms:
    @pytest.mark.parametrize(
        ("fragment", "is_found"),
        [
            ("aurel", True),
            ("RELIE", True),
            ("müller", True),
            ("MÜLLER", True),
            ("üll", True),
            ("aurelie müller", True),
            ("müller aurelie guest", True),
            ("aurelie nobody", False),
            ("au", True),
            ("m", True),
            ("re", False),
            ("ller", True),
            ("%", False),
            ("a_r", False),
            ('"', False),
            ('au"*', False),
            ("guest.example", True),
        ],
    )
    def test_match_anywhere_and_short_ones_match_prefixes(self, acme: Acme, fragment: str, is_found: bool) -> None:
        make_member(acme, "am@guest.example", given_name="Aurelie", family_name="Müller")
        invite(acme, "mue@guest.example", given_name="AURELIE", family_name="MÜLLER")
        assert ("am@guest.example" in found_members(acme, fragment)) == is_found
        assert ("mue@guest.example" in found_invitations(acme, fragment)) == is_found

    @pytest.mark.parametrize("address", ["somebody.long-name@guest.example", "me@guest.example", "a@guest.example"])
    @pytest.mark.parametrize("typed", [slice(None), slice(-1), slice(1, None)], ids=["whole", "beginning", "end"])
    def test_all_parts_of_a_long_address_count(
        self, acme: Acme, settle: Callable[[], None], address: str, typed: slice
    ) -> None:
        for other in ("nobody.long-name@guest.example", "ne@guest.example", "b@guest.example", address):
            make_member(acme, other)
        settle()
        word = address[typed]
        everybody = [row.user.email for row in members.list_all(acme.id, by=acme.owner.actor)]
        assert sorted(found_members(acme, word)) == sorted(one for one in everybody if word in one)

    @pytest.mark.parametrize("name", ["Ёлкина", "ΣΊΣΥΦΟΣ", "王小明", "Ðorđe", "𐐀𐐁𐐂𐐃", "O\N{ACUTE ACCENT}Brien"])
    def test_match_every_script_in_both_cases(self, acme: Acme, name: str) -> None:
        make_member(acme, "one@guest.example", given_name=name, family_name="X")
        invite(acme, "two@guest.example", given_name=name, family_name="X")
        for fragment in (name, name.lower(), name[:2]):
            assert found_members(acme, fragment) == {"one@guest.example"}
            assert found_invitations(acme, fragment) == {"two@guest.example"}

    def test_match_only_in_this_organization(self, acme: Acme, globex: Acme) -> None:
        invite(globex, "stranger@guest.example")
        make_member(globex, "stranger@member.example")
        assert found_invitations(acme, "stranger") == found_members(acme, "stranger") == set()
        assert found_events(acme, "stranger") == set()

    def test_fold_the_same_in_database_and_python(self, acme: Acme) -> None:
        texts = ["Straße", "ΣΊΣΥΦΟΣ", "İstanbul", "ǅ", "plain ASCII", "Ё"]
        with db.engine.connect() as connection:
            folds = [connection.scalar(text("SELECT search_folded(:given)"), {"given": one}) for one in texts]
        assert folds == [search_folded(one) for one in texts]


class TestIndex:
    def test_follows_a_new_name(self, acme: Acme, settle: Callable[[], None]) -> None:
        settle()
        accounts.rename(acme.member.id, given_name="Zenobia", family_name="Quux")
        assert found_members(acme, "zenob") == {acme.member.email}
        assert found_members(acme, "mia") == set()

    def test_follows_a_new_address(self, acme: Acme, settle: Callable[[], None]) -> None:
        sent = invite(acme, "ana@guest.example")
        settle()
        invitations.edit(acme.id, sent.id, invitations.Changes(email="zoe@other.example"), by=acme.owner.actor)
        assert found_invitations(acme, "zoe@other") == {"zoe@other.example"}
        assert found_invitations(acme, "ana@guest") == set()

    def test_drops_removed_members(self, acme: Acme, settle: Callable[[], None]) -> None:
        settle()
        members.remove(acme.id, acme.member.id, by=acme.owner.actor)
        assert found_members(acme, "mia") == set()
        assert found_events(acme, acme.member.email) == {acme.member.email}, "the record stays"
        make_member(acme, "mia@again.example", given_name="Mia")
        assert found_members(acme, "mia") == {"mia@again.example"}

    def test_includes_rows_written_past_the_services(self, acme: Acme) -> None:
        add_many(acme, GATHERED + 10)
        for find in (found_members, found_invitations, found_events):
            assert find(acme, "many0000@bulk") == {"many0000@bulk.example"}
            assert len(find(acme, "bulk.ex")) == GATHERED + 10

    def test_is_deleted_with_the_organization(self, acme: Acme, globex: Acme, settle: Callable[[], None]) -> None:
        settle()
        with transaction() as writing:
            writing.execute(delete(Organization).where(Organization.id == acme.id))
        assert found_members(globex, "globex") == {globex.owner.email, globex.admin.email, globex.member.email}
        if is_sqlite(db.engine):
            left = (
                "SELECT count(*) FROM search_memberships_rows AS one WHERE row_id NOT IN (SELECT id FROM memberships)"
            )
            assert session().scalar(text(left)) == 0


class TestLongLists:
    """With low limits, short lists are read with the plans of long ones."""

    @pytest.fixture(autouse=True, params=[(3, 1), (100, 1), (100, 100)], ids=["many", "few", "very few"])
    def look_less_far(self, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
        look, few = request.param
        for name, number in (("INDEX_LIMIT", look), ("SMALL_RESULT", few), ("SCAN_WINDOW", 5), ("COUNT_CAP", 4)):
            monkeypatch.setattr(list_plan, name, number)
            monkeypatch.setattr(f"invite_app.services.search.{name}", number, raising=False)

    @pytest.fixture
    def many(self, acme: Acme) -> Acme:
        for number in reversed(range(30)):  # the index is not sorted by name
            given = "Seldom" if number % 14 == 0 else "Often" if number % 3 == 0 else "Other"
            make_member(acme, f"p{number:02d}@list.example", given_name="Pat", family_name=f"{number:02d} {given}")
        return acme

    @pytest.mark.parametrize(
        ("fragment", "total"), [("list.ex", "4+"), ("often", "4+"), ("seldom", "3"), ("nobody", "0"), ("pat 07", "1")]
    )
    def test_every_plan_returns_all_rows_in_order(self, many: Acme, fragment: str, total: str) -> None:
        for list_page in (members.list_page, members.list_rows):
            self._read_to_the_end(many, fragment, list_page, total)

    def _read_to_the_end(self, many: Acme, fragment: str, list_page: Callable[..., Any], total: str) -> None:
        def read(cursor: str | None) -> tuple[Any, list[UUID]]:
            only = members.Filter(fragment=fragment)
            page = list_page(many.id, by=many.owner.actor, only=only, limit=2, cursor=cursor)
            return page, [item.id for item in page.items]

        read_so_far = [read(None)]
        while cursor := read_so_far[-1][0].next:
            read_so_far.append(read(cursor))
        matching = found_by_scan(many, fragment)
        seen = [one for _, ids in read_so_far for one in ids]
        assert seen == [row.id for row in everybody_of(many) if row.user.email in matching]
        assert f"{read_so_far[0][0].total:,}" == total
        for (_, before), (page, _) in pairwise(read_so_far):
            assert read(page.previous)[1] == before

    @pytest.mark.parametrize("fragment", ["list.ex", "often", "seldom"])
    @pytest.mark.parametrize("name", ["NEWEST", "OLDEST", "BY_EMAIL"])
    def test_can_be_searched_in_other_orders(self, many: Acme, fragment: str, name: str) -> None:
        only, order = members.Filter(fragment=fragment), getattr(members, name)
        page = members.list_page(many.id, by=many.owner.actor, only=only, order=order, limit=2)
        then = members.list_page(many.id, by=many.owner.actor, only=only, order=order, limit=2, cursor=page.next)
        matching = sorted(found_by_scan(many, fragment), reverse=name == "OLDEST")
        assert [row.user.email for row in (*page.items, *then.items)] == matching[:4]

    def test_have_an_exact_total_where_required(self, many: Acme) -> None:
        only = members.Filter(fragment="list.ex")
        assert members.list_page(many.id, by=many.owner.actor, only=only, exact=True).total == 30

    def test_combine_workspace_filter_and_search(self, many: Acme) -> None:
        sales = self._sales(many, 0, 3, 14, 15, 28)
        only = members.Filter(fragment="seldom", workspace_id=sales)
        page = members.list_page(many.id, by=many.owner.actor, only=only)
        assert [row.user.email for row in page.items] == [f"p{number}@list.example" for number in ("00", "14", "28")]

    @pytest.mark.parametrize("list_page", [members.list_page, members.list_rows])
    @pytest.mark.parametrize(("number", "total"), [(0, "0"), (1, "1"), (3, "3"), (4, "4"), (5, "4+")])
    def test_count_members_of_a_workspace(
        self, many: Acme, globex: Acme, number: int, total: str, list_page: Callable[..., Any]
    ) -> None:
        sales = self._sales(many, *range(number))
        only = members.Filter(workspace_id=sales)
        page = list_page(many.id, by=many.owner.actor, only=only, limit=2)
        assert (f"{page.total:,}", len(page.items)) == (total, min(number, 2))
        strangers = list_page(globex.id, by=globex.owner.actor, only=only)
        assert (strangers.total, strangers.items) == (0, [])

    def _sales(self, many: Acme, *numbers: int) -> UUID:
        """Create a workspace with these members."""
        for number in numbers:
            person = next(row for row in everybody_of(many) if row.user.email == f"p{number:02d}@list.example")
            members.change(many.id, person.user_id, workspace_ids=[many.workspaces[0]], by=many.owner.actor)
        return many.workspaces[0]


def everybody_of(acme: Acme) -> list[Membership]:
    return members.list_all(acme.id, by=acme.owner.actor)


def found_by_scan(acme: Acme, fragment: str) -> set[str]:
    return {row.user.email for row in everybody_of(acme) if all(word in row.sort_name for word in fragment.split())}


@pytest.mark.parametrize("fragment", ["ab " * 2000, " ".join(map(str, range(2000))), "ana" * 20_000, "ü" * 60_000])
def test_no_search_exceeds_database_limits(fragment: str, acme: Acme) -> None:
    invite(acme, "ana@guest.example")
    assert found_members(acme, fragment) == found_invitations(acme, fragment) == found_events(acme, fragment) == set()
