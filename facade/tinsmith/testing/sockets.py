"""The service of a test behind a real socket on loopback, with real resets, cut answers and silence."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self

from tinsmith.core.retry import Fault
from tinsmith.io.http.messages import Answer, Faulted, Seen

if TYPE_CHECKING:
    import ssl

    from tinsmith.testing.ledger_service import LedgerService

DRIP_S = 0.05
"""Seconds between two bytes of an answer that drips."""

SLOW_READ_BYTES = 64 * 1024
"""Bytes that are read at once where `bytes_per_s` limits the speed."""


class RawAnswer(Exception):  # noqa: N818  # a rule raises it to have bytes sent that are no answer
    """Bytes that are sent as they are, whereupon the connection ends."""

    def __init__(self, sent: bytes) -> None:
        super().__init__(f"{len(sent)} bytes")
        self.sent = sent


class CutAnswer(RawAnswer):
    """An answer that ends after some bytes of its body."""

    def __init__(self, answer: Answer, after_bytes: int) -> None:
        super().__init__(_head(answer) + answer.body[:after_bytes])


class SocketServer:
    """A `LedgerService` at an address; use it as a context manager."""

    def __init__(
        self,
        service: LedgerService,
        *,
        drip_s: float = DRIP_S,
        tls: ssl.SSLContext | None = None,
        bytes_per_s: float | None = None,
    ) -> None:
        self.service = service
        """What answers."""
        self._drip_s = drip_s
        self._tls = tls
        self._bytes_per_s = bytes_per_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-server", daemon=True)
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        """Where it listens."""
        self.connections = 0
        """How many connections were opened."""

    @property
    def url(self) -> str:
        """The base URL."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def stop(self) -> None:
        """Stop listening and end every connection, as a killed server does."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()

    def start_again(self) -> None:
        """Listen at the same address again."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        for writer in list(self._open):
            _reset(writer)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            self._tasks.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; False when the connection is not to be used again."""
        seen = await _read(reader, self._bytes_per_s)
        try:
            answer = await self.service.answer(seen, drips=False)
        except RawAnswer as raw:
            writer.write(raw.sent)
            await writer.drain()
            return False
        except Faulted as faulted:
            if faulted.fault is Fault.TRUNCATED:
                writer.write(_head(Answer(200, {}, b"x" * 100)) + b"{")
                await writer.drain()
                writer.close()
            elif faulted.fault is Fault.DEADLINE:
                await self._drip(writer)
            else:
                _reset(writer)
            return False
        writer.write(_head(answer) + answer.body)
        await writer.drain()
        return True

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        writer.write(_head(Answer(200, {}, b"x" * 1_000_000)))
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(self._drip_s)


async def _read(reader: asyncio.StreamReader, bytes_per_s: float | None) -> Seen:
    """Read one request; its body no faster than `bytes_per_s`, as over a slow network."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    lower = {name.lower(): value for name, value in headers.items()}
    left = int(lower.get("content-length", "0"))
    pieces = []
    while left:
        piece = await reader.read(min(left, SLOW_READ_BYTES if bytes_per_s else left))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        pieces.append(piece)
        left -= len(piece)
        if bytes_per_s:
            await asyncio.sleep(len(piece) / bytes_per_s)
    return Seen(method, target.lstrip("/"), lower, b"".join(pieces))


def _head(answer: Answer) -> bytes:
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    lines = [f"HTTP/1.1 {answer.status} Reason", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST, as a machine that went away does."""
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() != -1:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
