# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ForwardBackwardOutput."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .tensor_data_output import TensorDataOutput


@attrs.frozen(field_transformer=own_fields)
class ForwardBackwardOutput(Model):
    """The result of forward and of forward_backward. It carries no `type`.

    * `loss_fn_output_type`: Kind of the outputs, as the server calls it. Known values:
      `ArrayRecord`, `TorchLossReturn`, `scalar`.
    * `loss_fn_outputs`: One entry for each datum, in the order of the batch.
    * `metrics`: Numbers about the whole batch, `loss:sum` for example. The part behind the colon
      says how the values of several requests are merged.
    """

    loss_fn_output_type: str
    """Kind of the outputs, as the server calls it. Known values: `ArrayRecord`, `TorchLossReturn`,
    `scalar`.
    """
    loss_fn_outputs: list[dict[str, TensorDataOutput]]
    """One entry for each datum, in the order of the batch."""
    metrics: dict[str, float]
    """Numbers about the whole batch, `loss:sum` for example. The part behind the colon says how the
    values of several requests are merged.
    """
