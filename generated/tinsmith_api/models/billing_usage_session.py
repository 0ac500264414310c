# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""BillingUsageSession."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class BillingUsageSession(Model):
    """What is known of a session that usage belongs to.

    * `user_metadata`: Labels that the user attached to the session. Absent or null where there are
      none.
    """

    user_metadata: dict[str, str] | None = None
    """Labels that the user attached to the session. Absent or null where there are none."""
