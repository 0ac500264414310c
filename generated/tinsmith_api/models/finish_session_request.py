# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FinishSessionRequest."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields
from .finish_reason import FinishReason


@attrs.frozen(field_transformer=own_fields)
class FinishSessionRequest(Value):
    """End a session.

    * `reason`: Why the session ends.
    * `detail`: More about the end, in words. Absent or null for nothing.
    """

    reason: FinishReason
    """Why the session ends."""
    detail: str | None = None
    """More about the end, in words. Absent or null for nothing."""
