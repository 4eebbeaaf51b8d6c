"""A mail server that takes everything and keeps nothing but the times: `python -m tests.benchmarks.sink PORT`."""

import asyncio
import sys
import time
from contextlib import suppress


class Sink:
    """`STAT` is its own command: the count, and the seconds from the first message to the last."""

    def __init__(self) -> None:
        self.count, self.first, self.last = 0, 0.0, 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, OSError):
            writer.write(b"220 sink ESMTP\r\n")
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    self._note()
                writer.write(self._answer(verb))
                if verb == b"QUIT":
                    break
        with suppress(OSError):
            writer.close()

    def _note(self) -> None:
        self.count, self.last = self.count + 1, time.perf_counter()
        if self.count == 1:
            self.first = self.last

    def _answer(self, verb: bytes) -> bytes:
        match verb:
            case b"EHLO":
                return b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
            case b"QUIT":
                return b"221 bye\r\n"
            case b"STAT":
                return f"250 {self.count} {self.last - self.first}\r\n".encode()
            case _:
                return b"250 2.0.0 fine\r\n"


async def main(port: int) -> None:
    server = await asyncio.start_server(Sink().serve, "127.0.0.1", port, limit=1 << 24)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
