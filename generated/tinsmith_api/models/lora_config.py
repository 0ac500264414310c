# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""LoraConfig."""

from __future__ import annotations

import attrs

from ..limits import Limits, refuse
from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class LoraConfig(Value):
    """Shape of a LoRA adapter. At least one of `train_unembed`, `train_mlp` and `train_attn` must be true.

    * `rank`: Rank of the two factors, at least 1.
    * `seed`: Seed of the initial weights. Absent or null lets the server draw one.
    * `train_unembed`: Whether the unembedding is adapted. Absent means yes.
    * `train_mlp`: Whether the MLP projections are adapted. Absent means yes.
    * `train_attn`: Whether the attention projections are adapted. Absent means yes.
    """

    rank: int = attrs.field(validator=Limits(minimum=1))
    """Rank of the two factors, at least 1."""
    seed: int | None = None
    """Seed of the initial weights. Absent or null lets the server draw one."""
    train_unembed: bool = True
    """Whether the unembedding is adapted. Absent means yes."""
    train_mlp: bool = True
    """Whether the MLP projections are adapted. Absent means yes."""
    train_attn: bool = True
    """Whether the attention projections are adapted. Absent means yes."""

    def __attrs_post_init__(self) -> None:
        refuse(self, train_unembed=False, train_mlp=False, train_attn=False)
