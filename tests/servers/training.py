"""Steps: connecting, making a model, losses, optimizer steps."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from tinsmith import AdamParams, Datum, TensorData
from tinsmith.core.config import ChunkLimits

from tests.servers.drive import ADAM, WAIT_S, Drive, Step, holds, same, step


@step("get_server_capabilities")
def capabilities(drive: Drive) -> object:
    """The base model is offered."""
    names = [model.model_name for model in drive.service.get_server_capabilities().supported_models]
    holds(drive.base_model in names, f"the models are {names}")
    return len(names)


@step("create_lora_training_client")
def create(drive: Drive) -> object:
    """A model is made, once."""
    model_id = drive.trainer.model_id
    same(drive.ledger.models(str(drive.service.session_id)), [model_id], "models of the session")
    return model_id


@step("get_info")
def info(drive: Drive) -> object:
    """The server says what the model is."""
    found = drive.trainer.get_info()
    same(found.model_id, drive.trainer.model_id, "model_id")
    same(found.model_data.model_name or found.model_name, drive.base_model, "base model")
    return found.lora_rank


@step("get_tokenizer by path")
def tokenizer(drive: Drive) -> object:
    """The base model is a folder here, and its tokenizer is read from there."""
    found = drive.trainer.get_tokenizer()
    same(found.encode("for x in range(", add_special_tokens=False), drive.ids("for x in range("), "tokens")
    text = found.apply_chat_template(
        [{"role": "user", "content": "hi"}], tokenize=False, add_generation_prompt=True
    )
    holds("<|im_start|>user\nhi<|im_end|>" in str(text), f"the template gives {text!r}")
    return len(found)


@step("forward cross_entropy")
def forward(drive: Drive) -> object:
    """Log-probabilities come in the shape of the targets, and the loss is that of a fresh model."""
    output = drive.done(drive.trainer, drive.trainer.forward(drive.data, "cross_entropy"), "forward")
    for found in output.loss_fn_outputs:
        holds(all(np.isfinite(found["logprobs"].to_numpy())), "a log-probability is not finite")
    return round(drive.loss(output), 3)


@step("forward_backward and optim_step, 8 times")
def learn(drive: Drive) -> object:
    """The loss falls."""
    losses = [round(drive.loss(drive.learn(drive.trainer)), 3) for _ in range(8)]
    holds(losses[-1] < losses[0], f"the losses are {losses}")
    return losses


@step("four steps in flight at once")
def pipelined(drive: Drive) -> object:
    """Calls are applied in their order without waiting for results."""
    futures: list[tuple[Any, str]] = []
    for _ in range(4):
        futures.append((drive.trainer.forward_backward(drive.data, "cross_entropy"), "forward_backward"))
        futures.append((drive.trainer.optim_step(ADAM), "optim_step"))
    results = [drive.done(drive.trainer, future, operation) for future, operation in futures]
    return round(drive.loss(results[-2]), 3)


@step("forward_backward_async awaited")
def awaited(drive: Drive) -> object:
    """The same from asyncio."""

    async def once() -> Any:
        passed = await drive.trainer.forward_backward_async(drive.data, "cross_entropy")
        stepped = await drive.trainer.optim_step_async(ADAM)
        return await passed, await stepped

    output, _ = asyncio.run(once())
    drive.done(drive.trainer, _ended(output), "forward_backward")
    drive.done(drive.trainer, _ended(None), "optim_step")
    return round(drive.loss(output), 3)


def _ended(value: object) -> Any:
    """Return a future that has ended."""
    from tinsmith import APIFuture

    future: APIFuture[Any] = APIFuture()
    future.settle(value)
    return future


@step("forward_backward in three chunks")
def chunks(drive: Drive) -> object:
    """A batch above the limit is split, and its results are in the order of the datums."""
    split = drive.renewed(chunk_limits=ChunkLimits(max_datums=1))
    with split.service:
        trainer = split.create(rank=4)
        passed = trainer.forward_backward(drive.data, "cross_entropy")
        output = drive.done(trainer, passed, *["forward_backward"] * len(drive.data))
        drive.done(trainer, trainer.optim_step(ADAM), "optim_step")
        split.unload(trainer)
    return round(drive.loss(output), 3)


def _reinforced(drive: Drive, loss: str, config: dict[str, float] | None = None) -> object:
    """Train with a loss of reinforcement learning."""
    looked = drive.done(drive.trainer, drive.trainer.forward(drive.data, "cross_entropy"), "forward")
    data = []
    for datum, found in zip(drive.data, looked.loss_fn_outputs, strict=True):
        weights = datum.loss_fn_inputs["weights"].to_numpy()
        inputs = {
            "target_tokens": datum.loss_fn_inputs["target_tokens"],
            "logprobs": TensorData.from_numpy(found["logprobs"].to_numpy().astype(np.float32)),
            "advantages": TensorData.from_numpy((weights * 0.5).astype(np.float32)),
        }
        data.append(Datum(model_input=datum.model_input, loss_fn_inputs=inputs))
    passed = drive.trainer.forward_backward(data, loss, config)
    output = drive.done(drive.trainer, passed, "forward_backward")
    drive.done(drive.trainer, drive.trainer.optim_step(ADAM), "optim_step")
    same(len(output.loss_fn_outputs), len(data), "outputs")
    return sorted(output.loss_fn_outputs[0])


def _loss_step(loss: str, config: dict[str, float] | None = None) -> Step:
    name = f"loss {loss}" + (" with its settings" if config else "")
    return Step(name, lambda drive: _reinforced(drive, loss, config))


importance_sampling = _loss_step("importance_sampling")
ppo = _loss_step("ppo")
ppo_settings = _loss_step("ppo", {"clip_low_threshold": 0.9, "clip_high_threshold": 1.1})
cispo = _loss_step("cispo")
dro = _loss_step("dro", {"beta": 0.05})
gspo = _loss_step("gspo")


@step("forward_backward_custom")
def custom(drive: Drive) -> object:
    """A loss of ours: a forward, and a backward with its gradient."""

    def loss(data: list[Datum], logprobs: list[Any]) -> tuple[float, dict[str, float], list[Any]]:
        weights = [datum.loss_fn_inputs["weights"].to_numpy() for datum in data]
        value = -sum(float((a * b).sum()) for a, b in zip(weights, logprobs, strict=True))
        return value, {"mine": value}, [-weight for weight in weights]

    made = drive.trainer.forward_backward_custom(drive.data, loss, backend="numpy")
    output = drive.done(drive.trainer, made, "forward", "forward_backward")
    drive.done(drive.trainer, drive.trainer.optim_step(ADAM), "optim_step")
    holds("mine" in output.metrics, f"the metrics are {sorted(output.metrics)}")
    return output.metrics["mine"]


@step("the server is recognised")
def recognised(drive: Drive) -> object:
    """The client knows which server it talks to, from answers that came anyway."""
    same(drive.service.server.name, drive.name, "the profile")
    return drive.service.server.name


@step("optim_step with decay and clipping")
def clipped(drive: Drive) -> object:
    """The rest of the optimizer's parameters is taken."""
    drive.done(drive.trainer, drive.trainer.forward_backward(drive.data, "cross_entropy"), "forward_backward")
    params = AdamParams(learning_rate=1e-3, weight_decay=0.01, grad_clip_norm=1.0)
    stepped = drive.done(drive.trainer, drive.trainer.optim_step(params), "optim_step")
    return stepped.metrics


@step("a result waited for twice, and by its id")
def attached(drive: Drive) -> object:
    """A promise is found again by its id, by another client."""
    future = drive.trainer.forward(drive.data, "cross_entropy")
    first = drive.done(drive.trainer, future, "forward")
    holds(future.request_id is not None, "the future has no id")
    again = drive.service.attach(str(future.request_id), type(first)).result(WAIT_S)
    same(drive.loss(again), drive.loss(first), "the loss")
    return future.request_id
