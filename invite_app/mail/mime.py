"""Serialization of a message: headers, and text and HTML as alternatives.

Python's `email.generator` is much slower and would dominate the cost of sending.
"""

import re
from binascii import b2a_qp
from email.header import Header
from email.utils import formatdate
from functools import lru_cache

from uuid_utils import uuid4

from .messages import MailMessage

# In characters; mail servers accept up to 998.
LONGEST_LINE = 900

_CONTENT_TYPE = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n\r\n"
_PLAIN = re.compile(r"[ -~]*")


def compose(message: MailMessage, sender: tuple[str, str]) -> bytes:
    """The message, from a sender of this name and address. Raises ValueError when a header would end early."""
    name, address = sender
    boundary = f"=_{uuid4().hex}"  # which nobody who wrote a part of the message can have known
    headers = {
        "Subject": _worded(message.subject),
        "From": f"{_encoded(message.sender_name or name)} <{address}>".lstrip(),
        "To": message.to,
        "Reply-To": message.reply_to,
        "Date": formatdate(),
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    head = "".join(f"{name}: {_one_header(value)}\r\n" for name, value in headers.items() if value)
    mark = f"\r\n--{boundary}".encode()
    parts = (_part("plain", message.text), _part("html", message.html))
    return b"".join((head.encode(), *(mark + b"\r\n" + part for part in parts), mark, b"--\r\n"))


def _part(kind: str, text: str) -> bytes:
    lines = text.split("\n")
    content = "\r\n".join(lines).encode()
    if text.isascii() and max(map(len, lines)) <= LONGEST_LINE:
        return _CONTENT_TYPE.format(kind, "7bit").encode() + content
    return _CONTENT_TYPE.format(kind, "quoted-printable").encode() + b2a_qp(content)


def _worded(text: str) -> str:
    """Left alone only when no mail client could read it as something encoded."""
    return text if _PLAIN.fullmatch(text) and "=?" not in text else _encoded(text)


@lru_cache(maxsize=1024)  # the names of organizations, again and again
def _encoded(text: str) -> str:
    """Encoded whole, so that no part of a name can be read as an address."""
    return Header(text, "utf-8").encode(linesep="\r\n") if text else ""


def _one_header(value: str) -> str:
    if not _PLAIN.fullmatch(value.replace("\r\n ", "")):
        raise ValueError("a header of one line")
    return value
