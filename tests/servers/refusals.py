"""Steps: what is refused, by whom, and whether the client goes on afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith import (
    Datum,
    InputError,
    ModelInput,
    OptimStepResponse,
    SamplingParams,
    ServiceClient,
    TinkerError,
)
from tinsmith.core.errors import (
    AuthenticationError,
    ModelLostError,
    NotFoundError,
    PermissionDeniedError,
    RequestFailedError,
)

from tests.servers.drive import WAIT_S, Drive, expect, holds, same, step

if TYPE_CHECKING:
    from collections.abc import Callable

OUTSIDE = 5_000_000
"""A token id that no vocabulary has."""
PATIENCE_S = 240.0
"""Seconds for a result that may never come."""


def _refused_or(call: Callable[[], object]) -> object:
    """Make a call that a server may take: what it gives, or the refusal, which applied nothing."""
    try:
        return f"taken: {call()}"
    except TinkerError as error:
        holds(error.applied == "no", f"{type(error).__name__}: {error}")
        return f"{type(error).__name__}: {error}"


@step("unknown base model")
def base_model(drive: Drive) -> object:
    """It is refused, unless the server has one model and looks at no names."""
    asked = drive.service.create_lora_training_client
    return _refused_or(lambda: asked("no/such-model", rank=4).model_id)


@step("a missing checkpoint, loaded")
def load_missing(drive: Drive) -> object:
    """The load fails, was not applied, and the model goes on."""
    trainer = drive.create(rank=4)
    path = f"tinker://{trainer.model_id}/weights/never-saved"
    found = expect(TinkerError, lambda: drive.done(trainer, trainer.load_state(path), "load_weights"))
    drive.learn(trainer)
    return f"{type(found).__name__}: {found}"


@step("a missing checkpoint, made a model of")
def create_from_missing(drive: Drive) -> object:
    """No model is left behind."""
    path = f"tinker://{drive.trainer.model_id}/weights/never-saved"
    found = expect(TinkerError, lambda: drive.remade(path))
    return f"{type(found).__name__}: {found}"


@step("a missing checkpoint, sampled")
def sample_missing(drive: Drive) -> object:
    """It is refused at the creation, or at the first sample."""
    path = f"tinker://{drive.trainer.model_id}/sampler_weights/never-saved"

    def draw() -> object:
        sampler = drive.service.create_sampling_client(path)
        return sampler.sample(drive.prompt, 1, SamplingParams(max_tokens=1)).result(WAIT_S)

    found = expect(TinkerError, draw)
    return f"{type(found).__name__}: {found}"


@step("targets of another length")
def lengths(drive: Drive) -> object:
    """Found before anything is sent."""
    short = Datum(
        model_input=ModelInput.from_ints(drive.ids("a b c d e")),
        loss_fn_inputs={"target_tokens": [1], "weights": [1.0]},
    )
    found = expect(InputError, lambda: drive.trainer.forward_backward([short], "cross_entropy"))
    holds("target_tokens" in str(found), str(found))
    return str(found)


@step("a token outside of the vocabulary")
def vocabulary(drive: Drive) -> object:
    """It is refused, or trained as the server does it; the wait ends in either case."""
    brief = drive.renewed(progress_timeout_s=PATIENCE_S)
    with brief.service:
        trainer = brief.create(rank=4)
        inputs = {"target_tokens": [1, 2], "weights": [1.0, 1.0]}
        odd = Datum(model_input=ModelInput.from_ints([1, OUTSIDE]), loss_fn_inputs=inputs)
        passed = trainer.forward_backward([odd], "cross_entropy")
        try:
            return f"taken: {drive.done(trainer, passed, 'forward_backward').metrics}"
        except RequestFailedError as error:
            holds(error.applied == "no", str(error))
            return f"{type(error).__name__}: {error}"
        finally:
            brief.unload(trainer)


@step("a loss without its inputs")
def inputs(drive: Drive) -> object:
    """Found before anything is sent."""
    found = expect(InputError, lambda: drive.trainer.forward_backward(drive.data, "ppo"))
    return str(found)


@step("a prompt beyond the context")
def context(drive: Drive) -> object:
    """It is refused, or drawn from as the server does it."""
    long = ModelInput.from_ints([5] * 2500)
    drawn = drive.sampler.sample(long, 1, SamplingParams(max_tokens=2))
    return _refused_or(lambda: list(drawn.result(WAIT_S).sequences[0].tokens))


@step("a rank above the limit")
def rank(drive: Drive) -> object:
    """It is refused, or taken by a server that has no limit."""
    return _refused_or(lambda: drive.create(rank=512).model_id)


@step("a run that nobody made")
def missing_run(drive: Drive) -> object:
    """Not found."""
    asked = drive.rest.get_training_run
    found = expect(NotFoundError, lambda: asked("never-made").result(WAIT_S), applied=(None, "no"))
    return str(found)


@step("a promise that nobody gave")
def promise(drive: Drive) -> object:
    """The wait ends, and nothing is said of a request that this client did not make."""
    asked = drive.service.attach("987654321", OptimStepResponse)
    found = expect(TinkerError, lambda: asked.result(WAIT_S), applied=(None, "unknown"))
    return f"{type(found).__name__}: {found}"


@step("a wrong key")
def key(drive: Drive) -> object:
    """It is refused, and said to be the key's fault."""
    with ServiceClient(base_url=drive.url, api_key="tml-wrong") as service:
        try:
            made = service.create_lora_training_client(drive.base_model, rank=4)
            return f"no key is checked: {made.model_id}"
        except (AuthenticationError, PermissionDeniedError) as error:
            holds(error.applied == "no", f"applied is {error.applied}")
            return f"{type(error).__name__}: {error}"


@step("unload_model, and a step afterwards")
def unload(drive: Drive) -> object:
    """The model is gone, and the client says from which checkpoint it can be had again."""
    trainer = drive.create(rank=4)
    drive.learn(trainer)
    path = drive.saved(trainer, "last")
    drive.unload(trainer)
    passed = trainer.forward_backward(drive.data, "cross_entropy")
    found = expect(
        ModelLostError, lambda: drive.done(trainer, passed, "forward_backward"), applied=("no", "unknown")
    )
    assert isinstance(found, ModelLostError)
    same(found.checkpoint, path, "the checkpoint")
    return str(found)


@step("after all that: a step")
def alive(drive: Drive) -> object:
    """The first model still trains."""
    return round(drive.loss(drive.learn(drive.trainer)), 3)
