# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""GetSessionResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class GetSessionResponse(Model):
    """What belongs to a session.

    * `training_run_ids`: Ids of its training runs, in the order of their creation.
    * `sampler_ids`: Ids of its samplers.
    * `user_metadata`: Labels that the user attached to it. Absent or null where there are none, or
      the server does not say.
    * `display_name`: Its name for people. Absent or null where it has none, or the server does not
      say.
    """

    training_run_ids: list[str]
    """Ids of its training runs, in the order of their creation."""
    sampler_ids: list[str]
    """Ids of its samplers."""
    user_metadata: dict[str, str] | None = None
    """Labels that the user attached to it. Absent or null where there are none, or the server does not
    say.
    """
    display_name: str | None = None
    """Its name for people. Absent or null where it has none, or the server does not say."""
