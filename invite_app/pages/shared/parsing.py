"""Reading what people type into a line or an area of text."""

from collections.abc import Callable
from typing import Any

from wtforms import ValidationError

from invite_app.errors import DomainError
from invite_app.services import organizations

from .fields import PageForm

MAX_DIGITS = 9


class EachLineValid:
    """A validator that asks a rule of the services about every line that is not empty."""

    def __init__(self, rule: Callable[[str], object]) -> None:
        self._rule = rule

    def __call__(self, form: PageForm, field: Any) -> None:
        try:
            for line in split_lines(field.data):
                self._rule(line)
        except DomainError as error:
            raise ValidationError(str(error)) from None


def split_lines(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def parse_int(text: str | None) -> int:
    """The number, with or without commas; 0, which nothing here allows, when it is none."""
    digits = (text or "").strip().replace(",", "")
    return int(digits) if digits.isdecimal() and len(digits) <= MAX_DIGITS else 0


def seat_limit(text: str | None) -> int | None:
    """No text means no limit. Raises InvalidSetting."""
    return organizations.validate_seat_limit(parse_int(text) if text and text.strip() else None)
