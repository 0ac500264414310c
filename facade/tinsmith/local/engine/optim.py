"""Owns the optimizer step. Changes an adapter's parameters in place; nothing else does."""

from typing import Protocol

from tinsmith.local.engine.lora import Adapter


class AdamSettings(Protocol):
    """What `adam_step` reads; `AdamParams` of the public values fits."""

    @property
    def learning_rate(self) -> float: ...
    @property
    def beta1(self) -> float: ...
    @property
    def beta2(self) -> float: ...
    @property
    def eps(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def grad_clip_norm(self) -> float: ...


def adam_step(adapter: Adapter, params: AdamSettings) -> dict[str, float]:
    """Apply one Adam step from the accumulated gradients, then drop them.

    Bias-corrected Adam with decoupled weight decay; gradients are first scaled down to `grad_clip_norm`
    when that is positive and exceeded. Without gradients they count as zero. Returns metrics:
    "grad_norm:mean" (before clipping) and "step:max".
    """
    raise NotImplementedError
