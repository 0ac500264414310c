# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CurrentCheckpointStorageUsageResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .current_checkpoint_storage_usage_item import CurrentCheckpointStorageUsageItem


@attrs.frozen(field_transformer=own_fields)
class CurrentCheckpointStorageUsageResponse(Model):
    """What the stored checkpoints take now.

    * `data`: One entry for each user and project.
    * `effective_rate_usd_per_gigabyte_month`: Price of a gigabyte for a month, in US dollars.
      Absent or null where it is not known. Unit: USD.
    """

    data: list[CurrentCheckpointStorageUsageItem]
    """One entry for each user and project."""
    effective_rate_usd_per_gigabyte_month: float | None = None
    """Price of a gigabyte for a month, in US dollars. Absent or null where it is not known. Unit: USD."""
