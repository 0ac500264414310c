"""How a training request changes a live model: one place, for a new request and for one applied again."""

from functools import singledispatch
from typing import TYPE_CHECKING

import attrs
import numpy as np

from tinsmith_local.engine.dimuon import dimuon_step
from tinsmith_local.engine.errors import DivergedError
from tinsmith_local.engine.optim import adam_step
from tinsmith_local.engine.train import forward_backward

from . import results
from .operations import Adam, Batch, Dimuon

if TYPE_CHECKING:
    from tinsmith_local.engine.lora import Adapter, Array

    from .states import LiveModel


@singledispatch
def change(operation: object, live: "LiveModel") -> bytes:
    """Apply a request to a model and return its result."""
    raise TypeError(type(operation).__name__)


@change.register(Batch)
def _batch(operation: Batch, live: "LiveModel") -> bytes:
    """Compute a loss; with `backward` its gradients are added."""
    with np.errstate(all="ignore"):  # what overflows is reported below, as this request's failure
        try:
            output = forward_backward(
                live.base,
                live.adapter,
                operation.examples,
                operation.loss_fn,
                operation.loss_config,
                backward=operation.backward,
            )
        except DivergedError as error:
            raise results.NotFiniteError(
                f"{error}: it has diverged, at the latest since its step {live.adapter.step}; nothing is"
                f" wrong with the data. {results.AFTER_DIVERGENCE}"
            ) from error
        result = results.batch(output)
    if operation.backward:
        _check(live.adapter.flat_grads, "the gradient")
    return result


@change.register(Adam)
def _adam(operation: Adam, live: "LiveModel") -> bytes:
    """Take one optimizer step."""
    with np.errstate(all="ignore"):
        result = results.step(adam_step(live.adapter, operation))
    _check(live.adapter.flat, "the adapter after this step")
    return result


@change.register(Dimuon)
def _dimuon(operation: Dimuon, live: "LiveModel") -> bytes:
    """Take one step of the other optimizer."""
    with np.errstate(all="ignore"):
        result = results.step(dimuon_step(live.adapter, operation))
    _check(live.adapter.flat, "the adapter after this step")
    return result


def _check(array: "Array | None", what: str) -> None:
    """Refuse numbers that have left the finite ones; the caller drops the model's memory."""
    if array is not None and not np.isfinite(array).all():
        raise results.NotFiniteError(f"{what} is not finite; nothing was applied")


def load(live: "LiveModel", saved: "Adapter", *, optimizer: bool) -> None:
    """Replace a model's weights by saved ones; gradients go, the optimizer too unless asked for."""
    adapter = live.adapter
    adapter.load(saved.params)
    adapter.spec = attrs.evolve(adapter.spec, alpha=saved.spec.alpha)
    if optimizer:
        adapter.load_optimizer(saved.moments, saved.step)
