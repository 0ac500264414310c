# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""WeightsInfoResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .optimizer_config import OptimizerConfig


@attrs.frozen(field_transformer=own_fields)
class WeightsInfoResponse(Model):
    """What a checkpoint was trained on.

    * `base_model`: Base model that it was trained on.
    * `is_lora`: Whether it is an adapter, and not all weights.
    * `optimizer_config`: Optimizer that it was trained with. Absent or null where the server does
      not say; then it is AdamW.
    * `lora_rank`: Rank of the adapter. Absent or null where it is none.
    * `train_unembed`: Whether the unembedding was adapted. Absent or null where the server does not
      say.
    * `train_mlp`: Whether the MLP projections were adapted. Absent or null where the server does
      not say.
    * `train_attn`: Whether the attention projections were adapted. Absent or null where the server
      does not say.
    """

    base_model: str
    """Base model that it was trained on."""
    is_lora: bool
    """Whether it is an adapter, and not all weights."""
    optimizer_config: OptimizerConfig | None = None
    """Optimizer that it was trained with. Absent or null where the server does not say; then it is AdamW."""
    lora_rank: int | None = None
    """Rank of the adapter. Absent or null where it is none."""
    train_unembed: bool | None = None
    """Whether the unembedding was adapted. Absent or null where the server does not say."""
    train_mlp: bool | None = None
    """Whether the MLP projections were adapted. Absent or null where the server does not say."""
    train_attn: bool | None = None
    """Whether the attention projections were adapted. Absent or null where the server does not say."""
