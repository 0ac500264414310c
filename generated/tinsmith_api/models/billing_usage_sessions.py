# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""BillingUsageSessions."""

from __future__ import annotations

from .billing_usage_session import BillingUsageSession

BillingUsageSessions = dict[str, BillingUsageSession | None]
"""The sessions that usage belongs to, by their ids."""
