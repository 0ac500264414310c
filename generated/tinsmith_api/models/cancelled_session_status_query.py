# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CancelledSessionStatusQuery."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CancelledSessionStatusQuery(Value):
    """Search among the sessions that the server ended, for example because no heartbeat came.

    * `type`: The state, always `cancelled`.
    """

    type: Literal["cancelled"] = "cancelled"
    """The state, always `cancelled`."""
