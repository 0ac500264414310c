# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FinishReason."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields
from .client_session_finish_reason_type import ClientSessionFinishReasonType


@attrs.frozen(field_transformer=own_fields)
class FinishReason(Value):
    """Why a client ends its session.

    * `type`: How the work went.
    """

    type: ClientSessionFinishReasonType
    """How the work went."""
