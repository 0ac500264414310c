"""`contract check` on the embedded service: what it sends, finds, and leaves behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tinsmith.contract.check import Check
from tinsmith.contract.document import Contract
from tinsmith.contract.exchange import Exchange
from tinsmith.contract.recorder import SILENCES, Recorder
from tinsmith.contract.report import ITSELF
from tinsmith.contract.rules import findings
from tinsmith.contract.traffic import Traffic
from tinsmith.core.config import ClientConfig
from tinsmith_api.operations import OPERATIONS

from tests.contract.checked import CONTRACT, KEY, REFUSED, URL, checked

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.contract.report import Report
    from tinsmith_local.service import Service


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
