# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ClientDynamicConfigResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ClientDynamicConfigResponse(Model):
    """The part of the configuration that may change while a client runs.

    * `refresh_interval_sec`: Seconds until the client asks again, at least 10. Absent means 300.
      Unit: s.
    * `sample_cancel_enabled`: Whether a client cancels samples that nobody waits for any more.
      Absent means no.
    * `sample_cancel_max_batch_size`: Most cancellations at a time. Absent means 64.
    """

    refresh_interval_sec: float = 300
    """Seconds until the client asks again, at least 10. Absent means 300. Unit: s."""
    sample_cancel_enabled: bool = False
    """Whether a client cancels samples that nobody waits for any more. Absent means no."""
    sample_cancel_max_batch_size: int = 64
    """Most cancellations at a time. Absent means 64."""
