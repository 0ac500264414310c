# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CreateSamplingSessionResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CreateSamplingSessionResponse(Model):
    """The sampler exists.

    * `sampling_session_id`: Id of the new sampler.
    * `type`: The kind of answer, `create_sampling_session`.
    """

    sampling_session_id: str
    """Id of the new sampler."""
    type: str = "create_sampling_session"
    """The kind of answer, `create_sampling_session`."""
