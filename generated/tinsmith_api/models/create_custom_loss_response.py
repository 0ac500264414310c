# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CreateCustomLossResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CreateCustomLossResponse(Model):
    """The loss can be used: as `loss_fn` `custom`, with its `loss_id` in `loss_fn_config`.

    * `loss_id`: Id of the loss.
    * `type`: The kind of result, `create_custom_loss`.
    """

    loss_id: str
    """Id of the loss."""
    type: str = "create_custom_loss"
    """The kind of result, `create_custom_loss`."""
