# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""GetInfoRequest."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class GetInfoRequest(Value):
    """Ask what a model is.

    * `model_id`: The model asked about.
    * `type`: The kind of request, always `get_info`.
    """

    model_id: str
    """The model asked about."""
    type: Literal["get_info"] = "get_info"
    """The kind of request, always `get_info`."""
