"""Server-sent events, read from bytes in whichever pieces they come (WHATWG HTML, 9.2.6).

Owns the parser and its limit. It is our own since the known one for httpx reads from an httpx response alone,
and keeps a line without an end for ever.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from tinsmith.core.errors import APIResponseValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EVENT_BYTES = 16 * 1024**2
"""Largest event that is read; a real one has a few tokens."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@attrs.frozen
class ServerEvent:
    """One event of a stream."""

    name: str
    """What the server calls it; `message` where it has no name."""
    data: str = attrs.field(repr=False)
    """Its data lines, joined by line breaks."""


class EventParser:
    """Turns the bytes of a stream into its events.

    Comments, ids and retry times are left out; an event that is cut off at the end of the stream is none.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._name = b""
        self._data: list[bytes] = []
        self._size_bytes = 0
        self._is_first = True

    def feed(self, piece: bytes) -> Iterator[ServerEvent]:
        """Yield the events that end in a piece; APIResponseValidationError for one that is too large."""
        whole = self._rest + piece
        # A carriage return at the end may be half of a line's end.
        ends = [end for end in _LINE_END.finditer(whole) if end.group() != b"\r" or end.end() < len(whole)]
        start = 0
        for end in ends:
            line, start = whole[start : end.start()], end.end()
            event = self._take(line)
            if event is not None:
                yield event
        self._rest = whole[start:]
        self._check(len(self._rest))

    def _take(self, line: bytes) -> ServerEvent | None:
        """Take one line; an empty one ends an event."""
        if self._is_first:
            self._is_first, line = False, line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._size_bytes += len(value) + 1
            self._check(0)
            self._data.append(value)
        elif field == b"event":
            self._name = value
        return None

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._size_bytes = b"", [], 0
        if not data:
            return None
        text = b"\n".join(data).decode("utf-8", "replace")
        return ServerEvent(name.decode("utf-8", "replace") or "message", text)

    def _check(self, more_bytes: int) -> None:
        if self._size_bytes + more_bytes > MAX_EVENT_BYTES:
            raise APIResponseValidationError(
                message=f"an event of the stream is larger than {MAX_EVENT_BYTES} bytes"
            )
