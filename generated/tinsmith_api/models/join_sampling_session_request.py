# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""JoinSamplingSessionRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class JoinSamplingSessionRequest(Value):
    """Ask for a counter for a sampler that was copied into this process, so that each copy numbers its
    requests on its own.

    * `sampling_session_id`: The sampler that was copied.
    * `type`: The kind of request, always `join_sampling_session`.
    """

    sampling_session_id: str
    """The sampler that was copied."""
    type: Literal["join_sampling_session"] = "join_sampling_session"
    """The kind of request, always `join_sampling_session`."""
