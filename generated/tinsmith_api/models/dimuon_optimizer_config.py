# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""DimuonOptimizerConfig."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class DimuonOptimizerConfig(Model):
    """Train a model with Dimuon.

    * `version`: Version of the optimizer. Absent means 1.
    * `type`: The kind of optimizer, always `dimuon`.
    """

    version: int = attrs.field(default=1, validator=Limits(minimum=1))
    """Version of the optimizer. Absent means 1."""
    type: Literal["dimuon"] = "dimuon"
    """The kind of optimizer, always `dimuon`."""
