"""A run of training and sampling by the stand-alone client alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tinsmith_api import AuthenticatedClient, models, wait, wait_async
from tinsmith_api.api.models import create_model
from tinsmith_api.api.sampling import asample, create_sampling_session
from tinsmith_api.api.sessions import create_session
from tinsmith_api.api.training import forward_backward, optim_step
from tinsmith_api.api.weights import save_weights_for_sampler
from tinsmith_api.errors import RequestFailedError

from tests.api.world import BASE_MODEL
from tests.guard import WAIT_S

TOKENS = [1, 2, 3, 4, 5, 6]
STEPS = 40
"""Enough for the tiny model to know these tokens by heart."""


def session_request() -> models.CreateSessionRequest:
    """Ask for a session."""
    return models.CreateSessionRequest(tags=[], user_metadata=None, sdk_version="0.38.0")


def model_request(session_id: str) -> models.CreateModelRequest:
    """Ask for an adapter."""
    return models.CreateModelRequest(
        session_id=session_id,
        model_seq_id=0,
        base_model=BASE_MODEL,
        lora_config=models.LoraConfig(rank=8, seed=1),
    )


def prompt(tokens: list[int]) -> models.ModelInput:
    """Make tokens an input."""
    return models.ModelInput(chunks=[models.EncodedTextChunk(tokens=tokens)])


def step_request(model_id: str, seq_id: int, tokens: list[int]) -> models.ForwardBackwardRequest:
    """Ask for the gradients of one sequence."""
    inputs = {
        "target_tokens": models.TensorData(data=[*tokens[1:]], dtype="int64"),
        "weights": models.TensorData(data=[1.0] * (len(tokens) - 1), dtype="float32"),
    }
    datum = models.Datum(model_input=prompt(tokens[:-1]), loss_fn_inputs=inputs)
    return models.ForwardBackwardRequest(
        model_id=model_id,
        seq_id=seq_id,
        forward_backward_input=models.ForwardBackwardInput(data=[datum], loss_fn="cross_entropy"),
    )


def update_request(model_id: str, seq_id: int) -> models.OptimStepRequest:
    """Ask for a step of Adam."""
    return models.OptimStepRequest(
        model_id=model_id, seq_id=seq_id, adam_params=models.AdamParams(learning_rate=0.01)
    )


def save_request(model_id: str, seq_id: int) -> models.SaveWeightsForSamplerRequest:
    """Ask for a checkpoint to sample from."""
    return models.SaveWeightsForSamplerRequest(model_id=model_id, seq_id=seq_id, path="trained")


def sampler_request(session_id: str, path: str) -> models.CreateSamplingSessionRequest:
    """Ask for a sampler of a checkpoint."""
    return models.CreateSamplingSessionRequest(
        session_id=session_id, sampling_session_seq_id=0, model_path=path
    )


def sample_request(sampler: str) -> models.SampleRequest:
    """Ask for the likeliest continuation."""
    return models.SampleRequest(
        sampling_session_id=sampler,
        seq_id=0,
        num_samples=1,
        prompt=prompt(TOKENS[:3]),
        sampling_params=models.SamplingParams(max_tokens=3, temperature=0.0, seed=1),
    )


def train(client: AuthenticatedClient) -> tuple[list[float], list[int]]:
    """Train on one sequence, and continue its beginning; return the losses and the new tokens."""
    session_id = create_session.sync(client=client, body=session_request()).session_id
    promise = create_model.sync(client=client, body=model_request(session_id))
    model_id = wait(client, promise, models.CreateModelResponse, timeout_s=WAIT_S).model_id
    losses = []
    for step in range(STEPS):
        gradients = forward_backward.sync(client=client, body=step_request(model_id, 2 * step + 1, TOKENS))
        update = optim_step.sync(client=client, body=update_request(model_id, 2 * step + 2))
        output = wait(client, gradients, models.ForwardBackwardOutput, timeout_s=WAIT_S)
        wait(client, update, models.OptimStepResponse, timeout_s=WAIT_S)
        losses.append(loss_of(output))
    promise = save_weights_for_sampler.sync(client=client, body=save_request(model_id, 2 * STEPS + 1))
    saved = wait(client, promise, models.SaveWeightsForSamplerResponse, timeout_s=WAIT_S)
    opened = create_sampling_session.sync(client=client, body=sampler_request(session_id, str(saved.path)))
    promise = asample.sync(client=client, body=sample_request(opened.sampling_session_id))
    sampled = wait(client, promise, models.SampleResponse, timeout_s=WAIT_S)
    return losses, list(sampled.sequences[0].tokens)


async def train_async(client: AuthenticatedClient) -> tuple[list[float], list[int]]:
    """Do the same in a task."""
    async with client:
        opened = await create_session.asyncio(client=client, body=session_request())
        promise = await create_model.asyncio(client=client, body=model_request(opened.session_id))
        made = await wait_async(client, promise, models.CreateModelResponse, timeout_s=WAIT_S)
        losses = []
        for step in range(STEPS):
            gradients = await forward_backward.asyncio(
                client=client, body=step_request(made.model_id, 2 * step + 1, TOKENS)
            )
            update = await optim_step.asyncio(client=client, body=update_request(made.model_id, 2 * step + 2))
            output, _ = await asyncio.gather(
                wait_async(client, gradients, models.ForwardBackwardOutput, timeout_s=WAIT_S),
                wait_async(client, update, models.OptimStepResponse, timeout_s=WAIT_S),
            )
            losses.append(loss_of(output))
        promise = await save_weights_for_sampler.asyncio(
            client=client, body=save_request(made.model_id, 2 * STEPS + 1)
        )
        saved = await wait_async(client, promise, models.SaveWeightsForSamplerResponse, timeout_s=WAIT_S)
        sampler = await create_sampling_session.asyncio(
            client=client, body=sampler_request(opened.session_id, str(saved.path))
        )
        promise = await asample.asyncio(client=client, body=sample_request(sampler.sampling_session_id))
        sampled = await wait_async(client, promise, models.SampleResponse, timeout_s=WAIT_S)
        return losses, list(sampled.sequences[0].tokens)


def loss_of(output: models.ForwardBackwardOutput) -> float:
    """Return the loss of a step."""
    metrics: Any = output.metrics
    return float(metrics["loss:sum"])


def test_training_learns_the_sequence(client: AuthenticatedClient) -> None:
    """The loss falls to a fifth, and the sampler continues as trained; in threads and tasks alike."""
    losses, tokens = train(client)
    assert losses[-1] < losses[0] / 5
    assert tokens == TOKENS[3:]
    assert asyncio.run(train_async(client)) == (losses, tokens)


def test_work_that_fails_says_why(client: AuthenticatedClient) -> None:
    """A promise whose work fails is an error with the server's text, by its id too."""
    session_id = create_session.sync(client=client, body=session_request()).session_id
    promise = create_model.sync(client=client, body=model_request(session_id))
    model_id = wait(client, promise, models.CreateModelResponse, timeout_s=WAIT_S).model_id
    for seq_id, rate in ((1, 0.0), (3, 1e30)):  # a step so wide that the weights overflow
        gradients = forward_backward.sync(client=client, body=step_request(model_id, seq_id, TOKENS))
        adam = models.AdamParams(learning_rate=rate)
        wide = models.OptimStepRequest(model_id=model_id, seq_id=seq_id + 1, adam_params=adam)
        update = optim_step.sync(client=client, body=wide)
        wait(client, gradients, models.ForwardBackwardOutput, timeout_s=WAIT_S)
        wait(client, update, models.OptimStepResponse, timeout_s=WAIT_S)
    gradients = forward_backward.sync(client=client, body=step_request(model_id, 5, TOKENS))
    for named in (gradients, gradients.request_id):
        with pytest.raises(RequestFailedError, match=r"finite|diverged") as caught:
            wait(client, named, models.ForwardBackwardOutput, timeout_s=WAIT_S)
        assert caught.value.category == "user"
