# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""JoinSamplingSessionResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class JoinSamplingSessionResponse(Model):
    """The counter of a copy of a sampler.

    * `client_counter`: Number of this copy. It counts its `seq_id`s from `client_counter` times
      10^9.
    * `type`: The kind of answer, `join_sampling_session`.
    """

    client_counter: int
    """Number of this copy. It counts its `seq_id`s from `client_counter` times 10^9."""
    type: str = "join_sampling_session"
    """The kind of answer, `join_sampling_session`."""
