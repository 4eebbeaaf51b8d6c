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

# A copied link names the member or API key that copied it; without a name, the operator copied it.
MAILED, COPIED, COPIED_BY_USER, COPIED_BY_KEY = b"m", b"c", b"p", b"k"
COPIER_BYTES = {MAILED: 0, COPIED: 0, COPIED_BY_USER: 16, COPIED_BY_KEY: 16}
SIGNATURE_BYTES = 20


@dataclass(frozen=True)
class Token:
    """A token as it was presented; it means nothing until `is_genuine` said so."""

    id: UUID
    kind: bytes
    signature: bytes
    copier_id: UUID | None = None

    @property
    def is_copied(self) -> bool:
        return self.kind != MAILED


def invitation_token(invitation_id: UUID, nonce: bytes) -> str:
    """Return the token of an invitation's mailed link."""
    return _write("invitation", invitation_id, MAILED, nonce)


def copied_token(invitation_id: UUID, nonce: bytes, kind: bytes = COPIED, copier_id: UUID | None = None) -> str:
    """Return the token of an invitation's copied link; `kind` says whether `copier_id` is a person or an API key."""
    return _write("invitation", invitation_id, kind, nonce, copier_id)


def account_token(link_id: UUID) -> str:
    """The token of a sign-in or reset link."""
    return _write("account", link_id, MAILED, b"")


def setup_token() -> str:
    """Return the token of `/setup`, the same in every process with the same secret."""
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
    kind = raw[16:17]
    if kind not in COPIER_BYTES or len(raw) != 17 + COPIER_BYTES[kind] + SIGNATURE_BYTES:
        raise InvalidLink
    copier, signature = raw[17:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    return Token(UUID(bytes=raw[:16]), kind, signature, UUID(bytes=copier) if copier else None)


def is_valid(token: Token, purpose: str, nonce: bytes = b"") -> bool:
    """Return whether this server signed the token for this purpose, with its current or an earlier secret."""
    return is_signature(purpose, _head(token.id, token.kind, token.copier_id) + nonce, token.signature)


def sign(purpose: str, message: bytes) -> bytes:
    """Sign a message with the server's present secret."""
    return _sign(_secrets()[0], purpose, message)


def is_signature(purpose: str, message: bytes, signature: bytes) -> bool:
    """Return whether this server signed the message for this purpose, with its present or an earlier secret."""
    return any(hmac.compare_digest(_sign(secret, purpose, message), signature) for secret in _secrets())


def _write(purpose: str, row_id: UUID, kind: bytes, nonce: bytes, copier_id: UUID | None = None) -> str:
    head = _head(row_id, kind, copier_id)
    return base64.urlsafe_b64encode(head + sign(purpose, head + nonce)).decode().rstrip("=")


def _head(row_id: UUID, kind: bytes, copier_id: UUID | None) -> bytes:
    return row_id.bytes + kind + (copier_id.bytes if copier_id else b"")


def _sign(secret: str, purpose: str, message: bytes) -> bytes:
    return hmac.digest(secret.encode(), f"invite_app {purpose} ".encode() + message, hashlib.sha256)[:SIGNATURE_BYTES]


def _secrets() -> list[str]:
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]
