# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CopyWeightsResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CopyWeightsResponse(Model):
    """The copy exists.

    * `tinker_path`: Where the copy is, as a `tinker://` path.
    """

    tinker_path: str
    """Where the copy is, as a `tinker://` path."""
