# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""FutureCompletion."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class FutureCompletion(Model):
    """One promise that has ended, in one of two ways: `finished` or `failed`. The result or the
    failure itself is still fetched by `retrieve_future`.

    * `state`: How it ended. Known values: `finished`, `failed`.
    * `request_id`: The promise.
    * `response_payload_uncompressed_size`: Size of the result before compression, in bytes, so that
      a client can make room for it. Absent where the promise failed or the server does not say.
      Unit: bytes.
    """

    state: str
    """How it ended. Known values: `finished`, `failed`."""
    request_id: str
    """The promise."""
    response_payload_uncompressed_size: int | None = None
    """Size of the result before compression, in bytes, so that a client can make room for it. Absent
    where the promise failed or the server does not say. Unit: bytes.
    """
