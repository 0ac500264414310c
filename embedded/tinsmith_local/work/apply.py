"""How a training request changes an adapter, the same for a new request and for one applied again."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

import attrs
import numpy as np
from tinsmith_api.models import AdamParams

from tinsmith_local.engine.dimuon import dimuon_step
from tinsmith_local.engine.optim import adam_step
from tinsmith_local.engine.train import DivergedError, forward_backward
from tinsmith_local.work import results
from tinsmith_local.work.operations import Batch, Step

if TYPE_CHECKING:
    from tinsmith_local.engine.base_model import BaseModel
    from tinsmith_local.engine.lora import Adapter, Array


@singledispatch
def change(operation: object, base: BaseModel, adapter: Adapter) -> bytes:
    """Apply a request to the adapter of a model and return its result, as JSON."""
    raise TypeError(type(operation).__name__)


@change.register(Batch)
def _batch(operation: Batch, base: BaseModel, adapter: Adapter) -> bytes:
    """Compute a loss; with `backward` its gradients are added."""
    with np.errstate(all="ignore"):  # what overflows is reported below, as this request's failure
        try:
            output = forward_backward(
                base,
                adapter,
                operation.examples,
                operation.loss_fn,
                operation.loss_config,
                backward=operation.backward,
            )
        except DivergedError as error:
            raise results.NotFiniteError(
                f"{error}: it has diverged, at the latest since its step {adapter.step}; nothing is"
                f" wrong with the data. {results.AFTER_DIVERGENCE}"
            ) from error
        result = results.batch(output)
    if operation.backward:
        _check(adapter.flat_grads, "the gradient")
    return result


@change.register(Step)
def _step(operation: Step, base: BaseModel, adapter: Adapter) -> bytes:
    """Take one optimizer step."""
    with np.errstate(all="ignore"):
        if isinstance(operation.params, AdamParams):
            metrics = adam_step(adapter, operation.params)
        else:
            metrics = dimuon_step(adapter, operation.params)
        result = results.step(metrics)
    _check(adapter.flat, "the adapter after this step")
    return result


def _check(array: Array | None, what: str) -> None:
    """Raise NotFiniteError for NaN and infinity; the caller drops the model's memory."""
    if array is not None and not np.isfinite(array).all():
        raise results.NotFiniteError(f"{what} is not finite; nothing was applied")


def load(adapter: Adapter, saved: Adapter, *, optimizer: bool) -> None:
    """Replace an adapter's weights by saved ones, and with `optimizer` its state; gradients are dropped."""
    adapter.load(saved.params)
    adapter.spec = attrs.evolve(adapter.spec, alpha=saved.spec.alpha)
    if optimizer:
        adapter.load_optimizer(saved.moments, saved.step)
