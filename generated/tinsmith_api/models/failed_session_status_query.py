# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FailedSessionStatusQuery."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class FailedSessionStatusQuery(Value):
    """Search among the sessions that failed.

    * `type`: The state, always `failed`.
    """

    type: Literal["failed"] = "failed"
    """The state, always `failed`."""
