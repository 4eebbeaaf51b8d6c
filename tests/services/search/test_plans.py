"""Every search plan finds the members that a full scan finds, for any names and search terms."""

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from invite_app.models import Membership
from invite_app.models.types import casefolded
from invite_app.services import members, search, validation
from invite_app.services.search import list_plan
from tests.services.search.test_search import add_many, everybody_of
from tests.support.factories import Acme, make_member

NAMES = (
    *("Ana", "An", "Ana ana", "Straße", "İstanbul", "\N{LATIN SMALL LIGATURE FI}n", "ΣΊΣΥΦΟΣ", "𐐀𐐁𐐂", "王小明"),
    *("O'Brien", "O\N{ACUTE ACCENT}Brien", "Zoe\N{COMBINING DIAERESIS}", "Zoë", "x\N{IDEOGRAPHIC SPACE}y", "½"),
    *("50%_x", "%%%", "___", "a/b", "//", "\\", "\\u0000", 'q"uo"te', '{"a":1}', "ab*", "NOT", "(x", "-an", "😀😀"),
    *("@ana", "a@@b", "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}", "x" * 100),
)
ODD = ("", " ", "\0an", "an\0a", "\ud800ab", "ana" * 90, "王" * 254, "@", "@@@", "@gue", "%" * 300, "ana ANA an a x")
LIMIT = 20


@pytest.fixture(params=[(3, 1, 5, 4), (20, 5, 10, 30)], ids=["many", "some"])
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the limits that decide which plan is used."""
    for name, number in zip(("INDEX_LIMIT", "SMALL_RESULT", "SCAN_WINDOW", "COUNT_CAP"), request.param, strict=True):
        monkeypatch.setattr(list_plan, name, number)
        monkeypatch.setattr(f"invite_app.services.search.{name}", number, raising=False)


@pytest.fixture
def crowd(acme: Acme, globex: Acme) -> Sequence[Membership]:
    """Create members; half of them are in SQLite's index, half wait for it."""
    for number, name in enumerate(NAMES):
        if number == len(NAMES) // 2:
            add_many(acme)
        for organization in (acme, globex):
            address = f"ana{number}@{organization.name.lower()}.example"
            make_member(organization, address, given_name=name, family_name=NAMES[-number])
    return everybody_of(acme)


@pytest.mark.usefixtures("look")
@pytest.mark.parametrize("list_page", [members.list_page, members.list_rows], ids=["objects", "lines"])
def test_every_plan_finds_the_same_members(
    acme: Acme, crowd: Sequence[Membership], list_page: Callable[..., Any]
) -> None:
    for fragment in (*ODD, *fragments(crowd)):
        wanted = [row.id for row in crowd if is_meant(fragment, row)]
        only = members.Filter(fragment=fragment)
        pages = [list_page(acme.id, by=acme.owner.actor, only=only, limit=LIMIT)]
        while cursor := pages[-1].next:
            pages.append(list_page(acme.id, by=acme.owner.actor, only=only, limit=LIMIT, cursor=cursor))
        assert [row.id for page in pages for row in page.items] == wanted, fragment
        if fragment:
            expected = {(min(len(wanted), search.COUNT_CAP), len(wanted) <= search.COUNT_CAP)}
            assert {(int(page.total), page.is_total_exact) for page in pages} == expected, fragment
        for before, page in pairwise(pages):
            back = list_page(acme.id, by=acme.owner.actor, only=only, limit=LIMIT, cursor=page.previous)
            assert [row.id for row in back.items] == [row.id for row in before.items], fragment


def fragments(crowd: Sequence[Membership]) -> list[str]:
    """Return names and typical searches for them: parts of words, in another order and case."""
    chance, found = random.Random(7), [*NAMES]
    for row in chance.sample(list(crowd), 12):
        words = f"{row.user.given_name} {row.user.family_name} {row.user.email}".split()
        parts = [word[chance.randrange(3) :][: chance.randint(1, 15)] for word in words]
        found.append(" ".join(chance.sample(parts, chance.randint(1, len(parts)))).upper())
    return found


def is_meant(fragment: str, row: Membership) -> bool:
    words = validation.words(casefolded(fragment))
    return all((word if len(word) >= 3 else f" {word}") in f" {row.sort_name}" for word in words)
