# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FutureRetrieveRequest."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class FutureRetrieveRequest(Value):
    """Ask for the result of a promise.

    * `request_id`: The promise, as `request_id` of its submission named it.
    * `allow_metadata_only`: Whether the server may answer `complete_metadata` with the size of a
      large result, instead of the result itself. Absent means no.
    """

    request_id: str
    """The promise, as `request_id` of its submission named it."""
    allow_metadata_only: bool = False
    """Whether the server may answer `complete_metadata` with the size of a large result, instead of
    the result itself. Absent means no.
    """
