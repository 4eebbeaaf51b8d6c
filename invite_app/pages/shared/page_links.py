"""The addresses of the pages beside a page of a list."""

from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from invite_app.services.pagination import Page


@dataclass(frozen=True)
class Links:
    total: int
    back: str | None
    next: str | None


def links(page: Page[Any], **filters: Any) -> Links:
    """`filters` are what the list is narrowed by; they stay in the addresses."""

    def at(cursor: str | None) -> str | None:
        return url_for(request.endpoint or "", **filters, cursor=cursor) if cursor else None

    return Links(page.total, back=at(page.previous), next=at(page.next))
