# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AdamOptimizerConfig."""

from __future__ import annotations

from typing import Literal

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class AdamOptimizerConfig(Model):
    """Train a model with AdamW, the default.

    * `type`: The kind of optimizer, always `adamw`.
    """

    type: Literal["adamw"] = "adamw"
    """The kind of optimizer, always `adamw`."""
