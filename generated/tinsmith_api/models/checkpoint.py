# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Checkpoint."""

from __future__ import annotations

from datetime import datetime

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class Checkpoint(Model):
    """A stored checkpoint.

    * `checkpoint_id`: Its kind and name with a slash between them, `weights/0001` for example. Some
      servers give the name alone.
    * `checkpoint_type`: What it can be used for: to go on training, to sample from, or to download.
      Known values: `training`, `sampler`, `external`.
    * `time`: When it was saved, UTC. Null where the server does not say.
    * `tinker_path`: Where it lives, as a `tinker://` path.
    * `size_bytes`: Size on the server, in bytes. Absent or null where the server does not say.
      Unit: bytes.
    * `public`: Whether everybody may read it. Absent means no.
    * `user_metadata`: Labels that the user attached to it. Absent or null where there are none.
    * `expires_at`: When the server deletes it, UTC. Absent or null means never.
    """

    checkpoint_id: str
    """Its kind and name with a slash between them, `weights/0001` for example. Some servers give the
    name alone.
    """
    checkpoint_type: str
    """What it can be used for: to go on training, to sample from, or to download. Known values:
    `training`, `sampler`, `external`.
    """
    time: datetime | None
    """When it was saved, UTC. Null where the server does not say."""
    tinker_path: str
    """Where it lives, as a `tinker://` path."""
    size_bytes: int | None = None
    """Size on the server, in bytes. Absent or null where the server does not say. Unit: bytes."""
    public: bool = False
    """Whether everybody may read it. Absent means no."""
    user_metadata: dict[str, str] | None = None
    """Labels that the user attached to it. Absent or null where there are none."""
    expires_at: datetime | None = None
    """When the server deletes it, UTC. Absent or null means never."""
