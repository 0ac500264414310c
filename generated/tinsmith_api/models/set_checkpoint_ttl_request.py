# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SetCheckpointTtlRequest."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SetCheckpointTtlRequest(Value):
    """Set or remove the expiry of a checkpoint.

    * `ttl_seconds`: Seconds from now until the server deletes it, one hour to ten years. Null,
      which is sent, keeps it. Unit: s.
    """

    ttl_seconds: int | None = attrs.field(validator=Limits(minimum=3600, maximum=315360000))
    """Seconds from now until the server deletes it, one hour to ten years. Null, which is sent, keeps
    it. Unit: s.
    """
