# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Datum."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields
from .model_input import ModelInput
from .tensor_data import TensorData


@attrs.frozen(field_transformer=own_fields)
class Datum(Value):
    """One training example.

    * `loss_fn_inputs`: Tensors that the loss reads, by name.
    * `model_input`: What the model reads.
    """

    loss_fn_inputs: dict[str, TensorData]
    """Tensors that the loss reads, by name."""
    model_input: ModelInput
    """What the model reads."""
