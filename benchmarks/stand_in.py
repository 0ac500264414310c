"""A server of as little work as can be, for benchmarks: of a request it parses the head alone.

Owns connections and the routes that every client asks before it comes to the point; run as a script, it has
no others.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import orjson

if TYPE_CHECKING:
    import ssl

PROTOBUF = "application/x-protobuf"
JSON = "application/json"

SETUP = {
    "client/config": {},
    "client/dynamic_config": {},
    "get_server_capabilities": {"supported_models": [{"model_name": "a/b"}]},
    "create_session": {"type": "create_session", "session_id": "s"},
    "create_sampling_session": {"type": "create_sampling_session", "sampling_session_id": "s:sample:0"},
    "create_model": {"request_id": "model"},
    "get_info": {"type": "get_info", "model_data": {"model_name": "a/b"}, "model_id": "s:train:0"},
}
"""What is answered on the way to the work."""

MODEL = orjson.dumps({"type": "create_model", "model_id": "s:train:0"})
"""The result of the promise `model`."""

Reply = Callable[..., None]
"""Sends an answer: body, content type, status."""


class Long(NamedTuple):
    """A body that is sent piece by piece."""

    size_bytes: int
    """Its length."""
    pieces: Iterator[bytes]
    """Its bytes."""


Answer = Callable[[str, dict[str, str], bytes, Reply], None]
"""What a benchmark does with a request: route, headers, body, and how to reply, now or later."""


class Connection(asyncio.Protocol):
    """One connection: requests by Content-Length or in chunks, one after another."""

    def __init__(self, answer: Answer, seen: dict[str, float]) -> None:
        self.answer = answer
        self.seen = seen
        self.kept = bytearray()
        self.pieces: Iterator[bytes] = iter(())
        self.is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.seen["connections"] = self.seen.get("connections", 0) + 1

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self.kept += data
        while (end := self.kept.find(b"\r\n\r\n")) >= 0:
            head = self.kept[:end].decode("latin-1").split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in head[1:])
            stop = end + 4 + int(fields.get("content-length", 0))
            if "transfer-encoding" in fields:
                last = self.kept.find(b"\r\n0\r\n\r\n", end + 2)
                stop = last + 7 if last >= 0 else sys.maxsize
            if len(self.kept) < stop:
                return
            body = bytes(self.kept[end + 4 : stop])
            del self.kept[:stop]
            self.seen["requests"] = self.seen.get("requests", 0) + 1
            route = head[0].split(" ")[1].partition("/api/v1/")[2]
            if route in SETUP:
                self.reply(orjson.dumps(SETUP[route]))
            else:
                self.answer(route, fields, body, self.reply)

    def reply(self, body: bytes | Long, kind: str = JSON, status: int = 200) -> None:
        """Send an answer, unless the client has gone; a long one goes out as fast as it is taken."""
        if self.transport.is_closing():
            return
        if isinstance(body, Long):
            length, rest, self.pieces = body.size_bytes, b"", body.pieces
        else:
            length, rest = len(body), body
        head = f"HTTP/1.1 {status} -\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n"
        self.transport.write(head.encode() + rest)
        self.send_pieces()

    def send_pieces(self) -> None:
        """Send what is left of a long answer, until the other end has enough for now."""
        while not (self.is_full or self.transport.is_closing()):
            piece = next(self.pieces, None)
            if piece is None:
                return
            self.transport.write(piece)

    def pause_writing(self) -> None:
        """Wait with further pieces."""
        self.is_full = True

    def resume_writing(self) -> None:
        """Go on with the pieces."""
        self.is_full = False
        self.send_pieces()


async def serve(answer: Answer, seen: dict[str, float], tls: ssl.SSLContext | None = None) -> None:
    """Serve on loopback until standard input closes; print the port first, then what was seen as JSON."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(answer, seen), "127.0.0.1", 0, backlog=4096, ssl=tls)
    await until_closed(server, seen)


async def until_closed(server: asyncio.Server, seen: dict[str, float]) -> None:
    """Print the port, wait until standard input closes, and print what was seen and the CPU seconds since."""
    print(server.sockets[0].getsockname()[1], flush=True)
    begun_s = time.process_time()
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(seen | {"cpu_s": time.process_time() - begun_s}), flush=True)


def _nothing(_route: str, _fields: dict[str, str], _body: bytes, reply: Reply) -> None:
    reply(b"{}")


if __name__ == "__main__":
    asyncio.run(serve(_nothing, {}))
