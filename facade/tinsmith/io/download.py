"""Fetch a file by a signed URL: it goes on where it stopped, and is compared with what the server says of it.

It owns the partial file beside the target. It must not unpack, nor send anything secret: signed URLs are
fetched without a key, and never logged.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs
import orjson

from tinsmith.core.errors import APIConnectionError, APIResponseValidationError, TinkerError
from tinsmith.core.failures import error_from_status
from tinsmith.core.retry import Decision, Fault, History, OpClass, Outcome, RetryLoop, decide
from tinsmith.io.http.messages import Faulted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from tinsmith.core.config import RetryConfig
    from tinsmith.io.http.transport import Transport
    from tinsmith.io.runtime import Runtime

STALL_BYTES = 64 * 1024
"""A download that gets less than this in `STALL_S` seconds has stalled."""

STALL_S = 60.0
"""How long a download may stall before a new connection is opened, in seconds."""

SIGNATURE_ATTEMPTS = 3
"""How often in a row a new signed URL is fetched without a byte of progress."""


@contextmanager
def disk_trouble_is_named(path: Path) -> Iterator[None]:
    """Turn what the disk refuses into an error that names the path: no other try would end differently."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise TinkerError(f"cannot write {path}: {error.strerror or error}") from error


@attrs.define
class Kept:
    """What is known of the file, kept beside the partial one."""

    etag: str | None = None
    """The strong ETag of the bytes that are here; None where the server gives none."""
    total: int | None = None
    """Size of the whole file."""
    digests: dict[str, str] = attrs.field(factory=dict)
    """What the server says that the bytes hash to: algorithm and base64."""


class Download:
    """One file on its way to `part`."""

    def __init__(
        self,
        transport: Transport,
        runtime: Runtime,
        retry: RetryConfig,
        signed_url: Callable[[], Awaitable[str]],
        part: Path,
        progress: Callable[[int, int | None], object] | None,
    ) -> None:
        self._transport, self._runtime, self._retry = transport, runtime, retry
        self._signed_url = signed_url
        self._part = part
        self._notes = part.with_name(part.name + ".json")
        self._progress = progress
        self._url: str | None = None
        self._refused = 0
        self._stuck = 0
        self._error: TinkerError | None = None
        self.history = History()
        """What was known at the last decision to ask again."""
        self._kept = self._remember()

    async def run(self) -> None:
        """Fetch until the whole file is at `part` and was verified."""
        await RetryLoop(Download._attempt, Download._decide, sleep=asyncio.sleep).run(self)
        if self._error is not None:
            raise self._error
        await self._runtime.in_worker(self._verify)
        self._notes.unlink(missing_ok=True)

    async def _attempt(self) -> Outcome:
        """Fetch as much as comes; the outcome says whether it was all."""
        before = self._size()
        try:
            if self._url is None:
                self._url = await self._signed_url()
            status, headers = await self._fetch(self._url, before)
        except Faulted as faulted:
            outcome = Outcome(fault=faulted.fault)
            ended = "cannot be made" if faulted.fault is Fault.REDIRECT else "was interrupted"
            self._error = APIConnectionError(f"the download {ended}: {faulted.reason}")
        except TinkerError as error:
            self._error = error
            return Outcome(fault=Fault.CLOSED)
        else:
            outcome = Outcome(status, headers=headers)
            if status in (200, 206):
                self._error = None
        self._stuck = 0 if self._size() > before else self._stuck + 1
        return outcome

    def _decide(self, outcome: Outcome) -> Decision:
        if self._error is None:
            return Decision("done", applied="yes")
        if outcome.status in (401, 403, 404, 410) and self._refused < SIGNATURE_ATTEMPTS:
            self._refused += 1
            self._url = None  # the signature may have expired on the way
            return Decision("wait", self._retry.retry_delay_base)
        jitter = random.random()  # noqa: S311  # no secret
        self.history = History(attempt=max(self._stuck, 1), wall_now_s=time.time(), random=jitter)
        return decide(OpClass.READ, outcome, self.history, self._retry)

    async def _fetch(self, url: str, offset: int) -> tuple[int, Mapping[str, str]]:
        headers = {"Accept-Encoding": "identity"}
        if offset and self._kept.etag:
            headers |= {"Range": f"bytes={offset}-", "If-Range": self._kept.etag}
        async with self._transport.stream(url, headers) as answer:
            if answer.status not in (200, 206):
                body = b"".join([piece async for piece in answer.pieces])[:4096]
                self._error = error_from_status(answer.status, body)
                if answer.status == 416 and offset:
                    self._start_over()
                    raise Faulted(Fault.TRUNCATED, "the file at the server is another one now")
                return answer.status, answer.headers
            if not self._continues(answer.status, answer.headers, offset):
                self._start_over()
                offset = 0
            self._note(answer.status, answer.headers, offset)
            await self._store(answer.pieces, offset)
        return answer.status, answer.headers

    def _continues(self, status: int, headers: Mapping[str, str], offset: int) -> bool:
        """Say whether the answer goes on at `offset` with the bytes of the same file."""
        if status != 206:
            return False
        if not headers.get("content-range", "").startswith(f"bytes {offset}-"):
            raise APIResponseValidationError(
                message="the server answered with another range than was requested"
            )
        return headers.get("etag", self._kept.etag) == self._kept.etag

    async def _store(self, pieces: Any, offset: int) -> None:
        done, fresh = offset, 0
        loop = asyncio.get_running_loop()
        with self._sink() as sink:
            sink.seek(offset)
            try:
                async with asyncio.timeout(STALL_S) as stall:
                    async for piece in pieces:
                        with disk_trouble_is_named(self._part):
                            sink.write(piece)
                        done += len(piece)
                        fresh += len(piece)
                        if fresh >= STALL_BYTES:
                            fresh = 0
                            stall.reschedule(loop.time() + STALL_S)
                        if self._progress is not None:
                            self._progress(done, self._kept.total)
            except TimeoutError as late:
                raise Faulted(Fault.DEADLINE, "the download has stalled") from late
        if self._kept.total is not None and done != self._kept.total:
            raise Faulted(Fault.TRUNCATED, f"{done} of {self._kept.total} bytes came")

    @contextmanager
    def _sink(self) -> Iterator[BinaryIO]:
        """Open the partial file; what it holds back is written when the block ends."""
        with disk_trouble_is_named(self._part):
            sink = self._part.open("r+b" if self._part.exists() else "wb")
        try:
            yield sink
        finally:
            with disk_trouble_is_named(self._part):
                sink.close()

    def _note(self, status: int, headers: Mapping[str, str], offset: int) -> None:
        etag = headers.get("etag")
        strong = etag if etag and not etag.startswith("W/") else None
        total: int | None = None
        if status == 206:
            total = _number(headers.get("content-range", "").rpartition("/")[2])
        elif "content-length" in headers:
            total = _number(headers["content-length"])
        self._kept = Kept(strong, total, _digests(headers) or self._kept.digests)
        with disk_trouble_is_named(self._notes):
            self._notes.write_bytes(orjson.dumps(attrs.asdict(self._kept)))

    def _remember(self) -> Kept:
        try:
            return Kept(**orjson.loads(self._notes.read_bytes()))
        except (OSError, ValueError, TypeError):
            return Kept()

    def _start_over(self) -> None:
        self._part.unlink(missing_ok=True)
        self._kept = Kept()

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _verify(self) -> None:
        """Compare size and hashes; what does not agree is thrown away, so that the next try starts anew."""
        problem = ""
        if self._kept.total is not None and self._size() != self._kept.total:
            problem = f"{self._size()} of {self._kept.total} bytes are here"
        for algorithm, expected in self._kept.digests.items():
            with self._part.open("rb") as file:
                digest = hashlib.file_digest(file, algorithm).digest()
            if base64.b64encode(digest).decode() != expected:
                problem = f"its {algorithm} is not what the server says"
        if problem:
            self._start_over()
            self._notes.unlink(missing_ok=True)
            raise APIResponseValidationError(message=f"the downloaded file is damaged: {problem}")


def _digests(headers: Mapping[str, str]) -> dict[str, str]:
    """Collect the hashes of the whole file from the headers that common stores send."""
    found: dict[str, str] = {}
    for part in f"{headers.get('repr-digest', '')},{headers.get('digest', '')}".split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() in ("sha-256", "sha-512"):
            found[name.lower().replace("-", "")] = value.strip(":")
    if "x-amz-checksum-sha256" in headers:
        found["sha256"] = headers["x-amz-checksum-sha256"]
    for part in headers.get("x-goog-hash", "").split(","):
        if part.strip().startswith("md5="):
            found["md5"] = part.strip().removeprefix("md5=")
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
