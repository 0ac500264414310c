"""Recorded traffic of our client with servers of others fits the contract, but for their known faults."""

from typing import Any

import pytest
from contract_captures import CAPTURES, Contract, Exchange, exchanges
from tinsmith.contract.exchange import as_json

EXCHANGES = {
    (exchange.source, exchange.name): exchange
    for exchange in exchanges()
    if exchange.source.startswith("tinsmith-on-")
}
"""All exchanges by their source and name."""

DOWNLOAD = "/download 200"
"""End of the name of traffic that is no part of the API: the signed URL that the archive redirects to."""

CHECKPOINT = "/api/v1/training_runs/{training_run_id}/checkpoints/{checkpoint_kind}/{checkpoint_name}"
FAULTS = {
    ("tinsmith-on-skyrl-0.3.0", "POST /api/v1/retrieve_future 500 (ForwardBackward)"): "an id of no digits",
    ("tinsmith-on-tuft-0.2.2", f"DELETE {CHECKPOINT}/publish 500"): "unpublish fails",
    ("tinsmith-on-tuft-0.2.2", "GET /api/v1/training_runs/{training_run_id} 500"): "an unknown run",
}
"""What a server gets wrong -> when: a bare 500."""


@pytest.fixture(scope="module")
def contract(loaded: dict[str, Any]) -> Contract:
    """Return the contract, ready to judge."""
    return Contract(loaded)


def test_each_server_is_recorded() -> None:
    """Training, saving, loading and sampling are in each capture."""
    assert {source for source, _ in EXCHANGES} == {file.stem for file in CAPTURES.glob("tinsmith-on-*.json")}
    for source in {source for source, _ in EXCHANGES}:
        asked = {e.path for (found, _), e in EXCHANGES.items() if found == source and e.status < 400}
        for route in (
            "create_model",
            "optim_step",
            "save_weights",
            "load_weights",
            "asample",
            "retrieve_future",
        ):
            assert f"/api/v1/{route}" in asked, (source, route)


@pytest.mark.parametrize(("source", "name"), [key for key in EXCHANGES if not key[1].endswith(DOWNLOAD)])
def test_exchange_fits(source: str, name: str, contract: Contract) -> None:
    """Request, status, answer and a promise's result are as the contract says; a known fault is found."""
    found = contract.problems(EXCHANGES[source, name])
    assert bool(found) is ((source, name) in FAULTS), found


@pytest.mark.parametrize("key", [key for key in EXCHANGES if EXCHANGES[key].status == 200][::7])
def test_a_spoiled_answer_is_found(key: tuple[str, str], contract: Contract) -> None:
    """An answer that is no object does not pass."""
    exchange: Exchange = EXCHANGES[key]
    assert contract.problems(exchange._replace(answer=["spoiled"]))


def test_binary_bodies_are_readable() -> None:
    """What travelled as protobuf stands in the captures as JSON, but where JSON has another route for it."""
    for exchange in exchanges():
        if as_json(exchange).path == exchange.path:
            for body in (exchange.request, exchange.answer):
                assert "protobuf" not in (body or {}), (exchange.source, exchange.name)
        elif isinstance(exchange.request, dict) and "protobuf" in exchange.request:
            assert as_json(exchange).request == exchange.request["json"]
