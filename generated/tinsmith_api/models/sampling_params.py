# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SamplingParams."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SamplingParams(Value):
    """How tokens are drawn. What is left out, the server fills in.

    * `max_tokens`: Most tokens to draw, at least 1. Absent or null leaves it to the server, up to
      what the context holds; some servers require it. Unit: tokens.
    * `seed`: Seed that makes the draw reproducible. Absent or null draws one.
    * `stop`: What ends a sequence, a text, several texts, or token ids. Absent or null means the
      model's own end of sequence, and `[]` nothing but the length. Send a list, because some
      servers refuse a bare text.
    * `temperature`: Divides the logits, at least 0; 0 always takes the likeliest token. Absent
      means 1.
    * `top_k`: Draw from the k likeliest tokens only; -1 draws from all. Absent means -1.
    * `top_p`: Draw from the smallest set of likeliest tokens that together have this probability, 0
      to 1. Absent means 1.
    """

    max_tokens: int | None = attrs.field(default=None, validator=Limits(minimum=1))
    """Most tokens to draw, at least 1. Absent or null leaves it to the server, up to what the context
    holds; some servers require it. Unit: tokens.
    """
    seed: int | None = None
    """Seed that makes the draw reproducible. Absent or null draws one."""
    stop: str | list[str] | list[int] | None = None
    """What ends a sequence, a text, several texts, or token ids. Absent or null means the model's own
    end of sequence, and `[]` nothing but the length. Send a list, because some servers refuse a
    bare text.
    """
    temperature: float = attrs.field(default=1, validator=Limits(minimum=0))
    """Divides the logits, at least 0; 0 always takes the likeliest token. Absent means 1."""
    top_k: int = attrs.field(default=-1, validator=Limits(minimum=-1))
    """Draw from the k likeliest tokens only; -1 draws from all. Absent means -1."""
    top_p: float = attrs.field(default=1, validator=Limits(minimum=0, maximum=1))
    """Draw from the smallest set of likeliest tokens that together have this probability, 0 to 1.
    Absent means 1.
    """
