# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SaveWeightsExternalResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SaveWeightsExternalResponse(Model):
    """The files are stored.

    * `path`: Where the files are, as a `tinker://` path of kind `external_weights`. Absent or null
      where the server does not say.
    * `size_bytes`: Size of all files together, in bytes. Absent or null where the server does not
      say. Unit: bytes.
    * `type`: The kind of result, `save_weights_external`.
    """

    path: str | None = None
    """Where the files are, as a `tinker://` path of kind `external_weights`. Absent or null where the
    server does not say.
    """
    size_bytes: int | None = None
    """Size of all files together, in bytes. Absent or null where the server does not say. Unit: bytes."""
    type: str | None = "save_weights_external"
    """The kind of result, `save_weights_external`."""
