"""`contract check` on the embedded service: clean, imitating others, and with faults planted on its wire."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tinsmith.contract.check import Check, check_captures
from tinsmith.contract.dialects import DIALECTS
from tinsmith.contract.document import Contract, shipped
from tinsmith.contract.exchange import Exchange, written
from tinsmith.contract.recorder import SILENCES, Recorder
from tinsmith.contract.report import ITSELF
from tinsmith.contract.rules import findings
from tinsmith.contract.traffic import POLL, Traffic
from tinsmith.core.config import ClientConfig
from tinsmith.io.http.messages import Answer
from tinsmith.io.http.transport import client_of
from tinsmith_api.operations import OPERATIONS
from tinsmith_local.options import Imitation

from tests.contract.checked import KEY, URL, answered, checked, served
from tests.dialects import standin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tinsmith.contract.document import Operation
    from tinsmith.contract.report import Report
    from tinsmith.io.http.messages import Seen
    from tinsmith_local.service import Service

CONTRACT = shipped()
REFUSED = {"delete_api_key", "create_custom_loss"}
"""What the embedded service has and does not do."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Run one service for all checks; each makes a session of its own."""
    found = served(tmp_path_factory.mktemp("checked") / "data")
    yield found
    found.close()


def test_the_embedded_service_does_as_the_contract_says(running: Service) -> None:
    """All is verified but what it refuses for a reason, and nothing is left behind."""
    report, exchanges = checked(running)
    assert report.deviations == ()
    assert report.dialects == ()
    assert {row.operation for row in report.rows if row.verdict != "verified"} == REFUSED
    assert {row.verdict for row in report.rows} == {"verified", "refused"}
    assert report.left_behind == ()
    assert not any(exchange.status == 0 for exchange in exchanges)


def test_what_was_made_is_deleted(running: Service) -> None:
    """After a check the service has the checkpoints and models in training that it had before."""

    def there() -> tuple[int, int]:
        kept = sum(count for _, count, _ in running.checkpoints.stored())
        return kept, len(list(running.files.checkpoints.rglob("*.safetensors")))

    before = there()
    report, _ = checked(running)
    assert report.left_behind == ()
    assert there() == before


def test_a_step_that_fails_keeps_no_other_from_cleaning_up(
    running: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be deleted is told, and the rest is deleted all the same."""
    real = Recorder.call
    failed: list[str] = []

    async def call(self: Recorder, operation: str, *arguments: Any, **more: Any) -> Any:
        if operation == "unload_model" or (operation == "delete_checkpoint" and not failed):
            failed.append(operation)
            raise ArithmeticError("planted")
        return await real(self, operation, *arguments, **more)

    monkeypatch.setattr(Recorder, "call", call)
    before = sum(count for _, count, _ in running.checkpoints.stored())
    report, exchanges = checked(running)
    checkpoints = [what for what in report.left_behind if what.startswith("tinker://")]
    assert len(checkpoints) == 1
    assert [what.split()[0] for what in report.left_behind if what not in checkpoints] == ["model", "model"]
    assert sum(count for _, count, _ in running.checkpoints.stored()) == before + 1
    assert exchanges[-1].path.startswith("/api/v1/sessions/")


@pytest.mark.parametrize(
    ("write", "operation", "step"),
    [
        (True, "load_weights", "unknown id"),
        (True, "create_model", "model"),
        (False, "healthz", "read"),
        (False, "asample", "a body that is none"),
    ],
)
def test_a_fault_of_the_check_is_a_row_of_the_report(
    write: bool, operation: str, step: str, running: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found before is reported, the fault is named, and what was made is deleted all the same."""
    real = Recorder.call

    async def call(self: Recorder, asked: str, *arguments: Any, **more: Any) -> Any:
        if (asked, more.get("step")) == (operation, step):
            raise ArithmeticError("planted")
        return await real(self, asked, *arguments, **more)

    monkeypatch.setattr(Recorder, "call", call)
    before = sum(count for _, count, _ in running.checkpoints.stored())
    report, exchanges = checked(running, write=write)
    failed = [row for row in report.rows if row.verdict == "failed"]
    assert [row.operation for row in failed] == [ITSELF]
    assert failed[0].reason.startswith("ArithmeticError: planted, at ")
    assert not report.passed
    assert report.document()["passed"] is False
    assert report.deviations == ()
    assert len(exchanges) > 1
    assert report.left_behind == ()
    assert sum(count for _, count, _ in running.checkpoints.stored()) == before


def test_an_interrupted_check_deletes_what_it_made(running: Service) -> None:
    """Ctrl-C, which cancels the check, is in the report; the session, the models and checkpoints are gone."""
    config = ClientConfig.from_environment(base_url=URL, api_key=KEY, environ={})
    before = sum(count for _, count, _ in running.checkpoints.stored())

    async def interrupted() -> Report:
        def step(name: str) -> None:
            if name.startswith("list_training_runs, list"):
                assert task is not None
                task.cancel()

        async with httpx.AsyncClient(transport=httpx.ASGITransport(running.app), trust_env=False) as client:
            found = Check(config, write=True, http_client=client, on_send=step)
            task = asyncio.current_task()
            with pytest.raises(asyncio.CancelledError):
                await found.run()
            return found.report()

    report = asyncio.run(interrupted())
    assert [row.reason.split(" at ")[0] for row in report.rows if row.verdict == "failed"] == ["interrupted"]
    assert report.left_behind == ()
    assert sum(count for _, count, _ in running.checkpoints.stored()) == before
    assert next(row.verdict for row in report.rows if row.operation == "asample") == "verified"


SAYS_NOTHING = {
    "not found": (404, b'{"detail": "Not Found"}'),
    "no content": (204, b""),
    "a page for people": (200, b"<html>"),
}
"""Answers of servers that have another API, each to every request."""


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("name", SAYS_NOTHING)
def test_a_server_of_another_api_does_not_pass(name: str, write: bool, running: Service) -> None:
    """Where nothing beyond the health check is served the check fails, though nothing may deviate."""
    status, body = SAYS_NOTHING[name]

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/healthz"):
            return httpx.Response(200, json={"status": "ok"})
        return httpx.Response(status, headers={"content-type": "application/json"}, content=body)

    report, _ = checked(running, spoil, write=write)
    assert report.shows_nothing
    assert not report.passed
    assert next(row.verdict for row in report.rows if row.operation == "healthz") == "verified"


def test_what_the_contract_says_of_operations() -> None:
    """Orders, kinds of checkpoints and secrets are read off the document, not listed."""
    assert {op.id for op in OPERATIONS.values() if op.in_order} == CONTRACT.in_order
    assert CONTRACT.checkpoint_kinds == ("weights", "sampler_weights", "external_weights")
    assert CONTRACT.saves == {
        "save_weights": "weights",
        "save_weights_for_sampler": "sampler_weights",
        "save_weights_external": "external_weights",
    }
    assert {op.id for op in CONTRACT.operations.values() if op.changes_checkpoint} == {
        "delete_checkpoint",
        "publish_checkpoint",
        "unpublish_checkpoint",
        "set_checkpoint_ttl",
    }
    assert {op.id for op in CONTRACT.operations.values() if not op.needs_key} == {"healthz"}
    assert {"jwt", "weights_access_token"} <= CONTRACT.secret_fields


def _trained(*numbers: int) -> list[Exchange]:
    """Return the traffic that makes a model and trains it by these numbers, each accepted and fulfilled."""
    poll = {"method": "POST", "path": "/api/v1/retrieve_future"}
    made = {"method": "POST", "path": "/api/v1/create_model"}
    trained = {"method": "POST", "path": "/api/v1/optim_step"}
    said: list[tuple[dict[str, str], Any, Any]] = [
        (made, {"session_id": "s", "model_seq_id": 0}, {"request_id": "m"}),
        (poll, {"request_id": "m"}, {"model_id": "m", "type": "create_model"}),
    ]
    for number in numbers:
        said.append((trained, {"model_id": "m", "seq_id": number}, {"request_id": f"r{number}"}))
        said.append((poll, {"request_id": f"r{number}"}, {"metrics": {}}))
    return [
        Exchange(
            name=str(place),
            source="",
            query={},
            status=200,
            request_headers={},
            request=request,
            answer_headers={},
            answer=answer,
            step="training",
            **where,
        )
        for place, (where, request, answer) in enumerate(said)
    ]


@pytest.mark.parametrize(
    ("numbers", "early"),
    [
        ((1, 2, 3), []),
        ((2, 1, 3), [2]),
        ((1, 3, 4, 2, 5), [3, 4]),
        ((1, 10**15, 2), [10**15]),
        ((10**4000,), [10**4000]),
    ],
)
def test_numbers_that_came_too_early(numbers: tuple[int, ...], early: list[int]) -> None:
    """A number before which one is missing is found; a huge one costs no more than a small one."""
    found = [each for each in findings(Traffic(CONTRACT, _trained(*numbers))) if each.rule == "gap-applied"]
    assert [each.text.split()[1] for each in found] == [str(number) for number in early]


def test_a_huge_limit_of_a_list_is_read() -> None:
    """A limit of more digits than Python turns into a number is no limit."""
    exchange = Exchange(
        name="",
        source="",
        method="GET",
        path="/api/v1/training_runs/r/checkpoints",
        query={"limit": "9" * 5000},
        status=200,
        request_headers={},
        request=None,
        answer_headers={},
        answer={"checkpoints": []},
    )
    assert list(findings(Traffic(CONTRACT, [exchange]))) == []


FAULTS = [
    (httpx.ReadTimeout, "no answer in time"),
    (httpx.ReadError, "connection reset"),
    (httpx.RemoteProtocolError, "answer cut short"),
]


@pytest.mark.parametrize(("kind", "words"), FAULTS)
def test_what_ended_without_an_answer_is_told_in_words(
    kind: type[httpx.TransportError], words: str, running: Service
) -> None:
    """A fault of the wire is named as what it is, without the words of the library that met it."""

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if request.url.path.endswith("/healthz"):
            raise kind("Cancelled via cancel scope 7f2e", request=request)
        return answer

    report, _ = checked(running, spoil, write=False)
    assert [(each.operation, each.value) for each in report.deviations] == [
        ("healthz", f'{{"text":"{words}"}}')
    ]


@pytest.mark.parametrize(("write", "answers"), [(False, 4), (True, 4), (True, 40), (True, 75)])
def test_a_server_that_stops_answering_is_asked_three_times(
    write: bool, answers: int, running: Service
) -> None:
    """Then the check ends: what was not sent is not tried, and what was made is told as left behind."""
    asked: list[str] = []

    def spoil(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        asked.append(request.url.path)
        if len(asked) > answers:
            raise httpx.ReadTimeout("planted", request=request)
        return answer

    report, exchanges = checked(running, spoil, write=write, patience_s=1.0)
    silent = [each for each in exchanges if each.status == 0]
    polls = [each for each in silent if each.path.endswith("/retrieve_future")]
    assert SILENCES <= len(silent) - len(polls) <= SILENCES + 1
    assert "the server stopped answering" in {row.reason for row in report.rows if row.verdict == "not tried"}
    made = [each for each in exchanges if each.path.endswith("/create_session") and each.status == 200]
    assert bool(report.left_behind) == bool(made)


def test_without_write_nothing_is_made(running: Service) -> None:
    """A probe opens no session, makes no model, and still sees each route."""
    report, exchanges = checked(running, write=False)
    assert report.deviations == ()
    assert {row.verdict for row in report.rows} == {"verified", "refused"}
    made = [e for e in exchanges if e.status < 300 and e.method != "GET"]
    reads = {"client_config", "client_dynamic_config", "auth_token", "search_sessions"}
    assert {CONTRACT.operation_of(e.method, e.path).id for e in made} == reads  # type: ignore[union-attr]


NOTHING = b"[]"
BODY = {"properties": {"name": {"type": "string"}, "session_id": {"type": "string"}}, "type": "object"}
ADDED: list[tuple[str, str, list[str] | None, dict[str, Any], Callable[[httpx.Request], bool]]] = [
    ("post", "projects", ["name"], {}, lambda sent: sent.content == NOTHING),
    ("post", "projects", ["name", "session_id"], {}, lambda sent: sent.content == NOTHING),
    ("post", "projects", [], {}, lambda sent: sent.content == NOTHING),
    (
        "post",
        "projects",
        ["session_id"],
        {"x-tinker-result": "TextChunk"},
        lambda sent: sent.content == NOTHING,
    ),
    ("post", "projects", ["session_id"], {}, lambda sent: b"x-contract-check-" in sent.content),
    ("post", "projects", ["name"], {"x-tinker-read": True}, lambda sent: sent.content == b'{"name":"x"}'),
    ("delete", "projects/{project_id}", None, {}, lambda sent: "/x-contract-check-" in sent.url.path),
    ("post", "rotate_key", None, {}, lambda sent: sent.headers["x-api-key"] != KEY),
]


@pytest.mark.parametrize(("method", "path", "needed", "marks", "is_harmless"), ADDED)
def test_an_operation_that_is_added_is_not_done(
    method: str,
    path: str,
    needed: list[str] | None,
    marks: dict[str, Any],
    is_harmless: Callable[[httpx.Request], bool],
    running: Service,
) -> None:
    """A probe takes an operation for one that changes something, unless the contract marks it as a read."""
    parameter = {"name": "project_id", "in": "path", "required": True, "schema": {"examples": ["proj_8f2c"]}}
    node: dict[str, Any] = {"operationId": "added", "responses": {"2XX": {"description": "Done."}}, **marks}
    if needed is not None:
        schema = {**BODY, "required": needed}
        node["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    if "{" in path:
        node["parameters"] = [parameter]
    paths = {**CONTRACT.document["paths"], f"/api/v1/{path}": {method: node}}
    sent: list[httpx.Request] = []

    def keep(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        if path.partition("/")[0] in request.url.path.split("/")[:4]:
            sent.append(request)
        return answer

    checked(running, keep, write=False, contract=Contract({**CONTRACT.document, "paths": paths}))
    assert [is_harmless(each) for each in sent] == [True]


@pytest.mark.parametrize(("header", "rules"), [("X-Other", ["other-content"]), ("X-Idempotency-Key", [])])
def test_an_operation_that_is_added_is_held_to_its_numbers(header: str, rules: list[str]) -> None:
    """What has an owner and a number in its body is held to them, unless a key identifies the request."""
    schema = {"type": "object", "properties": {"session_id": {}, "project_seq_id": {}, "name": {}}}
    node = {
        "operationId": "added",
        "parameters": [{"name": header, "in": "header", "schema": {}}],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"2XX": {"description": "Done."}},
    }
    path = "/api/v1/projects"
    document = {**CONTRACT.document, "paths": {**CONTRACT.document["paths"], path: {"post": node}}}
    said = [
        Exchange(
            name=name,
            source="",
            method="POST",
            path=path,
            query={},
            status=200,
            request_headers={},
            request={"session_id": "s", "project_seq_id": number, "name": name},
            answer_headers={},
            answer={"request_id": "p"},
            step="",
        )
        for number, name in ((1, "one"), (2, "two"), (1, "three"))
    ]
    found = findings(Traffic(Contract(document), said))
    assert [(one.operation, one.rule, one.exchange) for one in found] == [
        ("added", rule, "three") for rule in rules
    ]


IMITATIONS = [
    (["arrival-order"], {"arrival-order"}),
    (["no-deduplication"], {"no-deduplication", "made-again"}),
    (["duplicates-409"], {"duplicates-409"}),
    (["exact-next"], {"exact-next", "duplicates-409"}),
    (["detail=text"], set()),
    (["detail=list"], set()),
    (["status-codes"], {"empty-success"}),
    (["failure-status=400"], set()),
    (["failure-status=404"], set()),
    (["failure-status=422"], set()),
    (["try-again", "unheld-polls"], {"try-again"}),
    (["making-425"], set()),
    (["two-segment-paths"], {"two-segment-paths"}),
    (["short-prompt-logprobs"], {"short-prompt-logprobs"}),
    (["load-first-only"], {"load-first-only"}),
    (["unheld-polls"], set()),
]


@pytest.mark.parametrize(("words", "names"), IMITATIONS, ids=lambda value: "+".join(sorted(value)) or "none")
def test_imitations_are_named_and_no_deviations(words: list[str], names: set[str], tmp_path: Path) -> None:
    """Each habit that shows in the traffic has its name in the report, and nothing is called wrong."""
    running = served(tmp_path / "data", imitate=Imitation.parse(words))
    try:
        report, _ = checked(running)
    finally:
        running.close()
    assert report.deviations == ()
    assert {named.dialect.name for named in report.dialects} == names
    assert report.left_behind == ()


def test_each_imitation_is_tried() -> None:
    """No word of --imitate is left out above."""
    words = {word.partition("=")[0] for words, _ in IMITATIONS for word in words}
    assert words == {word.partition("=")[0] for word in Imitation.words()}


@pytest.mark.parametrize(("wire", "name"), [("json", "json-only"), ("protobuf", "protobuf-only")])
def test_a_server_of_one_encoding_is_walked_through(wire: Any, name: str, tmp_path: Path) -> None:
    """Where batches are read in one form alone, that is named and the walk goes on in it."""
    running = served(tmp_path / "data", wire=wire)
    try:
        report, _ = checked(running)
    finally:
        running.close()
    assert report.deviations == ()
    assert [named.dialect.name for named in report.dialects] == [name]
    refused = {row.operation for row in report.rows if row.verdict != "verified"}
    assert refused == REFUSED | ({"forward"} if wire == "protobuf" else set())


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


@pytest.mark.parametrize("name", [name for name in CONTRACT.operations if name != POLL])
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


STAND_INS = [
    (standin.SKYRL_0_3, "skyrl-0.3", {"json-only", "no-deduplication", "arrival-order", "bare-ids"}),
    (standin.SKYRL_0_4, "skyrl-0.4", {"protobuf-only", "load-first-only", "shorter-paths"}),
    (standin.TUFT, "tuft", {"protobuf-only", "duplicates-409", "failure-status"}),
    (
        standin.HATCHERY,
        "hatchery",
        {"json-only", "sampler-promise", "checkpoints-paths", "any-path-is-known"},
    ),
]


@pytest.mark.parametrize(("habits", "name", "dialects"), STAND_INS, ids=[row[1] for row in STAND_INS])
def test_known_servers_are_recognised_by_their_answers(
    habits: standin.Habits, name: Any, dialects: set[str]
) -> None:
    """The check says which server it met, and names its habits; what it lacks is absent."""
    server = standin.StandIn(habits)

    async def answer(seen: Seen) -> Answer:
        try:
            return await server.answer(seen)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            body = json.dumps({"detail": f"not understood: {error!r}"}).encode()
            return Answer(422, {"content-type": "application/json"}, body)

    async def check() -> Report:
        config = ClientConfig.from_environment(base_url=URL, api_key=KEY, environ={})
        async with client_of(answer) as client:
            found = Check(config, write=True, http_client=client)
            await found.run()
            return found.report()

    report = asyncio.run(check())
    assert report.server == name
    assert dialects <= {named.dialect.name for named in report.dialects}
    absent = {row.operation for row in report.rows if row.verdict == "absent"}
    assert {"cancel_future", "search_sessions", "list_audit_log"} <= absent


def test_each_dialect_is_seen_somewhere() -> None:
    """No habit is named that neither an imitation, nor a stand-in, nor a real server shows."""
    real = json.loads((Path(__file__).parents[1] / "servers" / "checked.json").read_text(encoding="utf-8"))
    seen = {name for _, names in IMITATIONS for name in names} | {"json-only", "protobuf-only"}
    seen |= {name for *_, names in STAND_INS for name in names}
    seen |= {name for report in real.values() for name in report["dialects"]}
    assert seen == {dialect.name for dialect in DIALECTS}
