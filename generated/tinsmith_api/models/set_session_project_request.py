# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SetSessionProjectRequest."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SetSessionProjectRequest(Value):
    """Move a session to a project.

    * `project_id`: Project that the session counts to from now on.
    """

    project_id: str
    """Project that the session counts to from now on."""
