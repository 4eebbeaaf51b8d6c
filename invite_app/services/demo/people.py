"""Names for the demo organization: common given and family names of many places, put together at random."""

import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

GIVEN = [
    "Ada",
    "Bo",
    "Chidi",
    "Grace",
    "Hana",
    "Ibrahim",
    "Karl",
    "Mei",
    "Priya",
    "Tomás",
    "Jonas",
    "Ana",
    "Ruth",
    "Dmitri",
    "Sofia",
    "Lena",
    "Paul",
    "Yusuf",
    "Amara",
    "Oskar",
    "Ingrid",
    "Mateo",
    "Leila",
    "Kofi",
    "Nadia",
    "Emil",
    "Freya",
    "Hiro",
    "Zainab",
    "Marek",
    "Elif",
    "Joao",
    "Noor",
    "Astrid",
    "Tariq",
    "Camille",
    "Samir",
    "Anneli",
    "Rafael",
    "Wanjiru",
    "Petra",
    "Luca",
    "Fatima",
    "Anders",
    "Chloé",
    "Vikram",
    "Solveig",
    "Thabo",
    "Irena",
    "Nikos",
]
FAMILY = [
    "Lindqvist",
    "Ek",
    "Okonkwo",
    "Mwangi",
    "Novák",
    "Diallo",
    "Meier",
    "Tanaka",
    "Raman",
    "Herrera",
    "Vogt",
    "Sousa",
    "Okafor",
    "Volkov",
    "Rossi",
    "Fischer",
    "Adeyemi",
    "Karlsson",
    "Haddad",
    "Mensah",
    "Petrov",
    "Larsen",
    "Yamamoto",
    "Bello",
    "Kowalski",
    "Yilmaz",
    "Pereira",
    "Rahman",
    "Berg",
    "Aziz",
    "Laurent",
    "Nasser",
    "Saari",
    "Costa",
    "Kamau",
    "Horvat",
    "Bianchi",
    "Hassan",
    "Nyberg",
    "Dubois",
    "Iyer",
    "Dahl",
    "Mokoena",
    "Popescu",
    "Papadakis",
    "Konstantinopoulou-Vandenberg",
]


@dataclass(frozen=True)
class Person:
    given_name: str
    family_name: str
    email: str


OWNER = Person("Ada", "Lindqvist", "ada.lindqvist@northwind.example")


def people(source: random.Random) -> Iterator[Person]:
    """Different people, without end; the first is the demo's owner."""
    yield OWNER
    pairs = [(given, family) for given in GIVEN for family in FAMILY if given != OWNER.given_name]
    source.shuffle(pairs)
    for number, (given, family) in enumerate(pairs):
        domain = "contractor.example" if number % 9 == 8 else "northwind.example"
        yield Person(given, family, f"{_ascii(given)}.{_ascii(family)}@{domain}")


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z-]", "", plain.lower())
