# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ForwardBackwardInput."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields
from .datum import Datum


@attrs.frozen(field_transformer=own_fields)
class ForwardBackwardInput(Value):
    """A batch, and the loss to compute over it.

    * `data`: The examples. Clients split a large batch over several requests.
    * `loss_fn`: Name of the loss. Known values: `cross_entropy`, `importance_sampling`, `ppo`,
      `cispo`, `dro`, `gspo`, `stable_reinforce`, `custom`.
    * `loss_fn_config`: Settings of the loss, by name. Absent or null means the server's own.
    """

    data: list[Datum]
    """The examples. Clients split a large batch over several requests."""
    loss_fn: str
    """Name of the loss. Known values: `cross_entropy`, `importance_sampling`, `ppo`, `cispo`, `dro`,
    `gspo`, `stable_reinforce`, `custom`.
    """
    loss_fn_config: dict[str, float | str] | None = None
    """Settings of the loss, by name. Absent or null means the server's own."""
