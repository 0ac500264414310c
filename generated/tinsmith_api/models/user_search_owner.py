# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""UserSearchOwner."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class UserSearchOwner(Value):
    """Search among the sessions of named users.

    * `owner_urns`: The users, 1 to 10 of them, each by its URN.
    * `type`: The kind of owner, always `user`.
    """

    owner_urns: list[str] = attrs.field(validator=Limits(min_items=1, max_items=10))
    """The users, 1 to 10 of them, each by its URN."""
    type: Literal["user"] = "user"
    """The kind of owner, always `user`."""
