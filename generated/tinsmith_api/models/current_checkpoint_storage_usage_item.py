# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""CurrentCheckpointStorageUsageItem."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class CurrentCheckpointStorageUsageItem(Model):
    """What the stored checkpoints of one user in one project take.

    * `checkpoint_count`: Number of stored checkpoints.
    * `size_bytes`: Their size together, in bytes. Unit: bytes.
    * `project_id`: The project. Absent or null for checkpoints that belong to none.
    * `org_user_urn`: The user, as a URN. Absent or null where the server does not say.
    * `user_email`: Email address of the user. Absent or null where the server does not say.
    * `user_name`: Name of the user. Absent or null where the server does not say.
    * `size_gigabytes`: Their size together, in gigabytes. Unit: GB.
    * `estimated_monthly_cost_usd`: Estimated cost of keeping them for a month, in US dollars.
      Absent or null where it is not known. Unit: USD.
    """

    checkpoint_count: int
    """Number of stored checkpoints."""
    size_bytes: int
    """Their size together, in bytes. Unit: bytes."""
    project_id: str | None = None
    """The project. Absent or null for checkpoints that belong to none."""
    org_user_urn: str | None = None
    """The user, as a URN. Absent or null where the server does not say."""
    user_email: str | None = None
    """Email address of the user. Absent or null where the server does not say."""
    user_name: str | None = None
    """Name of the user. Absent or null where the server does not say."""
    size_gigabytes: float | None = None
    """Their size together, in gigabytes. Unit: GB."""
    estimated_monthly_cost_usd: float | None = None
    """Estimated cost of keeping them for a month, in US dollars. Absent or null where it is not known.
    Unit: USD.
    """
