"""SamplingParams. Owns what a stop may be and which numbers are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from tinsmith_api.model import Value
from tinsmith_api.numbers import above_zero, at_least_zero, require
from tinsmith_api.reading import own_fields


def _probability(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    require(0 < value <= 1, attribute, value, "in (0, 1]")


def _top_k(_: object, attribute: attrs.Attribute[Any], value: int) -> None:
    require(value == -1 or value > 0, attribute, value, "-1 or above 0")


@attrs.frozen(field_transformer=own_fields)
class SamplingParams(Value):
    """How tokens are drawn."""

    max_tokens: int | None = attrs.field(default=None, validator=above_zero)
    """Most tokens to draw; None leaves it to the server."""
    seed: int | None = None
    """Seed; None draws one."""
    stop: str | Sequence[str] | Sequence[int] | None = None
    """Text, texts or token ids that end a sequence. None keeps the end-of-sequence token; [] disables all."""
    temperature: float = attrs.field(default=1, validator=at_least_zero)
    """Divides the logits; 0 is greedy."""
    top_k: int = attrs.field(default=-1, validator=_top_k)
    """Draw from the k likeliest tokens; -1 is no limit."""
    top_p: float = attrs.field(default=1, validator=_probability)
    """Draw from the smallest set of tokens with this much probability, in (0, 1]."""
