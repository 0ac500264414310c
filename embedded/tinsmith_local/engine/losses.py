"""Owns the loss functions: from logprobs to loss and its gradient by logprob. Knows nothing of the model.

Every loss is a sum over tokens. With p the logprob under the model, q the sampler's and A the advantage,
r = exp(p - q). Gradients flow through p alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ValueAndGradient = tuple[Floats, Floats]


@attrs.frozen(kw_only=True, eq=False)
class Terms:
    """What a loss reads besides logprobs, for n positions."""

    weights: Floats
    """[n, k]; cross_entropy."""
    logprobs: Floats
    """[n], the sampler's."""
    advantages: Floats
    """[n]."""
    mask: Floats
    """[n], gspo's `sequence_ratio_mask`; without one, 1 for the tokens that were sampled: those whose
    advantage or sampler's logprob is not 0."""

    def at(self, rows: npt.NDArray[np.intp] | slice) -> Terms:
        """Pick positions."""
        return Terms(
            weights=self.weights[rows],
            logprobs=self.logprobs[rows],
            advantages=self.advantages[rows],
            mask=self.mask[rows],
        )


Compute = Callable[[Floats, Terms, Mapping[str, float]], ValueAndGradient]


def cross_entropy(logprobs: Floats, terms: Terms, options: Mapping[str, float]) -> ValueAndGradient:
    """Return - sum_k weight_k p_k, over the targets of a position: the API's page on `cross_entropy`."""
    return -(terms.weights * logprobs).sum(axis=1), -terms.weights


def importance_sampling(logprobs: Floats, terms: Terms, options: Mapping[str, float]) -> ValueAndGradient:
    """Return - r A: the API's page on `importance_sampling`; with r = 1 REINFORCE (Williams 1992)."""
    ratio = np.exp(logprobs[:, 0] - terms.logprobs)
    return -ratio * terms.advantages, -(ratio * terms.advantages)[:, None]


def ppo(logprobs: Floats, terms: Terms, options: Mapping[str, float]) -> ValueAndGradient:
    """Return - min(r A, clip(r, low, high) A): Schulman et al. 2017, equation 7."""
    ratio = np.exp(logprobs[:, 0] - terms.logprobs)
    plain = ratio * terms.advantages
    clipped = np.clip(ratio, *_thresholds(options)) * terms.advantages
    return -np.minimum(plain, clipped), np.where(plain <= clipped, -plain, 0.0)[:, None]


def cispo(logprobs: Floats, terms: Terms, options: Mapping[str, float]) -> ValueAndGradient:
    """Return - clip(r, low, high) p A with the clipped ratio held constant: MiniMax-M1 2025, equation 4."""
    ratio = np.clip(np.exp(logprobs[:, 0] - terms.logprobs), *_thresholds(options))
    slope = -ratio * terms.advantages
    return slope * logprobs[:, 0], slope[:, None]


def dro(logprobs: Floats, terms: Terms, options: Mapping[str, float]) -> ValueAndGradient:
    """Return - (p A - beta / 2 (p - q)^2): Richemond et al. 2024, equation 3, without its value term."""
    beta, distance = options["beta"], logprobs[:, 0] - terms.logprobs
    value = terms.advantages * logprobs[:, 0] - 0.5 * beta * distance * distance
    return -value, -(terms.advantages - beta * distance)[:, None]


def gspo(logprobs: Floats, terms: Terms, options: Mapping[str, float]) -> ValueAndGradient:
    """Return - min(s A, clip(s, low, high) A), s one ratio for the sequence: Zheng et al. 2025, equation 13.

    s is exp of the mean of p - q over the mask; in the gradient each token's own p stands for it,
    which for one advantage a sequence is the gradient of equation 5.
    """
    count = terms.mask.sum()
    mean = ((logprobs[:, 0] - terms.logprobs) * terms.mask).sum() / count if count else 0.0
    ratio = np.exp(mean)
    plain = ratio * terms.advantages
    clipped = np.clip(ratio, *_thresholds(options)) * terms.advantages
    return -np.minimum(plain, clipped), np.where(plain <= clipped, -plain, 0.0)[:, None]


def _thresholds(options: Mapping[str, float]) -> tuple[float, float]:
    return options["clip_low_threshold"], options["clip_high_threshold"]


@attrs.frozen(kw_only=True)
class Loss:
    """A loss with its options."""

    compute: Compute
    """The formula."""
    needs: tuple[str, ...] = ("logprobs", "advantages")
    """Fields of `Example` that it reads besides `targets`."""
    options: dict[str, float] = attrs.field(factory=dict)
    """`loss_fn_config`, defaults filled in."""
    by_sequence: bool = False
    """Whether a gradient depends on logprobs of other positions of its sequence."""
    skips: str | None = "advantages"
    """A position where this field is 0 has no gradient; None if it always may."""


_CLIP = {"clip_low_threshold": 0.8, "clip_high_threshold": 1.2}

LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(compute=cross_entropy, needs=("weights",), skips="weights"),
    "importance_sampling": Loss(compute=importance_sampling),
    "ppo": Loss(compute=ppo, options=_CLIP),
    "cispo": Loss(compute=cispo, options=_CLIP),
    "dro": Loss(compute=dro, options={"beta": 0.05}, skips=None),
    "gspo": Loss(compute=gspo, options=_CLIP, by_sequence=True),
}
"""Every `loss_fn` that the engine computes, with the defaults of its `loss_fn_config`."""

LOSS_NAMES = tuple(LOSSES)
"""Their names."""


UNPUBLISHED = {
    "stable_reinforce": "its formula is not published, and it reads what the API's own sampler recorded; "
    "importance_sampling and cispo are related losses that are offered"
}
"""Losses of the API that cannot be computed here, and why."""


def resolve(name: str, config: Mapping[str, float | str] | None) -> Loss:
    """Return a loss with its options; ValueError for an unknown loss, option or an impossible value."""
    if name in UNPUBLISHED:
        raise ValueError(f"loss_fn {name!r} is not computed here: {UNPUBLISHED[name]}")
    if name not in LOSSES:
        raise ValueError(f"unknown loss_fn {name!r}; known are {', '.join(LOSS_NAMES)}")
    loss = LOSSES[name]
    options = dict(loss.options)
    for key, value in (config or {}).items():
        if key not in options:
            known = ", ".join(options) or "none"
            raise ValueError(f"unknown loss_fn_config key {key!r} for {name}; known: {known}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise ValueError(f"loss_fn_config[{key!r}] must be a finite number, not {value!r}")
        options[key] = float(value)
    if "clip_low_threshold" in options and options["clip_low_threshold"] > options["clip_high_threshold"]:
        raise ValueError("loss_fn_config: clip_low_threshold is above clip_high_threshold")
    return attrs.evolve(loss, options=options)
