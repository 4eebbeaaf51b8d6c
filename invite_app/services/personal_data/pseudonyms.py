"""Pseudonyms that replace erased persons in records that must be kept."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from invite_app.models import AuditEvent

# Free text in the audit log that may name the person it is addressed to.
FREE_TEXT = ("note", "word")


@dataclass(frozen=True)
class ErasedPerson:
    """All that names a person, and the pseudonym for it. Nothing leads from the pseudonym back to the person."""

    id: UUID
    name: str
    addresses: Sequence[str]
    keys: Mapping[UUID, str]
    mark: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def pseudonym(self) -> str:
        return f"Deleted user {self.mark}"

    @property
    def address(self) -> str:
        """An address that no mail can reach."""
        return f"deleted-user-{self.mark}@deleted.invalid"

    @property
    def written_names(self) -> set[str]:
        """Return the name as a JSON string, as each of the databases writes it."""
        return {json.dumps(self.name), json.dumps(self.name, ensure_ascii=False)}

    def replace_in(self, value: Any) -> Any:
        """Return the value with the pseudonym instead of the person, in all its strings."""
        match value:
            case dict():
                return {name: self.replace_in(one) for name, one in value.items()}
            case list():
                return [self.replace_in(one) for one in value]
            case str():
                return self.pseudonym if value == self.name else self._without_addresses(value)
        return value

    def replaced_event(self, event: AuditEvent, *, is_about_them: bool) -> dict[str, Any]:
        """Return the columns of an event without the person. `is_about_them`: its target is the person or an
        invitation to them.
        """
        is_actor = event.actor_id == self.id or event.actor_id in self.keys
        is_actor = is_actor or (event.actor_kind == "invitee" and is_about_them)
        names_target = event.target_id == self.id or event.target_name in self.addresses
        sides = {"before": event.before, "after": event.after}
        if is_about_them:
            sides = {name: _without_free_text(side) for name, side in sides.items()}
        return {
            "id": event.id,
            "actor_name": self._actor_name(event) if is_actor else event.actor_name,
            "ip": None if is_actor else event.ip,
            "target_name": self.address if names_target else event.target_name,
            **{name: self.replace_in(side) for name, side in sides.items()},
        }

    def _actor_name(self, event: AuditEvent) -> str:
        key = self.keys.get(event.actor_id) if event.actor_id else None
        return self.pseudonym if key is None else f"{key} ({self.pseudonym})"[:254]

    def _without_addresses(self, text: str) -> str:
        found = "|".join(map(re.escape, self.addresses))
        return re.sub(found, self.address, text, flags=re.IGNORECASE)


def _without_free_text(side: Mapping[str, Any]) -> dict[str, Any]:
    return {name: "" if name in FREE_TEXT else value for name, value in side.items()}
