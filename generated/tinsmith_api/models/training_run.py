# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TrainingRun."""

from __future__ import annotations

from datetime import datetime

import attrs

from ..model import Model
from ..reading import own_fields
from .checkpoint import Checkpoint


@attrs.frozen(field_transformer=own_fields)
class TrainingRun(Model):
    """A model in training, or what is known of it afterwards.

    * `training_run_id`: Id of the training run, which is the id of its model.
    * `base_model`: Base model that it trains on.
    * `model_owner`: Owner of the model.
    * `is_lora`: Whether it trains an adapter, and not all weights.
    * `last_request_time`: When it was last used, UTC.
    * `corrupted`: Whether it broke and can no longer be used. Absent means no.
    * `lora_rank`: Rank of the adapter. Absent or null where it trains none.
    * `last_checkpoint`: Its newest training checkpoint. Absent or null for none.
    * `last_sampler_checkpoint`: Its newest sampler checkpoint. Absent or null for none.
    * `user_metadata`: Labels that the user attached to it. Absent or null where there are none.
    """

    training_run_id: str
    """Id of the training run, which is the id of its model."""
    base_model: str
    """Base model that it trains on."""
    model_owner: str
    """Owner of the model."""
    is_lora: bool
    """Whether it trains an adapter, and not all weights."""
    last_request_time: datetime
    """When it was last used, UTC."""
    corrupted: bool = False
    """Whether it broke and can no longer be used. Absent means no."""
    lora_rank: int | None = None
    """Rank of the adapter. Absent or null where it trains none."""
    last_checkpoint: Checkpoint | None = None
    """Its newest training checkpoint. Absent or null for none."""
    last_sampler_checkpoint: Checkpoint | None = None
    """Its newest sampler checkpoint. Absent or null for none."""
    user_metadata: dict[str, str] | None = None
    """Labels that the user attached to it. Absent or null where there are none."""
