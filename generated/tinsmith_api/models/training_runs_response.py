# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TrainingRunsResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .cursor import Cursor
from .training_run import TrainingRun


@attrs.frozen(field_transformer=own_fields)
class TrainingRunsResponse(Model):
    """One page of training runs.

    * `training_runs`: The training runs, last used first.
    * `cursor`: Which part of the list this page is. Null where the server does not say.
    """

    training_runs: list[TrainingRun]
    """The training runs, last used first."""
    cursor: Cursor | None
    """Which part of the list this page is. Null where the server does not say."""
