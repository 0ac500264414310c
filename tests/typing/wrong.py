"""Calls that both type checkers must refuse, each marked with what it is refused for. Checked, never run."""

from __future__ import annotations

import tinsmith
from tinsmith import types


def values() -> None:
    """Refuse wrong values."""
    types.ModelInput.from_ints("text")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    types.TensorData(data=[1.0], dtype="float16")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    types.AdamParams(lr=1e-4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    types.SamplingParams(max_tokens="ten")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    types.LoraConfig()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    types.AdamParams().learning_rate = 1.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    types.NoSuchValue  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


def service() -> tinsmith.ServiceClient:
    """Refuse wrong constructors."""
    tinsmith.ServiceClient("local:")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    tinsmith.ServiceClient(url="local:")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    tinsmith.NoSuchClient()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    return tinsmith.ServiceClient(base_url="local:")


def training(client: tinsmith.TrainingClient, datum: types.Datum) -> None:
    """Refuse wrong training calls."""
    client.forward_backward(datum, "cross_entropy")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.forward_backward([datum])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.optim_step(1e-4)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.optim_step(types.AdamParams()).metrics  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
    client.save_state(step=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.get_info().no_such_field  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


def sampling(client: tinsmith.SamplingClient, prompt: types.ModelInput) -> None:
    """Refuse wrong sampling calls."""
    client.sample(prompt, 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.sample([1, 2], 1, types.SamplingParams())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.sample(prompt, 1, types.SamplingParams()).sequences  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


def rest(client: tinsmith.RestClient) -> None:
    """Refuse wrong REST calls."""
    client.get_training_run("run", access_scope=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.list_training_runs(page=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def twins(client: tinsmith.TrainingClient, sampler: tinsmith.SamplingClient) -> None:
    """Refuse a coroutine where its result is meant, and a future where its result is."""
    client.get_info_async().model_id  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
    (await client.optim_step_async(types.AdamParams())).metrics  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
    sampler.get_base_model_async().upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
