# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""GetSamplerResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class GetSamplerResponse(Model):
    """What a sampler samples.

    * `sampler_id`: Id of the sampler.
    * `base_model`: Base model that it samples, or on which its weights were trained.
    * `model_path`: Saved weights that it samples, as a `tinker://` path. Absent or null for the
      base model itself.
    """

    sampler_id: str
    """Id of the sampler."""
    base_model: str
    """Base model that it samples, or on which its weights were trained."""
    model_path: str | None = None
    """Saved weights that it samples, as a `tinker://` path. Absent or null for the base model itself."""
