"""Waiting for promises: what an answer means, how pauses grow, and the deadline, on a clock of the test."""

from __future__ import annotations

import asyncio
import json
import pickle
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import tinsmith
from tinsmith_api import AuthenticatedClient, models, promises, wait, wait_async
from tinsmith_api.errors import (
    InputError,
    InvalidBody,
    PromiseTimeoutError,
    RequestFailedError,
    TinkerError,
    UnexpectedStatus,
)
from tinsmith_api.exchange import Response
from tinsmith_api.promises import Ask, Pause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SAVED = {"path": "tinker://s:train:0/weights/a", "type": "save_weights"}
NOT_YET = {"type": "try_again", "request_id": "p", "queue_state": "active"}


def answer(status: int = 200, body: Any = None, **headers: str) -> Response[None]:
    """Make an answer; a body of bytes goes as it is."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(
        status, content, httpx.Headers({k.replace("_", "-"): v for k, v in headers.items()}), None
    )


class Course:
    """A course of questions on a clock that only pauses and held questions move."""

    def __init__(self, answers: Iterable[Response[None] | str | None], *, held_s: float = 0.0) -> None:
        self.answers = iter(answers)
        self.held_s = held_s
        self.now_s = 0.0
        self.asked: list[Ask] = []
        self.pauses: list[float] = []

    def run(self, timeout_s: float = 1000.0) -> models.SaveWeightsResponse:
        """Run to the end."""
        course = promises.steps("p", models.SaveWeightsResponse, timeout_s, lambda: self.now_s)
        heard: Response[None] | str | None = None
        try:
            while True:
                step = course.send(heard)
                if isinstance(step, Pause):
                    self.pauses.append(step.seconds)
                    self.now_s += step.seconds
                else:
                    self.asked.append(step)
                    self.now_s += self.held_s
                    heard = next(self.answers)
        except StopIteration as end:
            found: models.SaveWeightsResponse = end.value
            return found


AGAIN = {
    "408": answer(408, {"detail": "Timeout waiting for result"}),
    "408 without a body": answer(408, b""),
    "try_again": answer(200, NOT_YET),
    "201 try_again": answer(201, NOT_YET),
    "silence": None,
    "connection lost": "ConnectError: refused",
    "402": answer(402, {"detail": "cannot pay"}),
    "425": answer(425, {"detail": "still being written"}),
    "429": answer(429, {"detail": "too many"}),
    "500": answer(500, {"detail": "oops"}),
    "proxy's page": answer(502, b"<html>Bad Gateway"),
    "520": answer(520, b""),
    "400 of a proxy": answer(400, b" "),
}


@pytest.mark.parametrize("name", AGAIN)
def test_asked_again(name: str) -> None:
    """What is not the end is asked again, with the number of the question."""
    course = Course([AGAIN[name], AGAIN[name], answer(200, SAVED)])
    assert course.run().path == SAVED["path"]
    assert [ask.request.headers["X-Tinker-Request-Iteration"] for ask in course.asked] == ["0", "1", "2"]
    assert {ask.request.json()["request_id"] for ask in course.asked} == {"p"}


FAILED = {
    "error": (answer(200, {"error": "loss is not finite", "category": "user"}), "loss is not finite", "user"),
    "error with more": (answer(200, {"error": "diverged", "model_id": "m"}), "diverged", "unknown"),
    "error without a word": (answer(200, {"error": None}), "no reason given", "unknown"),
    "error alone": (answer(200, {"error": "gone wrong"}), "gone wrong", "unknown"),
    "400": (answer(400, {"detail": "bad rank", "category": "user"}), "bad rank", "user"),
    "422 as a list": (answer(422, {"detail": [{"msg": "bad"}]}), '[{"msg": "bad"}]', "unknown"),
    "409": (answer(409, {"detail": "taken"}), "taken", "unknown"),
    "400 as a page": (answer(400, b"<html>no"), "<html>no", "unknown"),
}


@pytest.mark.parametrize("name", FAILED)
def test_failure_is_an_error_with_its_text(name: str) -> None:
    """Work that failed raises what the server says of it, and whose fault it is."""
    given, reason, category = FAILED[name]
    with pytest.raises(RequestFailedError) as caught:
        Course([given]).run()
    error = caught.value
    assert (error.request_id, error.message, error.category) == ("p", reason, category)
    assert "request=p" in str(error)
    assert type(error) is tinsmith.RequestFailedError


@pytest.mark.parametrize("status", [401, 403, 404, 410, 418])
def test_refusal_is_an_unexpected_status(status: int) -> None:
    """An unknown promise, or a key that is not taken, raises with the ErrorBody."""
    with pytest.raises(UnexpectedStatus, match=f"retrieve_future.*{status}.*nobody") as caught:
        Course([answer(status, {"detail": "nobody knows it"})]).run()
    assert isinstance(caught.value.parsed, models.ErrorBody)


@pytest.mark.parametrize(
    ("given", "applied"),
    [
        (answer(401, {"detail": "no"}), "unknown"),
        (answer(404, {"detail": "no"}), "unknown"),
        (answer(200, {"path": 3}), "yes"),
        (answer(200, b"<html>"), "yes"),
        (answer(200, {"type": "optim_step"}), "yes"),
    ],
)
def test_every_error_names_the_promise_and_says_what_became_of_it(given: Any, applied: str) -> None:
    """A result that cannot be read is there all the same; of the others nobody knows."""
    with pytest.raises(TinkerError) as caught:
        Course([given]).run()
    assert (caught.value.request_id, caught.value.applied) == ("p", applied)


def test_a_result_that_cannot_be_unpacked_is_an_error_of_ours() -> None:
    """From threads and tasks, with the promise's id; an error that cannot be unpacked is asked again."""
    packed = httpx.Headers({"Content-Encoding": "gzip"})
    statuses = [503, 200, 503, 200]

    def said(_: httpx.Request) -> httpx.Response:
        return httpx.Response(statuses.pop(0), stream=httpx.ByteStream(b"no gzip"), headers=packed)

    client = AuthenticatedClient("http://h", "k", httpx_args={"transport": httpx.MockTransport(said)})
    ways: list[Callable[[], object]] = [
        lambda: wait(client, "p", models.SaveWeightsResponse, timeout_s=60),
        lambda: asyncio.run(wait_async(client, "p", models.SaveWeightsResponse, timeout_s=60)),
    ]
    for way in ways:
        with pytest.raises(InvalidBody, match="cannot be unpacked") as caught:
            way()
        assert (caught.value.request_id, caught.value.applied) == ("p", "yes")


def test_the_size_alone_is_no_result() -> None:
    """A server that tells the size of a result, unasked, is asked again for the result."""
    sized = answer(200, {"status": "complete_metadata", "response_payload_size": 77})
    course = Course([sized, sized, answer(200, SAVED)])
    assert course.run().path == SAVED["path"]
    assert not any(ask.request.json().get("allow_metadata_only") for ask in course.asked)


@pytest.mark.parametrize(
    "given",
    [
        answer(200, {"error": "bad key tml-quoted-key"}),
        answer(400, {"detail": "bad key tml-quoted-key"}),
        answer(404, {"detail": "bad key tml-quoted-key"}),
        answer(200, {"path": ["tml-quoted-key"]}),
        answer(200, {"type": "tml-quoted-key"}),
        answer(429, {"detail": "bad key tml-quoted-key"}),
    ],
)
def test_a_key_that_a_server_quotes_is_in_no_error(given: Response[None]) -> None:
    """Of failures, refusals, results of another shape, and the last answer before the time was over."""
    quoting = Response(given.status_code, given.content, given.headers, None, secrets=("tml-quoted-key",))
    with pytest.raises(TinkerError) as caught:
        Course([quoting]).run(timeout_s=0)
    assert "tml-quoted" not in str(caught.value) + repr(vars(caught.value)) + repr(caught.value.args)
    assert caught.value.request_id == "p"


def test_result_may_have_an_error_beside_its_own_fields() -> None:
    """A result with a null `error` is no failure."""
    assert Course([answer(200, {**SAVED, "error": None})]).run().path == SAVED["path"]


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", {"model_id": 1, "more": 2}, {**SAVED, "type": "load_weights"}]
)
def test_result_of_another_shape(body: Any) -> None:
    """A result that does not fit is an InvalidBody."""
    with pytest.raises(InvalidBody, match="retrieve_future"):
        Course([answer(200, body)]).run()


def test_held_questions_are_asked_again_at_once() -> None:
    """A server that holds its questions needs no pauses."""
    course = Course([*[AGAIN["408"]] * 5, answer(200, SAVED)], held_s=20.0)
    course.run()
    assert course.pauses == []


def test_quick_answers_make_pauses_grow() -> None:
    """Pauses double up to a second while the result is not there, and up to ten while the way is broken."""
    quick = Course([*[AGAIN["408"]] * 6, answer(200, SAVED)])
    quick.run()
    assert quick.pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    broken = Course([*[AGAIN["connection lost"]] * 9, answer(200, SAVED)])
    broken.run()
    assert broken.pauses[-3:] == [6.4, 10.0, 10.0]


WAITS: dict[str, tuple[dict[str, str], float]] = {
    "seconds": ({"retry_after": "7"}, 7.0),
    "milliseconds go before": ({"retry_after": "7", "retry_after_ms": "2500"}, 2.5),
    "unreadable": ({"retry_after": "soon"}, 0.1),
    "negative": ({"retry_after": "-5"}, 0.1),
    "absurd": ({"retry_after": "1e9"}, 300.0),
    "no number": ({"retry_after": "nan"}, 0.1),
}


@pytest.mark.parametrize("name", WAITS)
def test_server_may_ask_for_a_pause(name: str) -> None:
    """Retry-After is kept to, in its forms, and within reason."""
    headers, pause_s = WAITS[name]
    course = Course([answer(429, {}, **headers), answer(200, SAVED)])
    course.run()
    assert course.pauses == [pause_s]


def test_pause_until_a_date() -> None:
    """Retry-After may be a date."""
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
    course = Course([answer(503, {}, retry_after=until), answer(200, SAVED)])
    course.run()
    assert 60 < course.pauses[0] <= 120


def test_deadline_says_what_came_last() -> None:
    """After the caller's time the error names the promise and the last answer; no question takes longer."""
    course = Course([AGAIN["500"]] * 1000)
    with pytest.raises(PromiseTimeoutError, match=r"no result in 30 s; .*500.*oops.*request=p") as caught:
        course.run(30.0)
    assert isinstance(caught.value, TimeoutError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.last, str(copy)) == (caught.value.last, str(caught.value))
    assert course.now_s == 30.0
    assert all(ask.timeout_s <= 30.0 for ask in course.asked)


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, 1e-9])
def test_asked_once_at_least(timeout_s: float) -> None:
    """No time at all is one question, which finds a result that is there."""
    assert Course([answer(200, SAVED)]).run(timeout_s).path == SAVED["path"]
    with pytest.raises(PromiseTimeoutError):
        Course([AGAIN["408"]]).run(timeout_s)


WAYS: dict[str, Callable[..., Any]] = {
    "wait": wait,
    "wait_async": lambda *args, **given: asyncio.run(wait_async(*args, **given)),
}


@pytest.mark.parametrize("way", WAYS)
def test_both_ways_drive_the_same_course(way: str) -> None:
    """A silent server and a lost connection are met on the way, and the result is returned."""
    script: list[Any] = [
        httpx.ReadTimeout("silent"),
        httpx.ConnectError("refused"),
        (408, NOT_YET),
        (200, SAVED),
    ]
    limits = []

    def serve(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        said = script.pop(0)
        if isinstance(said, Exception):
            raise said
        return httpx.Response(said[0], json=said[1])

    client = AuthenticatedClient(
        "http://127.0.0.1:1", "k", httpx_args={"transport": httpx.MockTransport(serve)}
    )
    promise = models.UntypedAPIFuture(request_id="p")
    found = WAYS[way](client, promise, models.SaveWeightsResponse, timeout_s=900.0)
    assert found.path == SAVED["path"]
    assert limits == [promises.POLL_TIMEOUT_S] * 4


WRONG: dict[str, tuple[Any, Any, str]] = {
    "no promise": (None, models.SaveWeightsResponse, "promise"),
    "a result": (models.SaveWeightsResponse(path="a"), models.SaveWeightsResponse, "promise"),
    "a name": ("p", "SaveWeightsResponse", "result"),
    "no kind": ("p", None, "result"),
    "a value": ("p", models.SaveWeightsResponse(path="a"), "result"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_found_before_asking(name: str, way: str) -> None:
    """What is no promise, and what is no class, is refused by its name, and the server is not asked."""
    promise, result, field = WRONG[name]
    asked: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=SAVED)

    client = AuthenticatedClient(
        "http://127.0.0.1:1", "k", httpx_args={"transport": httpx.MockTransport(serve)}
    )
    with pytest.raises(InputError, match="must be") as caught:
        WAYS[way](client, promise, result, timeout_s=1.0)
    assert caught.value.field == field
    assert asked == []
