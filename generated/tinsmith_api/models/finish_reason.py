# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FinishReason."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..ownership import own_fields


@attrs.frozen(field_transformer=own_fields)
class FinishReason(Value):
    """Why a client ends its session."""

    type: Literal["success", "errored", "interrupted"]
    """How the work went."""
