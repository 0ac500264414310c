"""Recorded traffic fits the contract, and the check notices traffic that does not."""

import copy
import importlib
from collections.abc import Callable
from typing import Any

import contract_coverage
import pytest
from contract_captures import CAPTURES, OUTSIDE, Contract, Exchange, exchanges
from tinsmith_api.conversion import from_json
from tinsmith_api.operations import OPERATIONS

from tests.contract.kept import kept
from tests.redacted import traces

FIRST = "sdk-0.6.3-on-skyrl-0.3.0"
EXCHANGES = {exchange.name: exchange for exchange in exchanges() if exchange.source == FIRST}
INSIDE = [name for name in EXCHANGES if name not in OUTSIDE]


@pytest.fixture(scope="module")
def contract(loaded: dict[str, Any]) -> Contract:
    """Return the contract, ready to judge."""
    return Contract(loaded)


def test_nothing_is_missing() -> None:
    """All recorded examples are here, and each either fits the contract or is named as standing outside."""
    assert len(EXCHANGES) == 39
    assert set(EXCHANGES) >= OUTSIDE


@pytest.mark.parametrize("name", INSIDE)
def test_exchange_fits(name: str, contract: Contract) -> None:
    """Request, parameters, status, answer and a promise's result are as the contract says."""
    assert contract.problems(EXCHANGES[name]) == []


@pytest.mark.parametrize("name", sorted(OUTSIDE))
def test_archive_is_what_the_redirect_leads_to(name: str, contract: Contract) -> None:
    """The traffic outside the contract is the signed URL of the archive, a gzip file."""
    archive = next(e for e in EXCHANGES.values() if e.status == 302)
    fetched = EXCHANGES[name]
    assert archive.answer_headers["location"].endswith(fetched.path)
    assert contract.operation_of(fetched.method, fetched.path) is None
    assert fetched.answer["base64_start"].startswith("H4sI")


def spoil(name: str, change: Callable[[Any], Any], part: str) -> Exchange:
    """Return an exchange with its request or answer changed."""
    body = copy.deepcopy(getattr(EXCHANGES[name], part))
    change(body)
    return EXCHANGES[name]._replace(**{part: body})


SPOILED = [
    ("POST /api/v1/create_session 200", "request", lambda b: b.update(unknown=1), "unknown"),
    ("POST /api/v1/create_session 200", "request", lambda b: b.pop("tags"), "tags"),
    ("POST /api/v1/create_session 200", "answer", lambda b: b.pop("session_id"), "session_id"),
    (
        "POST /api/v1/create_model 200",
        "request",
        lambda b: b["lora_config"].update(rank=0),
        "lora_config/rank",
    ),
    (
        "POST /api/v1/forward_backward 200 (ppo)",
        "request",
        lambda b: b["forward_backward_input"].update(loss_fn=7),
        "loss_fn",
    ),
    (
        "POST /api/v1/forward 200 (cross_entropy)",
        "request",
        lambda b: b["forward_input"]["data"][0]["model_input"]["chunks"][0]["tokens"].append("7"),
        "forward_input/data/0/model_input/chunks/0/tokens/8",
    ),
    (
        "POST /api/v1/forward 200 (cross_entropy)",
        "request",
        lambda b: b["forward_input"]["data"][1]["model_input"]["chunks"].append({"type": "video"}),
        "chunks/1",
    ),
    (
        "POST /api/v1/retrieve_future 200 (asample [result])",
        "answer",
        lambda b: b["sequences"][0].pop("stop_reason"),
        "stop_reason",
    ),
    (
        "POST /api/v1/retrieve_future 200 (asample [result])",
        "answer",
        lambda b: b.update(prompt_logprobs=[None, "x"]),
        "prompt_logprobs/1",
    ),
    (
        "POST /api/v1/create_sampling_session 200",
        "request",
        lambda b: b.update(base_model="both"),
        "create_sampling_session request",
    ),
    ("POST /api/v1/telemetry 200", "request", lambda b: b["events"][0].pop("event_id"), "events/0"),
    (
        "GET /api/v1/training_runs/{id}/checkpoints/{ckpt}/archive 302",
        "answer_headers",
        lambda b: b.pop("location"),
        "Location",
    ),
    ("GET /api/v1/training_runs 200", "query", lambda b: b.update(limit="0"), "limit"),
    ("GET /api/v1/training_runs 200", "query", lambda b: b.update(page="1"), "page"),
]


@pytest.mark.parametrize(("name", "part", "change", "place"), SPOILED)
def test_misfit_is_found(
    name: str, part: str, change: Callable[[Any], Any], place: str, contract: Contract
) -> None:
    """Spoiled traffic is refused, and the complaint names the place."""
    found = contract.problems(spoil(name, change, part))
    assert any(place in problem for problem in found), found


def test_wrong_result_is_found(contract: Contract) -> None:
    """The answer to one promise does not pass for that of another."""
    name = "POST /api/v1/retrieve_future 200 (optim_step [result])"
    other = EXCHANGES["POST /api/v1/retrieve_future 200 (forward [result])"]
    assert contract.problems(other._replace(answer=EXCHANGES[name].answer))


@pytest.mark.parametrize("name", ["status", "path"])
def test_unknown_status_and_path_are_found(name: str, contract: Contract) -> None:
    """A status or a path that the contract does not know is a misfit."""
    healthy = EXCHANGES["POST /api/v1/create_session 200"]
    changed = healthy._replace(status=418) if name == "status" else healthy._replace(path="/api/v1/create")
    assert contract.problems(changed)


def test_what_is_lost_is_noticed() -> None:
    """The comparison can fail: a field, an entry and a time that differ."""
    assert kept({"a": 1, "b": [None]}, {"a": 1, "b": [None], "c": None})
    assert not kept({"a": 1}, {"a": 2})
    assert not kept({"a": 1}, {"a": 1, "b": 2})
    assert not kept({"a": [1]}, {"a": [1, 2]})
    assert not kept("2026-11-22T06:55:44Z", "2026-11-22T06:55:45")


@pytest.mark.parametrize("name", [n for n in INSIDE if EXCHANGES[n].status < 400])
def test_generated_parser_keeps_the_answer(name: str, contract: Contract) -> None:
    """What the generated code reads it also writes back, fields that it does not know included."""
    exchange = EXCHANGES[name]
    op = contract.operation_of(exchange.method, exchange.path)
    assert op is not None
    module = importlib.import_module(f"tinsmith_api.api.{OPERATIONS[op.id].tag}.{op.id}")
    parsed = module.parse(exchange.status, exchange.answer)
    assert parsed is None if exchange.answer is None else kept(parsed, exchange.answer)


@pytest.mark.parametrize("name", [n for n in INSIDE if "[result]" in n])
def test_generated_model_keeps_the_result(name: str, contract: Contract) -> None:
    """The same holds for the final result of a promise."""
    exchange = EXCHANGES[name]
    result = contract.result_of(exchange)
    assert result is not None
    model = getattr(importlib.import_module("tinsmith_api.models"), result)
    assert kept(from_json(model, exchange.answer), exchange.answer)


def test_captures_name_no_machine() -> None:
    """The recorded traffic holds no credential and no path of the machine that recorded it."""
    for file in CAPTURES.glob("*.json"):
        assert traces(file.read_text(encoding="utf-8")) == []


def test_coverage_page_is_fresh() -> None:
    """docs/contract-coverage.md says what the captures say today."""
    assert contract_coverage.main(["--check"]) == 0


def test_coverage_check_notices_a_stale_page(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that is missing or old fails the check, and writing it heals that."""
    monkeypatch.setattr(contract_coverage, "PAGE", tmp_path / "page.md")
    assert contract_coverage.main(["--check"]) == 1
    assert contract_coverage.main([]) == 0
    assert contract_coverage.main(["--check"]) == 0
    (tmp_path / "page.md").write_text(contract_coverage.render().replace("`healthz`", "`health`"))
    assert contract_coverage.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
