# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AccessibleSearchOwner."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class AccessibleSearchOwner(Value):
    """Search among all sessions that the key may read.

    * `type`: The kind of owner, always `accessible`.
    """

    type: Literal["accessible"] = "accessible"
    """The kind of owner, always `accessible`."""
