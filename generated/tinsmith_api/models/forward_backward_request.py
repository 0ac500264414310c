# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ForwardBackwardRequest."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .forward_backward_input import ForwardBackwardInput


@attrs.frozen(field_transformer=own_fields)
class ForwardBackwardRequest(Value):
    """Compute the loss, and add its gradients to those already there.

    * `forward_backward_input`: The batch and its loss.
    * `model_id`: The model.
    * `seq_id`: Place of the request in the model's training order, from 1. Absent or null leaves it
      to the server.
    """

    forward_backward_input: ForwardBackwardInput
    """The batch and its loss."""
    model_id: str
    """The model."""
    seq_id: int | None = attrs.field(default=None, validator=Limits(minimum=1, maximum=2147483647))
    """Place of the request in the model's training order, from 1. Absent or null leaves it to the server."""
