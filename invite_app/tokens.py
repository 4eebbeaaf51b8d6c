"""Links that prove something by themselves: an HMAC over a row's id with the server's secret.

Nothing of a link is stored. Secrets that were in use before a rotation still verify.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from .errors import InvalidLink

MAILED, COPIED = b"m", b"c"
SIGNATURE_BYTES = 20


@dataclass(frozen=True)
class Token:
    """A token as it was presented; it means nothing until `is_genuine` said so."""

    id: UUID
    kind: bytes
    signature: bytes

    @property
    def is_copied(self) -> bool:
        return self.kind == COPIED


def invitation_token(invitation_id: UUID, nonce: bytes, *, copied: bool = False) -> str:
    """The token of an invitation's link. A link that an admin copied differs from the one in the mail."""
    return _write("invitation", invitation_id, COPIED if copied else MAILED, nonce)


def account_token(link_id: UUID) -> str:
    """The token of a sign-in or reset link."""
    return _write("account", link_id, MAILED, b"")


def setup_token() -> str:
    """What opens `/setup`; the same in every process with the same secret."""
    return _sign(_secrets()[0], "setup", b"").hex()


def is_setup_token(given: str) -> bool:
    presented = given.encode("utf-8", "surrogatepass")
    return any(hmac.compare_digest(_sign(secret, "setup", b"").hex().encode(), presented) for secret in _secrets())


def parse(token: str) -> Token:
    """The parts of a token. Raises InvalidLink when it cannot be one of ours."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise InvalidLink from None
    if len(raw) != 17 + SIGNATURE_BYTES or raw[16:17] not in (MAILED, COPIED):
        raise InvalidLink
    return Token(UUID(bytes=raw[:16]), raw[16:17], raw[17:])


def is_valid(token: Token, purpose: str, nonce: bytes = b"") -> bool:
    """Whether this server signed the token for this purpose, with its present or an earlier secret."""
    return is_signature(purpose, token.id.bytes + token.kind + nonce, token.signature)


def sign(purpose: str, message: bytes) -> bytes:
    """Sign a message with the server's present secret."""
    return _sign(_secrets()[0], purpose, message)


def is_signature(purpose: str, message: bytes, signature: bytes) -> bool:
    """Return whether this server signed the message for this purpose, with its present or an earlier secret."""
    return any(hmac.compare_digest(_sign(secret, purpose, message), signature) for secret in _secrets())


def _write(purpose: str, row_id: UUID, kind: bytes, nonce: bytes) -> str:
    signature = sign(purpose, row_id.bytes + kind + nonce)
    return base64.urlsafe_b64encode(row_id.bytes + kind + signature).decode().rstrip("=")


def _sign(secret: str, purpose: str, message: bytes) -> bytes:
    return hmac.digest(secret.encode(), f"invite_app {purpose} ".encode() + message, hashlib.sha256)[:SIGNATURE_BYTES]


def _secrets() -> list[str]:
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]
