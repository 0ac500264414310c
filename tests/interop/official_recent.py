"""Uses the official SDK of today, 0.25 or later, unmodified, against the service that the environment names.

Runs in the SDK's own environment; `tests.interop.run` starts it. Needs no torch. Writes what the other side
must check to the file that is its argument.
"""

import json
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import tinker
from tinker import types

from tests.interop import official_recent_rest
from tests.interop.calls import Calls
from tests.interop.script import BASE_MODEL, LEARNING_RATE, RANK, SEED, batch, train

VERSION = tuple(int(part) for part in tinker.__version__.split(".")[:2])
HELLO = types.ModelInput.from_ints(list(b"hello "))


def made(client: Any) -> Any:
    """Return a client; recent releases hand out something to wait for."""
    return client if isinstance(client, tinker.TrainingClient | tinker.SamplingClient) else client.result(60)


def datum(tokens: list[int], targets: list[int], weights: list[float]) -> types.Datum:
    """Make a datum of arrays."""
    inputs = {"target_tokens": np.array(targets), "weights": np.array(weights, np.float32)}
    return types.Datum(model_input=types.ModelInput.from_ints(tokens), loss_fn_inputs=inputs)


def policy_datum() -> types.Datum:
    """Make a datum for the losses of reinforcement learning."""
    inputs = {
        "target_tokens": np.array(list(b"ello w")),
        "logprobs": np.full(6, -5.0, np.float32),
        "advantages": np.array([0.0, 0.0, 1.0, -1.0, 0.5, 0.5], np.float32),
    }
    return types.Datum(model_input=HELLO, loss_fn_inputs=inputs)


def sparse_datum() -> types.Datum:
    """Make a datum with two targets at one position, as a compressed sparse row tensor."""
    places: dict[str, Any] = {"sparse_crow_indices": [0, 2, 3], "sparse_col_indices": [0, 1, 0]}
    inputs = {
        "target_tokens": types.TensorData(data=[101, 102, 103], dtype="int64", shape=[2, 2], **places),
        "weights": types.TensorData(data=[0.5, 0.5, 1.0], dtype="float32", shape=[2, 2], **places),
    }
    return types.Datum(model_input=types.ModelInput.from_ints([1, 2]), loss_fn_inputs=inputs)


def png(width: int, height: int) -> bytes:
    """Draw a PNG by hand: one grey, eight bits."""

    def part(kind: bytes, content: bytes) -> bytes:
        whole = kind + content
        return struct.pack(">I", len(content)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\x00" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", rows) + part(b"IEND", b"")


def seen() -> types.Datum:
    """Make a datum of an image between two texts: 16 x 8 pixels are two positions of the tiny model."""
    chunks: list[Any] = [
        types.EncodedTextChunk(tokens=[115]),
        types.ImageChunk(data=png(16, 8), format="png", expected_tokens=2),
        types.EncodedTextChunk(tokens=[63]),
    ]
    inputs = {"target_tokens": np.array([1, 2, 3, 4]), "weights": np.ones(4, np.float32)}
    return types.Datum(model_input=types.ModelInput(chunks=chunks), loss_fn_inputs=inputs)


def training(calls: Calls, client: Any) -> None:
    """Call what else a training client has: forward, every loss, sparse targets, an image, many datums."""
    one = datum(*batch(0)[0])

    def metrics(data: list[types.Datum], loss: Any, config: Any = None) -> Any:
        return client.forward_backward(data, loss, config).result(timeout=60).metrics

    calls("TrainingClient.forward", lambda: client.forward([one], "cross_entropy").result(timeout=60))
    losses = ["importance_sampling", "ppo", "cispo", "dro", *(["gspo"] if VERSION >= (0, 34) else [])]
    for loss in losses:
        calls(
            f"TrainingClient.forward_backward, {loss}",
            lambda loss=loss: metrics([policy_datum()], loss),
            lambda found: "loss:sum" in found,
        )
    thresholds = {"clip_low_threshold": 0.9, "clip_high_threshold": 1.1}
    calls("... ppo with its thresholds", lambda: metrics([policy_datum()], "ppo", thresholds))
    calls("... sparse targets", lambda: metrics([sparse_datum()], "cross_entropy"))
    calls(
        "... text and an image",
        lambda: metrics([seen()], "cross_entropy"),
        lambda found: found["trained_tokens:sum"] == 4,
    )
    many = [datum(*row) for step in range(250) for row in batch(step)]
    calls(
        f"... {len(many)} datums in chunks",
        lambda: client.forward_backward(many, "cross_entropy").result(timeout=120).loss_fn_outputs,
        lambda outputs: len(outputs) == len(many),
    )
    adam = types.AdamParams(learning_rate=1e-3, weight_decay=0.1, grad_clip_norm=1.0)
    calls("TrainingClient.optim_step, decay and clipping", lambda: client.optim_step(adam).result(timeout=60))


def probe(client: Any) -> float:
    """Return the loss of a model on one datum."""
    answer = client.forward([datum(*batch(1)[0])], "cross_entropy").result(timeout=60)
    return float(answer.metrics["loss:sum"])


def saving(calls: Calls, service: Any, client: Any) -> str:
    """Save and restore in every way; return the path of a sampler's checkpoint."""
    saved = calls(
        "TrainingClient.save_state", lambda: client.save_state("interop", ttl_seconds=7200).result(60)
    )
    calls(
        "TrainingClient.save_state, overwrite",
        lambda: client.save_state("interop", overwrite=True).result(60),
    )
    for name in ("create_training_client_from_state", "create_training_client_from_state_with_optimizer"):
        copy = calls(f"ServiceClient.{name}", lambda name=name: made(getattr(service, name)(saved.path)))
        calls(
            "... its model computes what the first does",
            lambda copy=copy: [probe(copy), probe(client)],
            lambda pair: pair[0] == pair[1],
        )
    calls("TrainingClient.load_state", lambda: client.load_state(saved.path).result(timeout=60))
    sampler = calls(
        "TrainingClient.save_weights_for_sampler",
        lambda: client.save_weights_for_sampler("interop", ttl_seconds=7200).result(timeout=60),
        lambda found: found.path.startswith("tinker://"),
    )
    return str(sampler.path)


def sampling(calls: Calls, client: Any, whose: str) -> None:
    """Sample and compute logprobs."""
    params = types.SamplingParams(max_tokens=8, temperature=0.7, top_p=0.9, top_k=50, seed=3)
    first = calls(
        f"SamplingClient.sample, {whose}, 4 samples",
        lambda: client.sample(HELLO, 4, params).result(timeout=60),
        lambda found: len(found.sequences) == 4 and all(len(s.tokens) for s in found.sequences),
    )
    calls(
        "... again with the same seed",
        lambda: client.sample(HELLO, 4, params).result(timeout=60),
        lambda found: [list(s.tokens) for s in found.sequences] == [list(s.tokens) for s in first.sequences],
    )
    calls(
        "... 16 at once",
        lambda: [future.result(60) for future in [client.sample(HELLO, 1, params) for _ in range(16)]],
    )
    calls(
        "... prompt logprobs and the likeliest tokens",
        lambda: client.sample(HELLO, 1, params, include_prompt_logprobs=True, topk_prompt_logprobs=3).result(
            60
        ),
        lambda found: (
            len(found.prompt_logprobs) == HELLO.length
            and found.prompt_logprobs[0] is None
            and len(found.topk_prompt_logprobs[-1]) == 3
        ),
    )
    for stop in (["o", "e"], [111], []):
        words = types.SamplingParams(max_tokens=8, seed=1, stop=stop)
        calls(f"... stop={stop!r}", lambda words=words: client.sample(HELLO, 1, words).result(timeout=60))
    calls(
        "SamplingClient.compute_logprobs",
        lambda: client.compute_logprobs(HELLO).result(timeout=60),
        lambda found: len(found) == HELLO.length and found[0] is None,
    )


def main(report: Path) -> int:
    """Make all calls; the exit code says whether all came out right."""
    calls = Calls()
    service = tinker.ServiceClient(user_metadata={"program": "interop"})
    calls("ServiceClient.get_server_capabilities", service.get_server_capabilities)
    client = calls(
        "ServiceClient.create_lora_training_client",
        lambda: made(service.create_lora_training_client(BASE_MODEL, rank=RANK, seed=SEED)),
    )
    model_id = calls("TrainingClient.get_info", client.get_info, lambda info: info.lora_rank == RANK).model_id
    losses = train(calls, client, datum, types.AdamParams(learning_rate=LEARNING_RATE))
    training(calls, client)
    calls(
        "TrainingClient.get_tokenizer",
        lambda: client.get_tokenizer().decode(client.get_tokenizer().encode("héllo")),
        lambda text: text == "héllo",
    )
    path = saving(calls, service, client)
    ways = {
        "base model": lambda: service.create_sampling_client(base_model=BASE_MODEL),
        "checkpoint": lambda: client.create_sampling_client(path),
        "weights of this moment": client.save_weights_and_get_sampling_client,
    }
    for whose, way in ways.items():
        sampler = calls(f"a sampling client, {whose}", lambda way=way: made(way()))
        sampling(calls, sampler, whose)
    calls.refused(
        "TrainingClient.forward_backward, short targets",
        lambda: (
            made(service.create_lora_training_client(BASE_MODEL, rank=2))
            .forward_backward([datum([1, 2, 3], [1, 2], [1.0, 1.0])], "cross_entropy")
            .result(60)
        ),
        "target_tokens",
    )
    official_recent_rest.rest(calls, service, client, model_id, path)
    official_recent_rest.command_line(calls, model_id, path)
    if VERSION >= (0, 28):
        calls("ServiceClient.close", lambda: service.close("success").result(60))
    report.write_text(json.dumps({"model_id": model_id, "losses": losses, "failed": calls.failed}))
    print(f"{calls.made - len(calls.failed)} of {calls.made} calls came out as they must")
    return 1 if calls.failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
