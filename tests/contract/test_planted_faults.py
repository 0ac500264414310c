"""`contract check` finds each fault that is planted on the wire of the embedded service, and invents none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tinsmith.contract.check import check_captures
from tinsmith.contract.exchange import written
from tinsmith.contract.traffic import POLL

from tests.contract.checked import CONTRACT, KEY, REFUSED, answered, checked

if TYPE_CHECKING:
    from pathlib import Path

    from tinsmith.contract.document import Operation
    from tinsmith_local.service import Service


APART = {POLL, "stream_sample"}
"""What answers something other than one JSON body; each has a test of its own."""


def spoiler(op: Operation) -> Any:
    """Return what spoils the first answer that serves: a result, a body, a header or a status."""
    spoiled: list[str] = []

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        kind = request.headers.get("x-tinker-request-type")
        is_promise = op.result is not None and op.id not in REFUSED
        is_result = is_promise and kind == op.request_type
        asked = CONTRACT.operation_of(request.method, request.url.path)
        if spoiled or not (is_result or (not is_promise and asked is op)):
            return answer
        if answer.status_code >= 400 and op.id not in REFUSED:
            return answer
        if is_result and "json" not in answer.headers["content-type"]:
            return answer
        spoiled.append(op.id)
        if answer.status_code == 302:
            return httpx.Response(302, headers={"expires": "now"})
        body = json.loads(answer.content) if answer.content else None
        schema = op.result if is_result else None
        return answered(answer, *_changed(op, schema, answer.status_code, body))

    return spoil


def _changed(op: Operation, result: str | None, status: int, body: Any) -> tuple[Any, int]:
    """Leave out a field that is required, else give one a type that it does not have, else another status."""
    holder = CONTRACT.documented(op, status)
    schema = CONTRACT.named(result) if result else CONTRACT.schema_of(holder or {})
    if schema is None or not isinstance(body, dict) or status >= 400:
        return body, 418
    schema = CONTRACT.resolve(schema)
    required = [name for name in schema.get("required", ()) if name in body and name != "type"]
    if required:
        return {name: value for name, value in body.items() if name != required[0]}, status
    return [body], status


@pytest.mark.parametrize("name", [name for name in CONTRACT.operations if name not in APART])
def test_a_planted_fault_is_found_and_none_is_invented(name: str, running: Service) -> None:
    """One answer of one operation is spoiled on the wire: the report names that operation and no other."""
    report, _ = checked(running, spoiler(CONTRACT.operations[name]))
    assert {finding.operation for finding in report.deviations} == {name}
    assert next(row for row in report.rows if row.operation == name).verdict == "deviates"


POLLED: list[tuple[str, int, Any]] = [
    ("a status that nobody knows", 418, None),
    ("a failure that says nothing", 500, {}),
    ("a promise that is not there yet, as a success without a word", 200, None),
]


@pytest.mark.parametrize(("status", "body"), [row[1:] for row in POLLED], ids=[row[0] for row in POLLED])
def test_a_planted_fault_of_polls_is_found(status: int, body: Any, running: Service) -> None:
    """The poll of an unknown promise is answered with a refusal that says what is wrong, and nothing else."""

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        is_poll = request.url.path.endswith(f"/{POLL}")
        return answered(answer, body, status) if is_poll and answer.status_code == 404 else answer

    report, _ = checked(running, spoil)
    assert {finding.operation for finding in report.deviations} == {POLL}


BAD = {
    "endless nesting": b"[" * 200_000 + b"]" * 200_000,
    "deep nesting": b"[" * 500 + b"]" * 500,
    "rows that are null": b'{"training_runs": [null, 1], "supported_models": [null], "sessions": 5}',
    "texts for lists": b'{"supported_models": "abc", "session_id": ["x"], "request_id": {"a": 1}}',
    "numbers for lists": b'{"supported_models": 5, "training_runs": 5}',
    "objects for lists": b'{"training_runs": {"a": 1}, "sampler_ids": [{}], "session_id": "s/../.."}',
    "half a character": b'{"training_runs": [{"training_run_id": "\\ud800"}], "session_id": "\\ud800"}',
    "a field named protobuf": b'{"protobuf": 5}',
}
"""Answers that are of no use, each to every request."""


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_answers_of_any_kind_are_deviations(name: str, write: bool, running: Service, tmp_path: Path) -> None:
    """A server that answers all with nonsense is judged to the end, and what it said can be kept."""
    headers = {"content-type": "application/json"}
    report, exchanges = checked(
        running, lambda _, __: httpx.Response(200, headers=headers, content=BAD[name]), write=write
    )
    assert {"list_training_runs", "get_server_capabilities"} & {each.operation for each in report.deviations}
    file = tmp_path / "said.json"
    file.write_text(written(exchanges, "nonsense", CONTRACT), encoding="utf-8")
    assert len(check_captures([file]).deviations) == len(report.deviations)


def test_ids_of_promises_are_text(running: Service) -> None:
    """A number in the place of an id is a deviation, although a client could read it."""

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        is_first = request.url.path.endswith("/create_model") and answer.is_success
        return answered(answer, {**answer.json(), "request_id": 7}) if is_first else answer

    report, _ = checked(running, spoil)
    assert {(each.operation, each.place, each.value) for each in report.deviations} == {
        ("create_model", "body/request_id", "7")
    }


RULES: list[tuple[str, str, str]] = [
    ("forward_backward", "request_id", "repeat-applied"),
    ("asample", "request_id", "repeat-applied"),
    ("create_sampling_session", "sampling_session_id", "repeat-applied"),
]


@pytest.mark.parametrize(("name", "field", "rule"), RULES)
def test_another_promise_for_the_same_number_is_seen(
    name: str, field: str, rule: str, running: Service
) -> None:
    """A repetition that is answered otherwise than the first time has its rule in the report."""
    seen: list[bytes] = []

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.path.endswith(f"/{name}") and answer.is_success:
            seen.append(request.content)
            if seen.count(request.content) == 2:
                return answered(answer, {**answer.json(), field: "another"})
        return answer

    report, _ = checked(running, spoil)
    found = [each for named in report.dialects for each in named.findings if each.operation == name]
    assert [(each.operation, each.rule) for each in found] == [(name, rule)]


EVENTS = [
    (b'data: {"tokens": "five"}\n\n', "event 0/tokens"),
    (b"event: progress\ndata: {}\n\n", "event 0"),
    (b"data: five\n\n", "event 0/tokens"),
    (b": nothing\n\n", "body"),
    (b"data: " + b"5" * (17 << 20), "body"),
]


@pytest.mark.parametrize(("stream", "place"), EVENTS)
def test_events_that_do_not_fit_are_deviations(stream: bytes, place: str, running: Service) -> None:
    """Each event of a stream is held against the schema of its name, and a stream has one."""

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        is_stream = request.url.path.endswith("/stream_sample") and answer.is_success
        return httpx.Response(200, headers=answer.headers, content=stream) if is_stream else answer

    report, _ = checked(running, spoil)
    assert {(each.operation, each.place) for each in report.deviations} == {("stream_sample", place)}


def test_other_content_under_a_number_must_be_refused(running: Service) -> None:
    """A server that answers the first promise to other content has lost the second request: a deviation."""
    promises: list[Any] = []

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/asample"):
            if answer.status_code == 409:
                return answered(answer, promises[0], 200)
            promises.append(answer.json())
        return answer

    report, _ = checked(running, spoil)
    assert [(each.operation, each.rule) for each in report.deviations] == [("asample", "other-content")]


WRONG = [
    ("healthz", {"retry-after": "soon"}, "retry-after"),
    ("get_checkpoint_archive_url", {"location": "elsewhere"}, "location"),
]


@pytest.mark.parametrize(("name", "headers", "rule"), WRONG)
def test_headers_that_cannot_be_read_are_found(
    name: str, headers: dict[str, str], rule: str, running: Service
) -> None:
    """A wait that is no number and no date, and a place that is no URL."""
    op = CONTRACT.operations[name]

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if CONTRACT.operation_of(request.method, request.url.path) is op:
            answer.headers.update(headers)
        return answer

    report, _ = checked(running, spoil)
    assert {(each.operation, each.rule) for each in report.deviations} == {(name, rule)}


def test_a_path_that_wants_its_colons_escaped_is_a_deviation(running: Service) -> None:
    """Ids stand in paths as they are."""

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        plain = b":train:" in request.url.raw_path and request.url.raw_path.count(b"/") == 4
        return answered(answer, {"detail": "no such run"}, 404) if plain else answer

    report, _ = checked(running, spoil)
    assert {(each.operation, each.rule) for each in report.deviations} == {("get_training_run", "colon")}


def test_a_route_that_is_missing_is_told_from_an_id_that_is_unknown(running: Service) -> None:
    """What is answered as a path that no server has is absent; an unknown id is a refusal."""

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if "/samplers/" in request.url.path:
            return answered(answer, {"detail": "Not Found", "category": "user"}, 404)
        return answered(answer, {}, 405) if request.url.path.endswith("/ttl") else answer

    report, _ = checked(running, spoil, write=False)
    verdicts = {row.operation: row.verdict for row in report.rows}
    assert (verdicts["get_sampler"], verdicts["set_checkpoint_ttl"]) == ("absent", "absent")
    assert verdicts["join_sampling_session"] == "refused"
    assert report.deviations == ()


def test_a_capture_is_judged_as_the_server_was(running: Service, tmp_path: Path) -> None:
    """A file says of each operation what the check said, holds no credential, and shows a fault too."""
    live, exchanges = checked(running, spoiler(CONTRACT.operations["weights_info"]))
    text = written(exchanges, "a check", CONTRACT, [KEY])
    assert KEY not in text
    assert "eyJ" not in text
    (tmp_path / "capture.json").write_text(text)
    again = check_captures([tmp_path / "capture.json"])
    assert [(row.operation, row.verdict) for row in again.rows] == [
        (row.operation, row.verdict) for row in live.rows
    ]
    assert [(each.place, each.text) for each in again.deviations] == [
        (each.place, each.text) for each in live.deviations
    ]
