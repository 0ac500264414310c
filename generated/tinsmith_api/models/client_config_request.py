# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ClientConfigRequest."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ClientConfigRequest(Value):
    """Ask for the configuration of a client.

    * `sdk_version`: Version of the calling client.
    """

    sdk_version: str
    """Version of the calling client."""
