"""Calls that both type checkers must accept. Checked, never run."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, assert_type

import numpy as np
import tinsmith
from tinsmith import types

if TYPE_CHECKING:
    from collections.abc import Sequence


def values() -> types.Datum:
    """Build each value in the ways that programs use."""
    prompt = types.ModelInput.from_ints([1, 2, 3])
    assert_type(prompt.to_ints(), list[int])
    assert_type(prompt.length, int)
    assert_type(types.ModelInput.empty().append_int(4), types.ModelInput)
    assert_type(prompt.append(types.EncodedTextChunk(tokens=[4])), types.ModelInput)
    image = types.ImageChunk(data=b"...", format="png", expected_tokens=4)
    types.ModelInput(chunks=[types.EncodedTextChunk(tokens=[1]), image])
    tensor = types.TensorData(data=[1.0, 2.0], dtype="float32", shape=[2])
    types.TensorData.from_numpy(np.zeros(3, dtype=np.float32))
    params = types.SamplingParams(max_tokens=10, stop=["\n"], temperature=0.5, top_k=3, top_p=0.9, seed=1)
    types.SamplingParams(stop="\n")
    types.SamplingParams(stop=[1, 2])
    types.AdamParams(learning_rate=1e-4, beta1=0.9, weight_decay=0.1, grad_clip_norm=1.0)
    types.LoraConfig(rank=8, train_mlp=False)
    assert_type(params.max_tokens, int | None)
    return types.Datum(
        model_input=prompt,
        loss_fn_inputs={
            "target_tokens": np.array([2, 3, 4]),
            "weights": [0.0, 1.0, 1.0],
            "advantages": tensor,
        },
    )


def train(data: Sequence[types.Datum]) -> None:
    """Train from plain code."""
    with tinsmith.ServiceClient(base_url="local:", user_metadata={"run": "1"}) as service:
        training = service.create_lora_training_client("tinsmith/tiny", 8, seed=1, train_mlp=False)
        assert_type(training, tinsmith.TrainingClient)
        passed = training.forward_backward(list(data), "cross_entropy")
        assert_type(passed, tinsmith.APIFuture[types.ForwardBackwardOutput])
        stepped = training.optim_step(types.AdamParams(learning_rate=1e-3))
        assert_type(passed.result(timeout=10), types.ForwardBackwardOutput)
        assert_type(stepped.result(), types.OptimStepResponse)
        concurrent.futures.wait([passed], timeout=1)
        training.forward(list(data), "ppo", {"clip_low_threshold": 0.8}).result()
        saved = training.save_state("step-1", ttl_seconds=3600, overwrite=True).result()
        assert_type(saved.path, str)
        training.load_state_with_optimizer(saved.path).result()
        training.save_weights_for_sampler(name="final").result()
        sampler = training.save_weights_and_get_sampling_client("final")
        assert_type(sampler, tinsmith.SamplingClient)
        sample(sampler)
        manage(service.create_rest_client())


def sample(sampler: tinsmith.SamplingClient) -> None:
    """Sample from plain code."""
    drawn = sampler.sample(types.ModelInput.from_ints([1]), 2, types.SamplingParams(max_tokens=3))
    assert_type(drawn, tinsmith.APIFuture[types.SampleResponse])
    for sequence in drawn.result().sequences:
        assert_type(sequence.stop_reason, types.StopReason)
    assert_type(sampler.compute_logprobs(types.ModelInput.from_ints([1, 2])).result(), list[float | None])
    assert_type(sampler.get_base_model(), str)


def manage(rest: tinsmith.RestClient) -> None:
    """List and change what was saved."""
    page = rest.list_training_runs(limit=5, offset=0).result()
    assert_type(page.training_runs, list[types.TrainingRun])
    assert_type(rest.list_user_checkpoints().result(), types.CheckpointsListResponse)
    assert_type(rest.get_training_run("run", access_scope="accessible").result(), types.TrainingRun)
    assert_type(rest.publish_checkpoint_from_tinker_path("tinker://run/weights/1").result(), None)
    rest.set_checkpoint_ttl_from_tinker_path("tinker://run/weights/1", None).result()
    assert_type(rest.copy_weights("tinker://run/weights/1", "project").result(), str)
    found = rest.search_sessions(types.SessionSearchRequest(display_name="try", limit=10)).result()
    assert_type(found.sessions, list[types.SessionSummary])
    usage = rest.get_billing_usage("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z").result()
    assert_type(usage.data, list[types.BillingUsageEvent])


def optimize(service: tinsmith.ServiceClient) -> None:
    """Train with another optimizer, and save files to fetch."""
    trainer = service.create_lora_training_client("base", optimizer=types.DimuonOptimizerConfig())
    trainer.optim_step(types.DimuonParams(learning_rate=0.01)).result()
    trainer.optim_step(optim_params={"type": "new", "learning_rate": 0.01}).result()
    saved = trainer.save_weights_external("release").result()
    assert_type(saved, types.SaveWeightsExternalResponse)
    service.close("success", detail="done")


async def train_async(data: list[types.Datum]) -> None:
    """Train from a coroutine: await a training method for its place in line, its future for the result."""
    async with tinsmith.ServiceClient(base_url="local:") as service:
        training = await service.create_lora_training_client_async(base_model="tinsmith/tiny")
        passed = await training.forward_backward_async(data, "cross_entropy")
        assert_type(passed, tinsmith.APIFuture[types.ForwardBackwardOutput])
        assert_type(await passed, types.ForwardBackwardOutput)
        assert_type(await passed.result_async(timeout=1.0), types.ForwardBackwardOutput)
        sampler = await training.save_weights_and_get_sampling_client_async()
        params = types.SamplingParams(max_tokens=1)
        prompt = types.ModelInput.from_ints([1])
        drawn = await asyncio.gather(
            sampler.sample_async(prompt, 1, params), sampler.sample_async(prompt, 1, params)
        )
        assert_type(drawn[0], types.SampleResponse)


def survive(training: tinsmith.TrainingClient) -> str:
    """Catch errors by the official tree and read what became of the request."""
    try:
        training.optim_step(types.AdamParams()).result()
    except tinsmith.RateLimitError as error:
        return f"{error.status_code} {error.retry_after_s}"
    except tinsmith.APIStatusError as error:
        return str(error.status_code)
    except tinsmith.RequestFailedError as error:
        return error.category.value
    except tinsmith.TinkerError as error:
        return f"{error.applied} {error.seq_id}"
    return "applied"
