# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""DmelChunk."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class DmelChunk(Value):
    """A stretch of sound. The first bytes say how many positions it takes.

    * `dmel`: The encoded sound, in standard base64.
    * `type`: The kind of chunk, always `dmel`.
    """

    dmel: str
    """The encoded sound, in standard base64."""
    type: Literal["dmel"] = "dmel"
    """The kind of chunk, always `dmel`."""
