# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SamplingSessionFuturesTarget."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SamplingSessionFuturesTarget(Value):
    """The sampler whose promises are watched.

    * `sampling_session_id`: The sampler.
    * `cloned_sampler_id`: Which copy of the sampler asks: the counter that `join_sampling_session`
      gave to a copy in another process, 0 for the original. Absent or null means 0.
    * `type`: The kind of target. There is only this one.
    """

    sampling_session_id: str
    """The sampler."""
    cloned_sampler_id: int = attrs.field(default=0, validator=Limits(minimum=0))
    """Which copy of the sampler asks: the counter that `join_sampling_session` gave to a copy in
    another process, 0 for the original. Absent or null means 0.
    """
    type: Literal["sampling_session"] = "sampling_session"
    """The kind of target. There is only this one."""
