# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SaveWeightsForSamplerResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsForSamplerResponse(Model):
    """The weights can be sampled.

    * `path`: Where a named checkpoint is, as a `tinker://` path. Some servers answer two segments
      instead of three, so pass it on and never take it apart. Absent or null for the other form.
    * `sampling_session_id`: The sampler that unnamed weights became. Absent or null for a named
      checkpoint.
    * `type`: The kind of result, `save_weights_for_sampler`.
    """

    path: str | None = None
    """Where a named checkpoint is, as a `tinker://` path. Some servers answer two segments instead of
    three, so pass it on and never take it apart. Absent or null for the other form.
    """
    sampling_session_id: str | None = None
    """The sampler that unnamed weights became. Absent or null for a named checkpoint."""
    type: str | None = "save_weights_for_sampler"
    """The kind of result, `save_weights_for_sampler`."""
