"""Excerpts of client input, for error responses that repeat it."""

import json
from typing import Any

# Largest excerpt, in bytes.
MAX_BYTES = 1024
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def excerpt(value: Any) -> Any:
    """Return a JSON value, or its beginning as text when it is longer than MAX_BYTES.

    Strings are cut directly, other values as serialized JSON.
    """
    if isinstance(value, str):
        return _cut(value)
    if not isinstance(value, list | dict | int):
        return value
    written = ""
    for part in _ENCODER.iterencode(value):
        written += part
        if len(written) > MAX_BYTES:
            return _cut(written)
    return value if len(written.encode()) <= MAX_BYTES else _cut(written)


def _cut(text: str) -> str:
    return text[:MAX_BYTES].encode("utf-8", "surrogatepass")[:MAX_BYTES].decode("utf-8", "ignore")
