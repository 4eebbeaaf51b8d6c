"""Rendering of message templates.

Messages that differ only in personal values share one rendered frame, and the values are inserted per recipient.
Rendering the templates for each recipient is much slower.
"""

import re
import secrets
from functools import lru_cache
from typing import Any

from flask import current_app
from jinja2 import Environment
from markupsafe import Markup, escape

PER_RECIPIENT = ("given_name", "link", "email")
PARTS = ("subject.txt", "body.txt", "body.html")

_ZERO_WIDTH_SPACE = "\u200b"
# Random, so that no text in a message can contain it.
_KEY = f"\ue000{secrets.token_hex(8)}"
# A placeholder for a personal value. `break_links` inserts a zero-width space after the dot.
_MARK = re.compile(rf"{_KEY}(\w+)\.({_ZERO_WIDTH_SPACE}?)")


def render(name: str, values: dict[str, Any]) -> tuple[str, str, str]:
    """Subject, text and HTML of the message of this name. Templates only print personal values, or ask for them."""
    shared = tuple((key, value) for key, value in values.items() if key not in PER_RECIPIENT)
    present = tuple(key for key in PER_RECIPIENT if values.get(key))
    environment = current_app.jinja_env
    frames = (_shared_parts.__wrapped__ if environment.auto_reload else _shared_parts)(
        environment, name, shared, present
    )
    subject, text, html = (_insert_values(frame, values, part) for frame, part in zip(frames, PARTS, strict=True))
    return subject, text, html


def break_links(text: str | Markup) -> str | Markup:
    """Text in which no mail client sees an address to turn into a link (filter of the mail templates)."""
    broken = re.sub(r"([.@]|:(?=//))", rf"\1{_ZERO_WIDTH_SPACE}", str(text))
    return escape(broken) if isinstance(text, Markup) else broken


@lru_cache(maxsize=64)
def _shared_parts(
    environment: Environment, name: str, shared: tuple[tuple[str, Any], ...], present: tuple[str, ...]
) -> list[list[str]]:
    """Each part, cut at the places of personal values. It does not see what pages see of the request."""
    values = {**dict(shared), **dict.fromkeys(PER_RECIPIENT, ""), **{key: f"{_KEY}{key}." for key in present}}
    return [_MARK.split(environment.get_template(f"email/{name}/{part}").render(values)) for part in PARTS]


def _insert_values(frame: list[str], values: dict[str, Any], part: str) -> str:
    """A frame is a text, then again and again: a name, the trace of `unlinked`, a text."""
    filled = [frame[0]]
    for index in range(1, len(frame), 3):
        value = values[frame[index]]
        value = break_links(value) if frame[index + 1] else value
        filled += (escape(value) if part.endswith("html") else value, frame[index + 2])
    return "".join(filled)
