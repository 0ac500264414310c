# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FuturesRetrieveRequest."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields
from .sampling_session_futures_target import SamplingSessionFuturesTarget


@attrs.frozen(field_transformer=own_fields)
class FuturesRetrieveRequest(Value):
    """Ask which promises of a sampler have ended since a cursor.

    * `target`: The sampler whose promises are watched.
    * `prev_cursor`: The cursor of the previous answer. Absent means 0, the beginning.
    * `timeout`: How long the server may hold the request open, in seconds. 0 answers at once, which
      is for acknowledging only. Absent or null leaves it to the server. Unit: s.
    * `retrieved_request_ids`: Promises whose results have arrived, so that the server may forget
      them. Absent means none.
    """

    target: SamplingSessionFuturesTarget
    """The sampler whose promises are watched."""
    prev_cursor: int = attrs.field(default=0, validator=Limits(minimum=0))
    """The cursor of the previous answer. Absent means 0, the beginning."""
    timeout: float | None = attrs.field(default=None, validator=Limits(minimum=0))
    """How long the server may hold the request open, in seconds. 0 answers at once, which is for
    acknowledging only. Absent or null leaves it to the server. Unit: s.
    """
    retrieved_request_ids: list[str] = attrs.field(factory=list)
    """Promises whose results have arrived, so that the server may forget them. Absent means none."""
