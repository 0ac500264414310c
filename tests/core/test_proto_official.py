"""Agreement with the official client 0.38: its bytes are our values, and it reads our bytes as what we meant.

Only bytes, and what it read in them, are stored; `make golden-wire` makes them anew.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tinsmith.core.codec.decode import decode_forward_backward, decode_sample
from tinsmith.core.codec.proto_requests import decode_training_request
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith.core.values import ForwardBackwardRequest

from tests.core.wire_golden import ours
from tests.core.wire_golden.cases import OUTPUTS, REQUESTS, SAMPLES

GOLDEN = Path(__file__).parent / "wire_golden"
SEEN = json.loads((GOLDEN / "official.json").read_text())


def stored(name: str) -> bytes:
    """Return stored bytes."""
    return (GOLDEN / f"{name}.bin").read_bytes()


@pytest.mark.parametrize("name", REQUESTS)
def test_we_read_what_the_official_client_sends(name: str) -> None:
    """Chunks, tensors, spans and settings of its bytes are the case's."""
    request = decode_training_request(stored(f"official-request-{name}"))
    assert isinstance(request, ForwardBackwardRequest)
    assert (request.model_id, request.seq_id) == ("m:train:0", 3)
    assert request.forward_backward_input.data == ours.batch(REQUESTS[name])
    assert request.forward_backward_input.loss_fn_config == REQUESTS[name].get("loss_fn_config")
    assert request.forward_backward_input.loss_fn == REQUESTS[name]["loss_fn"]


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("side", ["official", "ours"])
def test_results_of_batches_are_read_alike(name: str, side: str) -> None:
    """What we read in either side's bytes is the case, and is what the official client reads in them."""
    found = decode_forward_backward(ProtobufPayload(stored(f"{side}-output-{name}")))
    assert found == ours.output(OUTPUTS[name])
    seen = SEEN["reads"][f"{side}-output-{name}"]
    assert found.loss_fn_output_type == seen["type"]
    assert found.metrics == seen["metrics"]
    assert [
        {field: [part.dtype, part.shape, part.data] for field, part in one.items()}
        for one in found.loss_fn_outputs
    ] == seen["outputs"]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("side", ["official", "ours"])
def test_samples_are_read_alike(name: str, side: str) -> None:
    """Sequences, logprobs with holes, top-k, targets, alternatives: as in the case, and as it reads them."""
    found = decode_sample(ProtobufPayload(stored(f"{side}-sample-{name}")))
    assert found == ours.sample(SAMPLES[name])
    seen: dict[str, Any] = SEEN["reads"][f"{side}-sample-{name}"]
    assert found == ours.sample(seen)


@pytest.mark.parametrize("name", sorted(ours.bodies()))
def test_our_bytes_are_those_that_the_official_client_has_read(name: str) -> None:
    """The stored bytes are ours of today, and a request of ours equals the official client's own message."""
    body = ours.bodies()[name]
    assert body == stored(name)
    assert hashlib.sha256(body).hexdigest() == SEEN["sha256"][name]
    assert SEEN["version"] == "0.38.0"
    if "-request-" in name:
        assert SEEN["reads"][name] == {"equal": True}
