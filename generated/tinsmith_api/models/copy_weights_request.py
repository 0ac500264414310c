# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CopyWeightsRequest."""

from __future__ import annotations

import attrs

from ..limits import Limits
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CopyWeightsRequest(Value):
    """Copy a checkpoint into a project (`destination_project_id`), or into a session as if one of its
    models had saved it (`session_id` and `model_seq_id`).

    * `source_path`: The checkpoint to copy, as a `tinker://` path.
    * `session_id`: Session to copy into, together with `model_seq_id`.
    * `model_seq_id`: Number, in that session, of the model that the copy is counted to.
    * `destination_project_id`: Project to copy into.
    * `ttl_seconds`: Seconds until the server deletes the copy, one hour to ten years. Absent or
      null keeps it. Unit: s.
    * `weights_access_token`: Secret that opens somebody else's checkpoint. The official client
      sends it as the header X-Tinker-Weights-Access-Token instead.
    """

    source_path: str
    """The checkpoint to copy, as a `tinker://` path."""
    session_id: str | None = None
    """Session to copy into, together with `model_seq_id`."""
    model_seq_id: int | None = attrs.field(
        default=None, validator=Limits(minimum=0, maximum=9223372036854775807)
    )
    """Number, in that session, of the model that the copy is counted to."""
    destination_project_id: str | None = None
    """Project to copy into."""
    ttl_seconds: int | None = attrs.field(default=None, validator=Limits(minimum=3600, maximum=315360000))
    """Seconds until the server deletes the copy, one hour to ten years. Absent or null keeps it. Unit: s."""
    weights_access_token: str | None = attrs.field(default=None, repr=False)
    """Secret that opens somebody else's checkpoint. The official client sends it as the header
    X-Tinker-Weights-Access-Token instead.
    """
