# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""WeightsInfoRequest."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class WeightsInfoRequest(Value):
    """Ask what a checkpoint was trained on. Works for the public checkpoints of others too.

    * `tinker_path`: The checkpoint, as a `tinker://` path.
    """

    tinker_path: str
    """The checkpoint, as a `tinker://` path."""
