"""One client against servers that speak JSON, protobuf or both: the same run, and how it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pytest
import tinsmith
from tinsmith import types
from tinsmith.core.config import ChunkLimits, ClientConfig
from tinsmith_local.app.gate import Gate
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.e2e.bench import datum, policy_datum

if TYPE_CHECKING:
    from pathlib import Path

PROTOBUF, JSON = "application/x-protobuf", "application/json"
PATIENCE_S = 60.0


@attrs.frozen
class Run:
    """What one run gave, and what of it went over the wire."""

    losses: list[float]
    logprobs: list[list[float]]
    tokens: list[list[int]]
    sampled: list[bytes]
    """The log-probabilities of the samples, as the float32 that they are."""
    sent: list[tuple[str, str]]
    """Path and content type of each batch, probes left out."""
    probes: int
    accepted: set[str]
    """What polls said that they accept."""
    server: str
    """What kind of server the client took it for."""


def play(directory: Path, wire: Any, *, flags: dict[str, Any] | None = None, **settings: Any) -> Run:
    """Train, forward and sample on a service of its own that speaks `wire`."""
    sent: list[tuple[str, str, int]] = []
    accepted: set[str] = set()
    through = Gate.__call__

    async def noted(gate: Gate, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path = str(scope["path"]).removeprefix("/api/v1/")
        if path in ("forward", "forward_backward"):
            sent.append((path, headers["content-type"], int(headers["content-length"])))
        if path == "retrieve_future":
            accepted.add(headers["accept"])
        await through(gate, scope, receive, send)

    options = ServeOptions(data_dir=directory, wire=wire, client_flags=flags or {})
    with pytest.MonkeyPatch.context() as patch, serving(options) as (address, _):
        patch.setattr(Gate, "__call__", noted)
        settings |= {"chunk_limits": ChunkLimits(max_datums=2)}
        config = ClientConfig.from_environment(base_url=address.base_url, api_key=address.token, **settings)
        with tinsmith.ServiceClient(config=config) as service:
            client = service.create_lora_training_client("tinsmith/tiny", rank=4, seed=3)
            outputs = []
            for step in range(3):
                batch = [datum(b"text number %d of step %d" % (at, step)) for at in range(3)]
                outputs.append(client.forward_backward(batch, "cross_entropy"))
                client.optim_step(types.AdamParams(learning_rate=1e-2))
            outputs.append(client.forward([datum()], "cross_entropy"))
            outputs.append(client.forward_backward([policy_datum()], "importance_sampling"))
            found = [output.result(PATIENCE_S) for output in outputs]
            sampler = client.save_weights_and_get_sampling_client()
            drawn = sampler.sample(
                types.ModelInput.from_ints(list(b"text")), 2, types.SamplingParams(max_tokens=8, seed=5)
            ).result(PATIENCE_S)
            kind_of_server = service.server.name
    return Run(
        [output.metrics["loss:sum"] for output in found],
        [record["logprobs"].tolist() for output in found for record in output.loss_fn_outputs],
        [sequence.tokens for sequence in drawn.sequences],
        [np.array(sequence.logprobs, np.float32).tobytes() for sequence in drawn.sequences],
        [(path, kind) for path, kind, size in sent if size > 2],
        sum(size == 2 for _, _, size in sent),
        accepted,
        kind_of_server,
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Play against each kind of server."""
    return {wire: play(tmp_path_factory.mktemp(wire), wire) for wire in ("json", "protobuf", "both")}


def test_runs_are_bit_equal(runs: dict[str, Run]) -> None:
    """Losses, log-probabilities and tokens do not depend on the encoding."""
    first = runs["json"]
    for other in (runs["protobuf"], runs["both"]):
        assert (other.losses, other.logprobs) == (first.losses, first.logprobs)
        assert (other.tokens, other.sampled) == (first.tokens, first.sampled)


@pytest.mark.parametrize(
    ("wire", "kind", "server"),
    [("json", JSON, "unknown"), ("protobuf", PROTOBUF, "unknown"), ("both", PROTOBUF, "tinsmith")],
)
def test_one_probe_finds_one_encoding(runs: dict[str, Run], wire: str, kind: str, server: str) -> None:
    """At most one probe, none where the server is known, and every batch in the one form that it found."""
    run = runs[wire]
    assert (run.probes, run.server) == (0 if server == "tinsmith" else 1, server)
    assert {each for _, each in run.sent} == {kind}
    forwards = ["forward"] if kind == JSON else ["forward_backward"]
    batches = ["forward_backward"] * 6
    assert [path for path, _ in run.sent] == [*batches, *forwards, "forward_backward"]


def test_results_are_asked_for_in_both_forms(runs: dict[str, Run]) -> None:
    """Large results may come either way; the answer's content type decides."""
    assert all(run.accepted == {JSON, f"{PROTOBUF}, {JSON}"} for run in runs.values())


@pytest.mark.parametrize(
    ("wire", "forced"), [("both", "protobuf"), ("both", "json"), ("protobuf", "protobuf")]
)
def test_forced_encoding_needs_no_probe(runs: dict[str, Run], tmp_path: Path, wire: str, forced: Any) -> None:
    """`encoding=` decides, and the run is the same."""
    run = play(tmp_path, wire, encoding=forced)
    assert run.probes == 0
    assert {kind for _, kind in run.sent} == {PROTOBUF if forced == "protobuf" else JSON}
    assert (run.losses, run.tokens) == (runs["json"].losses, runs["json"].tokens)


def test_flag_settles_the_encoding_and_compresses(runs: dict[str, Run], tmp_path: Path) -> None:
    """proto_compress_fwdbwd: protobuf under zstd, without a probe; the run is the same."""
    run = play(tmp_path, "protobuf", flags={"proto_compress_fwdbwd": True})
    assert run.probes == 0
    assert {kind for _, kind in run.sent} == {PROTOBUF}
    assert (run.losses, run.tokens) == (runs["json"].losses, runs["json"].tokens)


def test_forced_wrong_encoding_is_refused(tmp_path: Path) -> None:
    """Who forces what the server does not speak gets 415, and nothing was applied."""
    with pytest.raises(tinsmith.APIStatusError) as caught:
        play(tmp_path, "json", encoding="protobuf")
    assert (caught.value.status_code, caught.value.applied, caught.value.seq_id) == (415, "no", 1)
