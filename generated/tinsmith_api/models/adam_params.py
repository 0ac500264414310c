# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AdamParams."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class AdamParams(Value):
    """Settings of one step of Adam. What is left out, the server fills in.

    * `learning_rate`: Step size, at least 0. Absent means 0.0001.
    * `beta1`: Decay of the average of the gradient, in [0, 1). Absent means 0.9.
    * `beta2`: Decay of the average of the squared gradient, in [0, 1). Absent means 0.95.
    * `eps`: Added to the root of the average of the squared gradient, greater than 0. Absent means
      1e-12.
    * `weight_decay`: Decoupled weight decay, at least 0. Absent means 0.
    * `grad_clip_norm`: Largest norm of the whole gradient, at least 0; 0 turns clipping off. Absent
      means 0.
    """

    learning_rate: float = attrs.field(default=0.0001, validator=Limits(minimum=0))
    """Step size, at least 0. Absent means 0.0001."""
    beta1: float = attrs.field(default=0.9, validator=Limits(minimum=0, below=1))
    """Decay of the average of the gradient, in [0, 1). Absent means 0.9."""
    beta2: float = attrs.field(default=0.95, validator=Limits(minimum=0, below=1))
    """Decay of the average of the squared gradient, in [0, 1). Absent means 0.95."""
    eps: float = attrs.field(default=1e-12, validator=Limits(above=0))
    """Added to the root of the average of the squared gradient, greater than 0. Absent means 1e-12."""
    weight_decay: float = attrs.field(default=0, validator=Limits(minimum=0))
    """Decoupled weight decay, at least 0. Absent means 0."""
    grad_clip_norm: float = attrs.field(default=0, validator=Limits(minimum=0))
    """Largest norm of the whole gradient, at least 0; 0 turns clipping off. Absent means 0."""
