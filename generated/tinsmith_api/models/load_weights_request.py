# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""LoadWeightsRequest."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .optimizer_config import OptimizerConfig


@attrs.frozen(field_transformer=own_fields)
class LoadWeightsRequest(Value):
    """Load a checkpoint, in one of two forms: into an existing model (`model_id` and `seq_id`), or
    into a new model that it creates (`session_id` and `model_seq_id`, since 0.24.1). Some servers
    take the first form only as a model's first request.

    * `path`: The checkpoint, as a `tinker://` path.
    * `optimizer`: Whether to load the optimizer's state as well as the weights.
    * `model_id`: Model to load into. First form only.
    * `seq_id`: Place of the request in the model's training order, from 1. First form only.
    * `session_id`: Session that the new model belongs to. Second form only.
    * `model_seq_id`: Number of the new model in its session, from 0. Second form only.
    * `base_model`: Base model of the new model, where it differs from the one that the checkpoint
      was trained on. Second form only.
    * `user_metadata`: Labels that the user attaches to the new training run, with any JSON values.
      Second form only.
    * `optimizer_config`: Optimizer to train the new model with. Absent or null means that of the
      checkpoint. Second form only.
    * `weights_access_token`: Secret that opens somebody else's checkpoint. Absent or null for one's
      own and for public ones.
    * `type`: The kind of request, always `load_weights`.
    """

    path: str
    """The checkpoint, as a `tinker://` path."""
    optimizer: bool
    """Whether to load the optimizer's state as well as the weights."""
    model_id: str | None = None
    """Model to load into. First form only."""
    seq_id: int | None = attrs.field(default=None, validator=Limits(minimum=1, maximum=2147483647))
    """Place of the request in the model's training order, from 1. First form only."""
    session_id: str | None = None
    """Session that the new model belongs to. Second form only."""
    model_seq_id: int | None = attrs.field(
        default=None, validator=Limits(minimum=0, maximum=9223372036854775807)
    )
    """Number of the new model in its session, from 0. Second form only."""
    base_model: str | None = None
    """Base model of the new model, where it differs from the one that the checkpoint was trained on.
    Second form only.
    """
    user_metadata: dict[str, Any] | None = None
    """Labels that the user attaches to the new training run, with any JSON values. Second form only."""
    optimizer_config: OptimizerConfig | None = None
    """Optimizer to train the new model with. Absent or null means that of the checkpoint. Second form
    only.
    """
    weights_access_token: str | None = attrs.field(default=None, repr=False)
    """Secret that opens somebody else's checkpoint. Absent or null for one's own and for public ones."""
    type: Literal["load_weights"] = "load_weights"
    """The kind of request, always `load_weights`."""
