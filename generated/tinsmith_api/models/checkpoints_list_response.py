# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CheckpointsListResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .checkpoint import Checkpoint
from .cursor import Cursor


@attrs.frozen(field_transformer=own_fields)
class CheckpointsListResponse(Model):
    """Checkpoints, all of them or one page.

    * `checkpoints`: The checkpoints, newest first.
    * `cursor`: Which part of the list this page is. Absent or null when it is all.
    """

    checkpoints: list[Checkpoint]
    """The checkpoints, newest first."""
    cursor: Cursor | None = None
    """Which part of the list this page is. Absent or null when it is all."""
