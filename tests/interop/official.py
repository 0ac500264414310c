"""Uses the public surface of the official SDK, unmodified, against the service that the environment names.

Runs in the SDK's own environment; `tests.interop.run` starts it. Writes what the other side must check to the
file that is its argument.
"""

import asyncio
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tinker
import torch
from PIL import Image
from tinker import types

from tests.interop import official_rest
from tests.interop.calls import Calls
from tests.interop.script import BASE_MODEL, LEARNING_RATE, RANK, SEED, batch, train

HELLO = types.ModelInput.from_ints(list(b"hello "))


def datum(tokens: list[int], targets: list[int], weights: list[float]) -> types.Datum:
    """Make a datum of plain lists."""
    return types.Datum(
        model_input=types.ModelInput.from_ints(tokens),
        loss_fn_inputs={"target_tokens": targets, "weights": weights},
    )


def policy_datum(**more: Any) -> types.Datum:
    """Make a datum for the losses of reinforcement learning, of arrays."""
    inputs = {
        "target_tokens": np.array(list(b"ello w")),
        "logprobs": torch.full((6,), -5.0),
        "advantages": np.array([0.0, 0.0, 1.0, -1.0, 0.5, 0.5], np.float32),
        **more,
    }
    return types.Datum(model_input=HELLO, loss_fn_inputs=inputs)


def seen() -> types.Datum:
    """Make a datum of an image between two texts: 16 x 8 pixels are two positions of the tiny model."""
    drawn = io.BytesIO()
    Image.new("RGB", (16, 8), "teal").save(drawn, "PNG")
    chunks: list[Any] = [
        types.EncodedTextChunk(tokens=[115]),
        types.ImageChunk(data=drawn.getvalue(), format="png", expected_tokens=2),
        types.EncodedTextChunk(tokens=[63]),
    ]
    inputs: dict[str, Any] = {"target_tokens": [1, 2, 3, 4], "weights": [1.0, 1.0, 1.0, 1.0]}
    return types.Datum(model_input=types.ModelInput(chunks=chunks), loss_fn_inputs=inputs)


def training(calls: Calls, client: tinker.TrainingClient) -> None:
    """Call what else a training client has: every loss, many datums, custom losses, both styles."""
    one = datum(*batch(0)[0])
    calls("TrainingClient.forward", lambda: client.forward([one], "cross_entropy").result(timeout=60))
    for loss in ("importance_sampling", "ppo", "cispo", "dro"):
        calls(
            f"TrainingClient.forward_backward, {loss}",
            lambda loss=loss: client.forward_backward([policy_datum()], loss).result(timeout=60).metrics,
            lambda metrics: "loss:sum" in metrics,
        )
    calls(
        "TrainingClient.forward_backward, ppo with its thresholds",
        lambda: (
            client.forward_backward(
                [policy_datum()], "ppo", {"clip_low_threshold": 0.9, "clip_high_threshold": 1.1}
            )
            .result(timeout=60)
            .metrics
        ),
    )
    many = [datum(*row) for step in range(60) for row in batch(step)]
    calls(
        f"TrainingClient.forward_backward, {len(many)} datums in chunks",
        lambda: client.forward_backward(many, "cross_entropy").result(timeout=60).loss_fn_outputs,
        lambda outputs: len(outputs) == len(many),
    )

    def loss_fn(
        data: list[types.Datum], logprobs: list[torch.Tensor]
    ) -> tuple[torch.Tensor, dict[str, float]]:
        loss = -torch.cat(logprobs).sum()
        return loss, {"mine": loss.item()}

    calls(
        "TrainingClient.forward_backward_custom",
        lambda: client.forward_backward_custom([one, one], loss_fn).result(timeout=60).metrics,
        lambda metrics: metrics["mine"] > 0,
    )
    calls(
        "TrainingClient.forward_backward, text and an image",
        lambda: client.forward_backward([seen()], "cross_entropy").result(timeout=60).metrics,
        lambda metrics: metrics["trained_tokens:sum"] == 4,
    )
    adam = types.AdamParams(learning_rate=1e-3, beta1=0.8, beta2=0.9, eps=1e-8)
    calls("TrainingClient.optim_step", lambda: client.optim_step(adam).result(timeout=60))

    async def asynchronous() -> Any:
        first = await client.forward_backward_async([one], "cross_entropy")
        second = await client.optim_step_async(types.AdamParams())
        return await first.result_async(), await second

    calls("TrainingClient, the *_async calls", lambda: asyncio.run(asynchronous()))


def saving(calls: Calls, service: tinker.ServiceClient, client: tinker.TrainingClient) -> str:
    """Save and load in every way; return the path of a sampler's checkpoint."""
    saved = calls("TrainingClient.save_state", lambda: client.save_state("interop").result(timeout=60))
    calls("TrainingClient.load_state", lambda: client.load_state(saved.path).result(timeout=60))
    calls(
        "TrainingClient.load_state_with_optimizer",
        lambda: client.load_state_with_optimizer(saved.path).result(timeout=60),
    )
    for name in ("create_training_client_from_state", "create_training_client_from_state_with_optimizer"):
        made = calls(f"ServiceClient.{name}", lambda name=name: getattr(service, name)(saved.path))
        calls(
            "... its model computes what the first does",
            lambda made=made: [probe(made), probe(client)],
            lambda pair: pair[0] == pair[1],
        )
    sampler = calls(
        "TrainingClient.save_weights_for_sampler",
        lambda: client.save_weights_for_sampler("interop").result(timeout=60),
        lambda found: found.path.startswith("tinker://"),
    )
    return str(sampler.path)


def probe(client: tinker.TrainingClient) -> float:
    """Return the loss of a model on one datum."""
    answer = client.forward([datum(*batch(1)[0])], "cross_entropy").result(timeout=60)
    return float(answer.metrics["loss:sum"])


def sampling(calls: Calls, client: tinker.SamplingClient, whose: str) -> None:
    """Sample and compute logprobs."""
    params = types.SamplingParams(max_tokens=8, temperature=0.7, top_p=0.9, top_k=50, seed=3)
    first = calls(
        f"SamplingClient.sample, {whose}, 4 samples",
        lambda: client.sample(HELLO, 4, params).result(timeout=60),
        lambda found: len(found.sequences) == 4 and all(s.logprobs for s in found.sequences),
    )
    calls(
        "... again with the same seed",
        lambda: client.sample(HELLO, 4, params).result(timeout=60),
        lambda found: [s.tokens for s in found.sequences] == [s.tokens for s in first.sequences],
    )
    calls(
        "SamplingClient.sample_async, 16 at once",
        lambda: asyncio.run(many_samples(client)),
        lambda found: len(found) == 16,
    )
    calls(
        "SamplingClient.sample, prompt logprobs and the likeliest tokens",
        lambda: client.sample(HELLO, 1, params, True, 3).result(timeout=60),
        lambda found: (
            len(found.prompt_logprobs) == HELLO.length
            and found.prompt_logprobs[0] is None
            and len(found.topk_prompt_logprobs[-1]) == 3
        ),
    )
    for stop in ("o", ["o", "e"], [111], []):
        words = types.SamplingParams(max_tokens=8, seed=1, stop=stop)
        calls(
            f"SamplingClient.sample, stop={stop!r}",
            lambda words=words: client.sample(HELLO, 1, words).result(timeout=60),
        )
    calls(
        "SamplingClient.compute_logprobs",
        lambda: client.compute_logprobs(HELLO).result(timeout=60),
        lambda found: len(found) == HELLO.length and found[0] is None,
    )


async def many_samples(client: tinker.SamplingClient) -> list[Any]:
    """Ask for 16 samples together."""
    params = [types.SamplingParams(max_tokens=8, seed=seed) for seed in range(16)]
    return await asyncio.gather(*(client.sample_async(HELLO, 1, one) for one in params))


def refusals(calls: Calls, service: tinker.ServiceClient, client: tinker.SamplingClient) -> None:
    """Make mistakes, each on clients of its own, as the official training client hangs behind one."""
    calls.refused(
        "ServiceClient.create_lora_training_client, unknown base model",
        lambda: service.create_lora_training_client("nobody/knows"),
        "NotFoundError",
        "nobody/knows",
    )
    doomed = service.create_lora_training_client(BASE_MODEL, rank=2)
    calls.refused(
        "TrainingClient.forward_backward, short targets",
        lambda: doomed.forward_backward([datum([1, 2, 3], [1, 2], [1.0, 1.0])], "cross_entropy").result(60),
        "BadRequestError",
        "target_tokens",
    )
    calls.refused(
        "SamplingClient.sample, beyond the vocabulary",
        lambda: client.sample(
            types.ModelInput.from_ints([10**6]), 1, types.SamplingParams(max_tokens=1)
        ).result(60),
        "1000000",
    )
    calls(
        "SamplingClient.sample, correct after the refusal",
        lambda: client.sample(HELLO, 1, types.SamplingParams(max_tokens=1)).result(timeout=60),
    )


def main(report: Path) -> int:
    """Make all calls; the exit code says whether all came out right."""
    calls = Calls()
    service = tinker.ServiceClient(user_metadata={"program": "interop"})
    calls("ServiceClient.get_server_capabilities", service.get_server_capabilities)
    client = calls(
        "ServiceClient.create_lora_training_client",
        lambda: service.create_lora_training_client(BASE_MODEL, rank=RANK, seed=SEED),
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
    base = calls(
        "ServiceClient.create_sampling_client, base model",
        lambda: service.create_sampling_client(base_model=BASE_MODEL),
    )
    sampling(calls, base, "base model")
    sampling(
        calls,
        calls("TrainingClient.create_sampling_client", lambda: client.create_sampling_client(path)),
        "checkpoint",
    )
    sampling(
        calls,
        calls(
            "TrainingClient.save_weights_and_get_sampling_client",
            client.save_weights_and_get_sampling_client,
        ),
        "weights of this moment",
    )
    refusals(calls, service, base)
    official_rest.rest(calls, service, model_id, path)
    official_rest.command_line(calls, model_id, path)
    report.write_text(json.dumps({"model_id": model_id, "losses": losses, "failed": calls.failed}))
    print(f"{calls.made - len(calls.failed)} of {calls.made} calls came out as they must")
    return 1 if calls.failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
