# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CancelFutureRequest."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CancelFutureRequest(Value):
    """Give up a promise.

    * `request_id`: The promise whose result nobody waits for any more.
    """

    request_id: str
    """The promise whose result nobody waits for any more."""
