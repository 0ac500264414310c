# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""DimuonParams."""

from __future__ import annotations

from typing import Literal

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class DimuonParams(Value):
    """Settings of one step of Dimuon.

    * `learning_rate`: Step size, at least 0.
    * `grad_clip_norm`: Largest norm of the whole gradient; 0 or less turns clipping off. Absent
      means 0.
    * `beta1`: Decay of the gradient's average, in [0, 1). Absent means 0.9.
    * `type`: The kind of optimizer, always `dimuon`.
    """

    learning_rate: float = attrs.field(validator=Limits(minimum=0))
    """Step size, at least 0."""
    grad_clip_norm: float = 0.0
    """Largest norm of the whole gradient; 0 or less turns clipping off. Absent means 0."""
    beta1: float = attrs.field(default=0.9, validator=Limits(minimum=0, below=1))
    """Decay of the gradient's average, in [0, 1). Absent means 0.9."""
    type: Literal["dimuon"] = "dimuon"
    """The kind of optimizer, always `dimuon`."""
