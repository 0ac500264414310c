# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""GetInfoResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .model_data import ModelData
from .optimizer_config import OptimizerConfig


@attrs.frozen(field_transformer=own_fields)
class GetInfoResponse(Model):
    """What a model is.

    * `model_data`: Base model, architecture and tokenizer.
    * `model_id`: The model asked about.
    * `optimizer_config`: Optimizer that the model is trained with. Absent or null where the server
      does not say; then it is AdamW.
    * `is_lora`: Whether an adapter is trained, and not all weights. Absent or null where the server
      does not say.
    * `lora_rank`: Rank of the adapter. Absent or null where the server does not say.
    * `model_name`: Name of the base model, as in `model_data`. Absent or null where the server does
      not say.
    * `type`: The kind of answer, `get_info`.
    """

    model_data: ModelData
    """Base model, architecture and tokenizer."""
    model_id: str
    """The model asked about."""
    optimizer_config: OptimizerConfig | None = None
    """Optimizer that the model is trained with. Absent or null where the server does not say; then it
    is AdamW.
    """
    is_lora: bool | None = None
    """Whether an adapter is trained, and not all weights. Absent or null where the server does not say."""
    lora_rank: int | None = None
    """Rank of the adapter. Absent or null where the server does not say."""
    model_name: str | None = None
    """Name of the base model, as in `model_data`. Absent or null where the server does not say."""
    type: str | None = "get_info"
    """The kind of answer, `get_info`."""
