# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""HealthResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class HealthResponse(Model):
    """The server is up.

    * `status`: `ok` when the server takes requests.
    """

    status: str
    """`ok` when the server takes requests."""
