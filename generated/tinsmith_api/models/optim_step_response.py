# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""OptimStepResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class OptimStepResponse(Model):
    """The step was taken.

    * `metrics`: Numbers about the step, the norm of the gradient for example. Absent or null where
      the server gives none.
    """

    metrics: dict[str, float] | None = None
    """Numbers about the step, the norm of the gradient for example. Absent or null where the server
    gives none.
    """
