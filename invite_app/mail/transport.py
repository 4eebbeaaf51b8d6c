"""Mail transports."""

from dataclasses import dataclass
from typing import Protocol

from flask import current_app

from .messages import MailMessage


@dataclass(frozen=True)
class Receipt:
    """A mail server has taken responsibility for the message."""

    host: str
    answer: str


class NotSent(Exception):
    """The message was not taken; it may be tried again."""


class AddressRefused(NotSent):
    """The mail server says for good that there is no such mailbox."""


class Transport(Protocol):
    is_local: bool

    def send(self, message: MailMessage) -> Receipt:
        """Raises AddressRefused and NotSent."""
        ...


class LocalOutbox:
    """Without a mail server, a message's row is all there is: `/outbox` shows it to admins."""

    is_local = True

    def send(self, message: MailMessage) -> Receipt:
        return Receipt("local outbox", "kept")


def transport() -> Transport:
    """The transport of this application."""
    chosen: Transport = current_app.extensions["invite_app.transport"]
    return chosen
