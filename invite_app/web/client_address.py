"""The network address that a request comes from, in one form for rate limits, sign-ins and the audit log."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Proxies write a port behind the address, and brackets around one of version 6.
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d+)?|([^:]*):\d+")


class CleanAddress:
    """Replace `REMOTE_ADDR` by its clean form, inside of ProxyFix.

    Where a proxy forwards text that is no address, its own address counts instead. A peer without an address, such
    as one at a Unix socket, has none.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        peer: dict[str, Any] = environ.get("werkzeug.proxy_fix.orig") or {}
        address = clean(environ.get("REMOTE_ADDR")) or clean(peer.get("REMOTE_ADDR"))
        if address is None:
            environ.pop("REMOTE_ADDR", None)
        else:
            environ["REMOTE_ADDR"] = address
        return self._app(environ, start_response)


def clean(text: str | None) -> str | None:
    """Return the address without port, brackets and zone, or None when the text holds no address."""
    host = (text or "").strip()
    if found := _WITH_PORT.fullmatch(host):
        host = found[1] or found[2] or ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)
