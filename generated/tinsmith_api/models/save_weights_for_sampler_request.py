# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SaveWeightsForSamplerRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsForSamplerRequest(Value):
    """Store weights to sample from, under a name (`path`), or as a sampler that lives with the session
    (`sampling_session_seq_id`).

    * `model_id`: The model to save.
    * `path`: Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. Absent
      or null for a sampler that lives with the session.
    * `sampling_session_seq_id`: Number, in its session, of the sampler that the weights become,
      from 0. Absent or null when a name is given.
    * `kind`: Whether the sampler keeps the weights of now (`snapshot`) or follows the training
      (`inflight`). Absent means `snapshot`.
    * `seq_id`: Place of the request in the model's training order, from 1. Absent or null leaves it
      to the server.
    * `ttl_seconds`: Seconds until the server deletes it, one hour to ten years. Absent or null
      keeps it. Unit: s.
    * `user_metadata`: Labels that the user attaches to the checkpoint, text by name. Absent or null
      means none.
    * `type`: The kind of request, always `save_weights_for_sampler`.
    """

    model_id: str
    """The model to save."""
    path: str | None = None
    """Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. Absent or null
    for a sampler that lives with the session.
    """
    sampling_session_seq_id: int | None = attrs.field(
        default=None, validator=Limits(minimum=0, maximum=9223372036854775807)
    )
    """Number, in its session, of the sampler that the weights become, from 0. Absent or null when a
    name is given.
    """
    kind: Literal["snapshot", "inflight"] | None = None
    """Whether the sampler keeps the weights of now (`snapshot`) or follows the training (`inflight`).
    Absent means `snapshot`.
    """
    seq_id: int | None = attrs.field(default=None, validator=Limits(minimum=1, maximum=2147483647))
    """Place of the request in the model's training order, from 1. Absent or null leaves it to the server."""
    ttl_seconds: int | None = attrs.field(default=None, validator=Limits(minimum=3600, maximum=315360000))
    """Seconds until the server deletes it, one hour to ten years. Absent or null keeps it. Unit: s."""
    user_metadata: dict[str, str] | None = None
    """Labels that the user attaches to the checkpoint, text by name. Absent or null means none."""
    type: Literal["save_weights_for_sampler"] = "save_weights_for_sampler"
    """The kind of request, always `save_weights_for_sampler`."""
