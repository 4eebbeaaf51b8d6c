"""A connection to a database that counts round trips."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

# Seconds that a response is delayed: data sent in the meantime did not wait for it.
DISTANCE = 0.004


class CountingWire(socketserver.ThreadingTCPServer):
    """Forwards all data; `trips` counts how often a client sent after the server had."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        parts = urlsplit(url)
        self.behind = (parts.hostname, parts.port)
        ours = parts.netloc.replace(f":{parts.port}", f":{self.server_address[1]}")
        self.url = parts._replace(netloc=ours).geturl()
        self.trips = 0


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire: Any = self.server
        self.is_answered = True
        with socket.create_connection(wire.behind) as server:
            back = threading.Thread(target=self._answer, args=(server,), daemon=True)
            back.start()
            while sent := self.request.recv(65536):
                wire.trips += self.is_answered
                self.is_answered = False
                server.sendall(sent)
            server.shutdown(socket.SHUT_RDWR)
            back.join()

    def _answer(self, server: socket.socket) -> None:
        with suppress(OSError):  # the client may be gone
            while sent := server.recv(65536):
                time.sleep(DISTANCE)
                self.is_answered = True
                self.request.sendall(sent)


@contextmanager
def counting_wire(url: str) -> Iterator[CountingWire]:
    with CountingWire(url) as wire:
        thread = threading.Thread(target=wire.serve_forever, daemon=True)
        thread.start()
        yield wire
        wire.shutdown()
        thread.join()
