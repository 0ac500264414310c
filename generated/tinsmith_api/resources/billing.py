# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Billing: usage and cost. Builds the requests; a subclass sends them."""

from __future__ import annotations

import datetime

from .. import models
from ..future import APIFuture
from ..resource import Ask, Resource


class Billing(Resource):
    """Usage and cost."""

    def get_billing_usage(
        self, starting_on: datetime.datetime | str, ending_before: datetime.datetime | str
    ) -> APIFuture[models.BillingUsageResponse]:
        """List usage.

        Lists what was used in a stretch of at most 14 days, from a full hour to a full hour.

        `starting_on`: From this hour on.
        `ending_before`: Up to, but not including, this hour.
        """
        return self._send(
            Ask(
                "list_billing_usage_events",
                models.BillingUsageResponse,
                query={"starting_on": starting_on, "ending_before": ending_before},
                rows="data",
            )
        )

    async def get_billing_usage_async(
        self, starting_on: datetime.datetime | str, ending_before: datetime.datetime | str
    ) -> models.BillingUsageResponse:
        """As `get_billing_usage`, awaited."""
        return await self.get_billing_usage(starting_on, ending_before)

    def get_current_checkpoint_storage_usage(
        self, project_id: str | None = None
    ) -> APIFuture[models.CurrentCheckpointStorageUsageResponse]:
        """List what stored checkpoints take.

        Says for each user and project how much the stored checkpoints take now, and what they cost.

        `project_id`: Return only what belongs to this project. Absent means all projects.
        """
        return self._send(
            Ask(
                "list_checkpoint_storage_usage",
                models.CurrentCheckpointStorageUsageResponse,
                query={"project_id": project_id},
                rows="data",
            )
        )

    async def get_current_checkpoint_storage_usage_async(
        self, project_id: str | None = None
    ) -> models.CurrentCheckpointStorageUsageResponse:
        """As `get_current_checkpoint_storage_usage`, awaited."""
        return await self.get_current_checkpoint_storage_usage(project_id)
