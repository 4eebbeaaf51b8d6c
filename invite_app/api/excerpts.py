"""Excerpts of what a caller sent, for answers that repeat it."""

import json
from typing import Any

# Bytes of a value that an answer repeats.
MAX_BYTES = 1024
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def excerpt(value: Any) -> Any:
    """Return a value of JSON, or its beginning as text when it is longer than MAX_BYTES.

    A string is cut as it is, anything else as the JSON it came in.
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
