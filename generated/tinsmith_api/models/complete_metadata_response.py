# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CompleteMetadataResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CompleteMetadataResponse(Model):
    """The result is ready and large. Make room for it, then ask again without `allow_metadata_only`.

    * `status`: Kind of answer, `complete_metadata`.
    * `response_payload_size`: Size of the result, in bytes. Unit: bytes.
    """

    status: str
    """Kind of answer, `complete_metadata`."""
    response_payload_size: int
    """Size of the result, in bytes. Unit: bytes."""
