# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ActiveSessionStatusQuery."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ActiveSessionStatusQuery(Value):
    """Search among the sessions that are open.

    * `type`: The state, always `active`.
    """

    type: Literal["active"] = "active"
    """The state, always `active`."""
