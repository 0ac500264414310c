# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CustomLossInput."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CustomLossInput(Value):
    """One input of a custom loss.

    * `name`: Its name, a key of a datum's `loss_fn_inputs`.
    * `rank`: Number of its axes, 0 to 2.
    """

    name: str
    """Its name, a key of a datum's `loss_fn_inputs`."""
    rank: int = attrs.field(validator=Limits(minimum=0, maximum=2))
    """Number of its axes, 0 to 2."""
