# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AuthTokenRequest."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class AuthTokenRequest(Value):
    """Exchange the key of this request for a token. It has no fields."""
