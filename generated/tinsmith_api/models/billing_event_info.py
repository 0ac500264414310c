# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""BillingEventInfo."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class BillingEventInfo(Model):
    """What was used, told apart by `type`: `training` (with `token_count`), `sampling_prefill`
    (`token_count` and `cached`), `sampling_sample` (`token_count`), `checkpoint` (`count`) or
    `storage` (`gigabyte_hours`, perhaps `free`).

    * `type`: The kind of use. Known values: `training`, `sampling_prefill`, `sampling_sample`,
      `checkpoint`, `storage`.
    * `token_count`: Tokens trained on, read or sampled. Only for `training`, `sampling_prefill` and
      `sampling_sample`. Unit: tokens.
    * `cached`: Whether the tokens of the prompt had been computed before. Only for
      `sampling_prefill`.
    * `count`: Number of checkpoints saved. Only for `checkpoint`.
    * `gigabyte_hours`: Storage used, in gigabytes times hours. Only for `storage`. Unit: GB h.
    * `free`: Whether the storage costs nothing. Only for `storage`, where absent means no.
    """

    type: str
    """The kind of use. Known values: `training`, `sampling_prefill`, `sampling_sample`, `checkpoint`,
    `storage`.
    """
    token_count: int | None = None
    """Tokens trained on, read or sampled. Only for `training`, `sampling_prefill` and
    `sampling_sample`. Unit: tokens.
    """
    cached: bool | None = None
    """Whether the tokens of the prompt had been computed before. Only for `sampling_prefill`."""
    count: int | None = None
    """Number of checkpoints saved. Only for `checkpoint`."""
    gigabyte_hours: float | None = None
    """Storage used, in gigabytes times hours. Only for `storage`. Unit: GB h."""
    free: bool | None = None
    """Whether the storage costs nothing. Only for `storage`, where absent means no."""
