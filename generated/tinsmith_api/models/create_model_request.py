# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CreateModelRequest."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .lora_config import LoraConfig
from .optimizer_config import OptimizerConfig


@attrs.frozen(field_transformer=own_fields)
class CreateModelRequest(Value):
    """Create a model to train: a base model with a fresh adapter.

    * `session_id`: The session that the model belongs to.
    * `model_seq_id`: Number of the model in its session, from 0. A retry sends the same number.
    * `base_model`: Base model to train on, as `get_server_capabilities` lists it.
    * `user_metadata`: Labels that the user attaches to the training run, with any JSON values.
      Absent or null means none.
    * `lora_config`: Shape of the adapter. The known servers require it.
    * `optimizer_config`: Optimizer to train with. Absent or null means the server's default, AdamW.
    * `type`: The kind of request, always `create_model`.
    """

    session_id: str
    """The session that the model belongs to."""
    model_seq_id: int = attrs.field(validator=Limits(minimum=0, maximum=9223372036854775807))
    """Number of the model in its session, from 0. A retry sends the same number."""
    base_model: str
    """Base model to train on, as `get_server_capabilities` lists it."""
    user_metadata: dict[str, Any] | None = None
    """Labels that the user attaches to the training run, with any JSON values. Absent or null means none."""
    lora_config: LoraConfig | None = None
    """Shape of the adapter. The known servers require it."""
    optimizer_config: OptimizerConfig | None = None
    """Optimizer to train with. Absent or null means the server's default, AdamW."""
    type: Literal["create_model"] = "create_model"
    """The kind of request, always `create_model`."""
