# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""OwnSearchOwner."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class OwnSearchOwner(Value):
    """Search among one's own sessions.

    * `type`: The kind of owner, always `own`.
    """

    type: Literal["own"] = "own"
    """The kind of owner, always `own`."""
