# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FuturesRetrieveResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .future_completion import FutureCompletion


@attrs.frozen(field_transformer=own_fields)
class FuturesRetrieveResponse(Model):
    """The promises of a sampler that have ended since the cursor.

    * `completions`: The promises that ended, oldest first.
    * `cursor`: Send it as `prev_cursor` next time.
    """

    completions: list[FutureCompletion]
    """The promises that ended, oldest first."""
    cursor: int
    """Send it as `prev_cursor` next time."""
