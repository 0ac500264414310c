# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Audit: who did what. Builds the requests; a subclass sends them."""

from __future__ import annotations

import datetime
from typing import Literal

from .. import models
from ..future import APIFuture
from ..resource import Ask, Resource


class Audit(Resource):
    """Who did what."""

    def get_audit_log(
        self,
        event_type: Literal["all", "checkpoints", "projects", "teams", "organizations"] = "all",
        day: datetime.date | str | None = None,
    ) -> APIFuture[models.AuditLogResponse]:
        """Read the audit log.

        Lists what was done in one day. The server may redirect to where the entries are.

        `event_type`: Which entries to list. Absent leaves it to the server, which lists all.
        `day`: Which day, in UTC.
        """
        return self._send(
            Ask(
                "list_audit_log",
                models.AuditLogResponse,
                query={"event_type": event_type, "day": day},
                rows="entries",
            )
        )

    async def get_audit_log_async(
        self,
        event_type: Literal["all", "checkpoints", "projects", "teams", "organizations"] = "all",
        day: datetime.date | str | None = None,
    ) -> models.AuditLogResponse:
        """As `get_audit_log`, awaited."""
        return await self.get_audit_log(event_type, day)
