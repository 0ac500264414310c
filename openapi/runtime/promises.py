"""Waiting for promises: ask `retrieve_future` until the result is there.

    promise = forward_backward.sync(client=client, body=body)
    output = wait(client, promise, ForwardBackwardOutput, timeout_s=600)

What to do next is decided in `steps`, which neither sends nor sleeps; `wait` and `wait_async` do so.
"""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_origin

import attrs

from .errors import (
    InputError,
    InvalidBody,
    PromiseTimeoutError,
    RequestErrorCategory,
    RequestFailedError,
    TinkerError,
    first_part,
)
from .exchange import Request, decoded, read_as, read_success

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    import httpx

    from .client import Client
    from .errors import Applied
    from .exchange import Response
    from .models import UntypedAPIFuture

T = TypeVar("T")

POLL_TIMEOUT_S = 60.0
"""Seconds for which one question waits; servers hold it for 20 to 45."""
HELD_S = 1.0
"""Seconds from which a question counts as held: it is asked again at once."""
FIRST_PAUSE_S = 0.1
"""Seconds before the next question after one that was answered at once; doubled each time."""
NOT_YET_PAUSE_S = 1.0
"""Seconds that this pause grows to where the result is not there yet."""
LONGEST_PAUSE_S = 10.0
"""Seconds that it grows to where the server or the way to it fails."""
LONGEST_WAIT_S = 300.0
"""Seconds for which a server's Retry-After is believed."""
LEAST_POLL_S = 1.0
"""Seconds for which a question waits at least, also when the caller's time is nearly over."""
ASK_AGAIN = frozenset({402, 408, 425, 429})
"""Statuses after which to ask again, beside 5XX: not ready, busy, or an account that cannot pay yet."""
FAILURE_FIELDS = frozenset({"error", "category"})
"""What a failure consists of; a result may have an `error` that is null beside fields of its own."""
WORK_FAILED = frozenset({400, 409, 422})
"""Statuses by which some servers say that the work failed."""


@attrs.frozen
class Ask:
    """Ask the server, and send in its answer, or None when it was silent, or the transport's words."""

    request: Request
    """What to send."""
    timeout_s: float
    """Seconds to wait for the answer."""


@attrs.frozen
class Pause:
    """Wait before the next question."""

    seconds: float
    """For how long."""


@attrs.frozen
class _Again:
    """Not yet, or a fault that passes."""

    words: str
    """What came back."""
    longest_pause_s: float = LONGEST_PAUSE_S
    """What the pauses before the next question grow to."""
    at_least_s: float = 0.0
    """The pause that the server asks for."""


def wait(client: Client, promise: UntypedAPIFuture | str, result: type[T], *, timeout_s: float) -> T:
    """Wait for the result of a promise, which may be given by its request id, and return it as `result`.

    The text of the operation's module names that class, and `operations` does. Faults that pass are waited
    out: a connection that breaks, 408, 429, 5XX.

    Raises InputError for what is no promise or no class, before anything is sent; RequestFailedError when the
    work failed, UnexpectedStatus when the server knows no such promise (404, 410) or does not take the key,
    InvalidBody for a result of another shape, and PromiseTimeoutError after `timeout_s` seconds.
    """
    import httpx

    course = steps(promise, result, timeout_s, time.monotonic)
    heard: Response[None] | str | None = None
    try:
        while True:
            step = course.send(heard)
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                continue
            try:
                heard = client.send(step.request, timeout_s=step.timeout_s)
            except httpx.TransportError as error:
                heard = _fault(error)
            except InvalidBody as error:
                course.throw(error)
    except StopIteration as end:
        found: T = end.value
        return found


async def wait_async(
    client: Client, promise: UntypedAPIFuture | str, result: type[T], *, timeout_s: float
) -> T:
    """Do what `wait` does, in a task."""
    import asyncio

    import httpx

    course = steps(promise, result, timeout_s, time.monotonic)
    heard: Response[None] | str | None = None
    try:
        while True:
            step = course.send(heard)
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            try:
                heard = await client.send_async(step.request, timeout_s=step.timeout_s)
            except httpx.TransportError as error:
                heard = _fault(error)
            except InvalidBody as error:
                course.throw(error)
    except StopIteration as end:
        found: T = end.value
        return found


def steps(
    promise: UntypedAPIFuture | str, result: type[T], timeout_s: float, clock: Callable[[], float]
) -> Generator[Ask | Pause, Response[None] | str | None, T]:
    """Decide what to do next until the result is there; `clock` tells seconds. It asks at least once.

    Raises InputError for what is no promise or no class, before it asks; every other error names the promise,
    and says whether the work was done.
    """
    request_id = _request_id(promise)
    _check_kind(result)
    try:
        return (yield from _steps(request_id, result, timeout_s, clock))
    except TinkerError as error:
        error.adding(request_id=request_id, applied=_applied(error))
        raise


def _applied(error: TinkerError) -> Applied:
    """Say whether the work was done, where the error does not say it: there is a result, or nobody knows."""
    return "yes" if isinstance(error, InvalidBody) else "unknown"


def _steps(
    request_id: str, result: type[T], timeout_s: float, clock: Callable[[], float]
) -> Generator[Ask | Pause, Response[None] | str | None, T]:
    from .api.futures import retrieve_future
    from .models import FutureRetrieveRequest

    body = FutureRetrieveRequest(request_id=request_id)
    end_s = clock() + timeout_s
    quick = iteration = 0
    while True:
        asked_at_s = clock()
        request = retrieve_future.request(body=body, x_tinker_request_iteration=str(iteration))
        heard = yield Ask(request, min(max(end_s - asked_at_s, LEAST_POLL_S), POLL_TIMEOUT_S))
        iteration += 1
        found = _read(request_id, heard, result)
        if not isinstance(found, _Again):
            return found
        quick = 0 if clock() - asked_at_s >= HELD_S else quick + 1
        growing_s = FIRST_PAUSE_S * 2.0 ** min(quick - 1, 30) if quick else 0.0
        pause_s = max(found.at_least_s, min(growing_s, found.longest_pause_s))
        left_s = end_s - clock()
        if left_s > 0 and pause_s > 0:
            yield Pause(min(pause_s, left_s))
        if end_s <= clock():
            message = f"no result in {timeout_s:g} s; the last answer: {found.words}"
            raise PromiseTimeoutError(message, last=found.words)


def _request_id(promise: object) -> str:
    """Return the id of a promise, which may stand for it."""
    from .models import UntypedAPIFuture

    if isinstance(promise, UntypedAPIFuture):
        return promise.request_id
    if isinstance(promise, str):
        return promise
    problem = f"must be an UntypedAPIFuture or its request id, not {type(promise).__name__}"
    raise InputError(problem, field="promise")


def _check_kind(result: object) -> None:
    """Refuse what is neither a class nor a type such as a union."""
    if not isinstance(result, type) and get_origin(result) is None:
        given = repr(result) if isinstance(result, str) else type(result).__name__
        raise InputError(f"must be a class of tinsmith_api.models, not {given}", field="result")


def _read(request_id: str, heard: Response[None] | str | None, result: type[T]) -> T | _Again:
    """Say what an answer means: the result, not yet, or the error that is raised."""
    from .api.futures import retrieve_future

    if heard is None or isinstance(heard, str):
        return _Again(heard or "none", NOT_YET_PAUSE_S if heard is None else LONGEST_PAUSE_S)
    status, at_least_s = heard.status_code, _retry_after_s(heard.headers)
    if status == 408:
        return _Again(_words(heard), NOT_YET_PAUSE_S, at_least_s)
    empty = status == 400 and not heard.content.strip()  # a proxy's word, not the server's
    if status in ASK_AGAIN or status >= 500 or empty:
        return _Again(_words(heard), at_least_s=at_least_s)
    if status in WORK_FAILED:
        raise _failed(request_id, heard)
    if not 200 <= status <= 299:
        raise retrieve_future.ENDPOINT.unexpected(heard)
    return read_success(heard, lambda told: _read_result(request_id, told, result, at_least_s))


def _read_result(request_id: str, heard: Response[None], result: type[T], at_least_s: float) -> T | _Again:
    """Read the body of a success, which may also say that there is no result yet, or that the work failed."""
    from .api.futures import retrieve_future

    operation, status = retrieve_future.ENDPOINT.operation, heard.status_code
    data = decoded(operation, heard)
    fields = _fields(data)
    if fields.get("type") == "try_again" or fields.get("status") == "complete_metadata":
        # Nobody asked for the size of a result alone: asked again, the server gives the result.
        return _Again(_words(heard), NOT_YET_PAUSE_S, at_least_s)
    if "error" in fields and (fields["error"] is not None or set(fields) <= FAILURE_FIELDS):
        raise _failed(request_id, heard)
    _refuse_another(fields.get("type"), result, status)
    return read_as(operation, status, data, result)


def _words(heard: Response[None]) -> str:
    """Return status and beginning of an answer, for errors."""
    return f"{heard.status_code} {first_part(heard.struck().content)}".strip()


def _refuse_another(told: object, result: Any, status: int) -> None:
    """Raise InvalidBody for the result of another kind of call, which may look like a right one."""
    made = attrs.fields_dict(result) if attrs.has(result) else {}
    expected = made["type"].default if "type" in made else None
    if isinstance(told, str) and isinstance(expected, str) and told != expected:
        raise InvalidBody(
            f"is {told!r}, the result of another call",
            model=result.__name__,
            field="type",
            operation="retrieve_future",
            status_code=status,
        )


def _failed(request_id: str, heard: Response[None]) -> RequestFailedError:
    """Build the error that says what the server says of the failure, and whose fault it is."""
    heard = heard.struck()
    try:
        fields = _fields(json.loads(heard.content))
    except (ValueError, RecursionError):
        fields = {}
    named = (fields[name] for name in ("error", "detail", "message") if fields.get(name))
    said = next(named, "no reason given" if fields else first_part(heard.content) or "no reason given")
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    category = RequestErrorCategory(str(fields.get("category")))
    status = None if heard.status_code < 300 else heard.status_code
    return RequestFailedError(text, request_id, category, status_code=status, applied="no")


def _fields(data: Any) -> dict[str, Any]:
    """Return the fields of a JSON object; none of anything else."""
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Return how long the server asks to wait, in milliseconds, seconds or as a date; 0 where it does not."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return min(max(0.0, float(headers[name]) * unit_s), LONGEST_WAIT_S)
        except (KeyError, ValueError):
            continue
    try:
        until = parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return 0.0
    return min(max(0.0, until.timestamp() - time.time()), LONGEST_WAIT_S)


def _fault(error: httpx.TransportError) -> str | None:
    """Return what a failed question says; a server that was silent says nothing."""
    import httpx

    return None if isinstance(error, httpx.ReadTimeout) else f"{type(error).__name__}: {error}"
