# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""OptimStepRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .adam_params import AdamParams
from .optimizer_params import OptimizerParams


@attrs.frozen(field_transformer=own_fields)
class OptimStepRequest(Value):
    """Apply the gradients gathered so far, and clear them. Give `adam_params` or `optimizer_params`.

    * `model_id`: The model.
    * `adam_params`: Settings of a step of Adam. Clients before 0.30 always send it, `{}` for all
      defaults.
    * `seq_id`: Place of the request in the model's training order, from 1. Absent or null leaves it
      to the server.
    * `optimizer_params`: Settings of a step of another optimizer.
    * `type`: The kind of request, always `optim_step`.
    """

    model_id: str
    """The model."""
    adam_params: AdamParams | None = None
    """Settings of a step of Adam. Clients before 0.30 always send it, `{}` for all defaults."""
    seq_id: int | None = attrs.field(default=None, validator=Limits(minimum=1, maximum=2147483647))
    """Place of the request in the model's training order, from 1. Absent or null leaves it to the server."""
    optimizer_params: OptimizerParams | None = None
    """Settings of a step of another optimizer."""
    type: Literal["optim_step"] = "optim_step"
    """The kind of request, always `optim_step`."""
