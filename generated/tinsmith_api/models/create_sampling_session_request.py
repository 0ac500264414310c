# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CreateSamplingSessionRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CreateSamplingSessionRequest(Value):
    """Make a sampler, over a base model (`base_model`) or over saved weights (`model_path`).

    * `session_id`: Session that the sampler belongs to.
    * `sampling_session_seq_id`: Number of the sampler in its session, from 0. A retry sends the
      same number.
    * `base_model`: Base model to sample.
    * `model_path`: Saved weights to sample, as a `tinker://` path.
    * `type`: The kind of request, always `create_sampling_session`.
    """

    session_id: str
    """Session that the sampler belongs to."""
    sampling_session_seq_id: int = attrs.field(validator=Limits(minimum=0, maximum=9223372036854775807))
    """Number of the sampler in its session, from 0. A retry sends the same number."""
    base_model: str | None = None
    """Base model to sample."""
    model_path: str | None = None
    """Saved weights to sample, as a `tinker://` path."""
    type: Literal["create_sampling_session"] = "create_sampling_session"
    """The kind of request, always `create_sampling_session`."""
