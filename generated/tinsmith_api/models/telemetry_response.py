# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TelemetryResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class TelemetryResponse(Model):
    """The events were taken.

    * `status`: `accepted`.
    """

    status: str
    """`accepted`."""
