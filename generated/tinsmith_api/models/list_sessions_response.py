# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ListSessionsResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ListSessionsResponse(Model):
    """One page of sessions.

    * `sessions`: Ids of the sessions, newest first.
    """

    sessions: list[str]
    """Ids of the sessions, newest first."""
