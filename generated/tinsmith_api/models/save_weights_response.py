# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SaveWeightsResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsResponse(Model):
    """The checkpoint is stored.

    * `path`: Where it is, as a `tinker://` path of training weights.
    * `type`: The kind of result, `save_weights`.
    """

    path: str
    """Where it is, as a `tinker://` path of training weights."""
    type: str | None = "save_weights"
    """The kind of result, `save_weights`."""
