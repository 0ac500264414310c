# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CustomLossNode."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CustomLossNode(Value):
    """One step of a custom loss, in the form of a node of torch.fx.

    * `op`: The kind of step.
    * `name`: Name of the step, by which later steps refer to it.
    * `target`: What is called or read.
    * `args`: Positional arguments. Null, booleans, integers, finite numbers, texts and lists stand
      for themselves; anything else is an object of one key: `{"ref": name}` for an earlier step,
      `{"tuple": [...]}`, `{"dict": {...}}`, `{"slice": [start, stop, step]}`, `{"ellipsis": true}`,
      `{"float": "inf"}` for a number that JSON lacks, and `dtype`, `device`, `layout` or
      `memory_format` with its name as text. Absent means none.
    * `kwargs`: Named arguments, written as in `args`. Absent means none.
    """

    op: Literal["placeholder", "get_attr", "call_function", "call_method", "call_module", "output"]
    """The kind of step."""
    name: str
    """Name of the step, by which later steps refer to it."""
    target: str
    """What is called or read."""
    args: list[Any] = attrs.field(factory=list)
    """Positional arguments. Null, booleans, integers, finite numbers, texts and lists stand for
    themselves; anything else is an object of one key: `{"ref": name}` for an earlier step,
    `{"tuple": [...]}`, `{"dict": {...}}`, `{"slice": [start, stop, step]}`, `{"ellipsis": true}`,
    `{"float": "inf"}` for a number that JSON lacks, and `dtype`, `device`, `layout` or
    `memory_format` with its name as text. Absent means none.
    """
    kwargs: dict[str, Any] = attrs.field(factory=dict)
    """Named arguments, written as in `args`. Absent means none."""
