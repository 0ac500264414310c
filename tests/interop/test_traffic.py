"""What each release of the official SDK said to `tinsmith serve` fits the contract; misfits are found."""

import base64
import json
from collections import Counter
from typing import Any

import pytest
from contract_captures import Contract, Exchange, exchanges
from contract_document import CONTRACT, load
from tinsmith.contract.exchange import as_json

from tests.interop.traffic import CAPTURES
from tests.redacted import traces

EXCHANGES = {(exchange.source, exchange.name): exchange for exchange in exchanges(CAPTURES)}
RELEASES = ("sdk-0.25.0", "sdk-0.38.0", "sdk-0.38.0-flags", "sdk-0.6.3")


@pytest.fixture(scope="module")
def contract() -> Contract:
    """Return the contract, ready to judge."""
    return Contract(load(CONTRACT))


def test_each_release_is_recorded_whole() -> None:
    """Training, saving, restoring and sampling are in each capture, by the counts of what passed."""
    assert sorted({source for source, _ in EXCHANGES}) == sorted(RELEASES)
    for release in RELEASES:
        counts: Counter[str] = Counter()
        for name, count in json.loads((CAPTURES / f"{release}.json").read_text())["counts"].items():
            counts[name.split()[1].removeprefix("/api/v1/")] += count
        assert counts["forward_backward"] >= 200
        assert counts["optim_step"] >= 200
        for route in ("create_model", "save_weights", "load_weights", "asample", "retrieve_future"):
            assert counts[route], (release, route)


def test_the_encodings_of_each_release() -> None:
    """0.6.3 speaks JSON alone, the later ones protobuf in batches and results; the flagged one packs them."""

    def kinds(release: str) -> set[str]:
        return {
            exchange.request_headers["content-type"] + exchange.request_headers.get("content-encoding", "")
            for (source, _), exchange in EXCHANGES.items()
            if source == release and exchange.path.endswith("/forward_backward")
        }

    assert kinds("sdk-0.6.3") == {"application/json"}
    assert kinds("sdk-0.25.0") == kinds("sdk-0.38.0") == {"application/x-protobuf"}
    assert kinds("sdk-0.38.0-flags") == {"application/x-protobufzstd"}


@pytest.mark.parametrize("release", RELEASES)
def test_traffic_fits(release: str, contract: Contract) -> None:
    """Requests, parameters, statuses, answers and results are as the contract says."""
    problems = {
        name: found
        for (source, name), exchange in EXCHANGES.items()
        if source == release and (found := contract.problems(exchange))
    }
    assert problems == {}


def test_what_protobuf_says_stands_beside_it() -> None:
    """The raw bytes of each body are read as the JSON that the capture shows of them."""
    seen = Counter[str]()
    for exchange in EXCHANGES.values():
        for part in ("request", "answer"):
            body = getattr(exchange, part) or {}
            if "protobuf" in body:
                seen[exchange.source] += 1
                raw: Any = {part: {"protobuf": body["protobuf"]}}
                alone = exchange._replace(**raw)
                assert getattr(as_json(alone), part) == body["json"], exchange.name
    assert seen == {"sdk-0.25.0": 5, "sdk-0.38.0": 5, "sdk-0.38.0-flags": 5}


def _protobuf(part: str) -> Exchange:
    """Return an exchange of 0.38.0 with a protobuf body in its request or answer."""
    return next(
        exchange
        for (source, _), exchange in EXCHANGES.items()
        if source == "sdk-0.38.0" and "protobuf" in (getattr(exchange, part) or ())
    )


def test_misfits_in_protobuf_are_found(contract: Contract) -> None:
    """A batch without data, and a batch's result where a checkpoint's path is due, do not pass."""
    batch = _protobuf("request")
    empty = base64.b64encode(bytes([10, 1, 97])).decode()
    assert contract.problems(batch._replace(request={"protobuf": empty}))
    answer = _protobuf("answer")
    headers = {**answer.request_headers, "x-tinker-request-type": "SaveWeights"}
    assert any("path" in one for one in contract.problems(answer._replace(request_headers=headers)))


def test_the_captures_name_no_secret_and_no_machine() -> None:
    """No credential, no signed URL, no path of the machine that recorded."""
    for file in CAPTURES.glob("*.json"):
        assert traces(file.read_text(encoding="utf-8"), "eyj", "archives/l") == []
