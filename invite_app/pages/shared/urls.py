"""Addresses that a request brings along and that the answer may lead to."""

from urllib.parse import urlsplit

from flask import url_for


def local_path(text: str | None) -> str | None:
    """The path (with query) when it leads to this server in every browser's reading, else None.

    Browsers take a backslash for a slash and skip tabs and line breaks, so neither may occur.
    """
    if not text or not text.startswith("/") or text.startswith("//"):
        return None
    if "\\" in text or any(ord(char) <= 0x20 or ord(char) == 0x7F for char in text):
        return None
    parts = urlsplit(text)
    return None if parts.scheme or parts.netloc else text


def local_path_or_home(text: str | None) -> str:
    return local_path(text) or url_for("pages.home")
