"""The learning rate of each step. Pure arithmetic."""

from __future__ import annotations

import math
from typing import Literal, get_args

import attrs

from tinsmith.core.errors import InputError
from tinsmith.data.records import check_choice

ScheduleShape = Literal["constant", "linear", "cosine"]
"""How the learning rate goes on after the warm-up: it stays, or falls in a line or half a cosine to zero."""


@attrs.frozen(kw_only=True)
class Schedule:
    """The learning rate by step: it rises in a line for `warmup_steps`, then follows `shape`.

    >>> from tinsmith.train import Schedule
    >>> schedule = Schedule(peak=1e-3, steps=6, warmup_steps=2)
    >>> [round(schedule(step), 6) for step in range(1, 7)]
    [0.0005, 0.001, 0.001, 0.00075, 0.0005, 0.00025]
    """

    peak: float
    """Largest learning rate."""
    steps: int
    """Number of steps in all; the rate would be zero one step after the last, if it falls."""
    shape: ScheduleShape = "linear"
    """What follows the warm-up."""
    warmup_steps: int = 0
    """Steps until the peak is reached; fewer than `steps`."""

    def __attrs_post_init__(self) -> None:
        if not self.peak > 0 or not math.isfinite(self.peak):
            raise InputError(f"must be a number above 0, not {self.peak}", field="learning_rate")
        check_choice("schedule", self.shape, get_args(ScheduleShape))
        if not 0 <= self.warmup_steps < max(self.steps, 1):
            raise InputError(
                f"must be from 0 to {max(self.steps, 1) - 1}, fewer than the {self.steps} steps of the run,"
                f" not {self.warmup_steps}",
                field="warmup_steps",
            )

    def __call__(self, step: int) -> float:
        """Return the learning rate of a step; the first one is 1."""
        if step <= self.warmup_steps:
            return self.peak * step / self.warmup_steps
        share = (step - 1 - self.warmup_steps) / (self.steps - self.warmup_steps)
        if self.shape == "linear":
            return self.peak * (1 - share)
        if self.shape == "cosine":
            return self.peak * (1 + math.cos(math.pi * share)) / 2
        return self.peak
