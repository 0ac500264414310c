# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CreateCustomLossRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .custom_loss_graph import CustomLossGraph
from .custom_loss_input import CustomLossInput


@attrs.frozen(field_transformer=own_fields)
class CreateCustomLossRequest(Value):
    """Give the server a loss function, as a graph of steps.

    * `session_id`: Session that the loss belongs to.
    * `custom_loss_seq_id`: Number of the loss in its session, from 0. A retry sends the same
      number.
    * `name`: Name of the loss, for people.
    * `inputs`: The inputs that it takes.
    * `graph`: The steps that compute it.
    * `type`: The kind of request, always `create_custom_loss`.
    """

    session_id: str
    """Session that the loss belongs to."""
    custom_loss_seq_id: int = attrs.field(validator=Limits(minimum=0, maximum=9223372036854775807))
    """Number of the loss in its session, from 0. A retry sends the same number."""
    name: str
    """Name of the loss, for people."""
    inputs: list[CustomLossInput]
    """The inputs that it takes."""
    graph: CustomLossGraph
    """The steps that compute it."""
    type: Literal["create_custom_loss"] = "create_custom_loss"
    """The kind of request, always `create_custom_loss`."""
