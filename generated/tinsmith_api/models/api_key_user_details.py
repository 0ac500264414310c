# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ApiKeyUserDetails."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ApiKeyUserDetails(Model):
    """The user that a key belongs to.

    * `email`: Email address of the user.
    """

    email: str
    """Email address of the user."""
