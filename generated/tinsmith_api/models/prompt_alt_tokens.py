# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""PromptAltTokens."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .tensor_data_output import TensorDataOutput


@attrs.frozen(field_transformer=own_fields)
class PromptAltTokens(Model):
    """Other tokens that were drawn at each prompt position.

    * `tokens`: Token ids, of shape [positions, k].
    * `logprobs`: Their logprobs in nats, of the same shape.
    """

    tokens: TensorDataOutput
    """Token ids, of shape [positions, k]."""
    logprobs: TensorDataOutput
    """Their logprobs in nats, of the same shape."""
