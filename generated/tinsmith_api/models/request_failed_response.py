# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""RequestFailedResponse."""

from __future__ import annotations

from typing import Any

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class RequestFailedResponse(Model):
    """The work failed for good. Comes with status 200.

    * `error`: What happened, in words. The key alone marks the failure, whatever its value.
    * `category`: Whether the user or the server is to blame. Absent, and any other value, mean
      unknown. Known values: `unknown`, `server`, `user`.
    """

    error: Any
    """What happened, in words. The key alone marks the failure, whatever its value."""
    category: str = "unknown"
    """Whether the user or the server is to blame. Absent, and any other value, mean unknown. Known
    values: `unknown`, `server`, `user`.
    """
