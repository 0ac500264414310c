# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CustomLossGraph."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .custom_loss_node import CustomLossNode


@attrs.frozen(field_transformer=own_fields)
class CustomLossGraph(Value):
    """What a custom loss computes.

    * `nodes`: The steps, each behind those that it uses.
    * `format`: Version of this form. There is only 1, which is also meant when it is absent.
    """

    nodes: list[CustomLossNode]
    """The steps, each behind those that it uses."""
    format: int = attrs.field(default=1, validator=Limits(minimum=1, maximum=1))
    """Version of this form. There is only 1, which is also meant when it is absent."""
