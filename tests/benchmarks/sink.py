"""A mail server that accepts everything and records the times: `python -m tests.benchmarks.sink PORT [DELAY]`.

Each response is sent DELAY seconds after its request, as from a distant server.
"""

import asyncio
import sys
import time
from collections.abc import Iterator

END = b"\r\n.\r\n"
ANSWERS = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Sink(asyncio.Protocol):
    """`STAT` is its own command: the count, and the seconds from the first message to the last."""

    count, first, last = 0, 0.0, 0.0

    def __init__(self, delay: float) -> None:
        self._delay, self._read, self._is_message = delay, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._line = transport
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._read += data
        answers = b"".join(self._answers())
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self._line.write, answers)
        else:
            self._line.write(answers)

    def _answers(self) -> Iterator[bytes]:
        while (end := END if self._is_message else b"\r\n") in self._read:
            item, _, self._read = self._read.partition(end)
            verb = item[:4].upper()
            if self._is_message:
                self._note()
                yield b"250 2.0.0 fine\r\n"
            elif verb == b"STAT":
                yield f"250 {Sink.count} {Sink.last - Sink.first}\r\n".encode()
            else:
                yield ANSWERS.get(verb, b"250 2.0.0 fine\r\n")
            self._is_message = verb == b"DATA" and not self._is_message

    def _note(self) -> None:
        Sink.count, Sink.last = Sink.count + 1, time.perf_counter()
        if Sink.count == 1:
            Sink.first = Sink.last


async def main(port: int, delay: float = 0.0) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Sink(delay), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *map(float, sys.argv[2:])))
