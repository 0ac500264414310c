# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""OtherOptimizerParams."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class OtherOptimizerParams(Model):
    """Settings of one step of an optimizer that this contract does not know. Its other fields pass
    through as they are.

    * `type`: The kind of optimizer.
    """

    type: str
    """The kind of optimizer."""
