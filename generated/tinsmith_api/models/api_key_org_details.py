# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ApiKeyOrgDetails."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ApiKeyOrgDetails(Model):
    """The organization that a key belongs to.

    * `name`: Name of the organization.
    """

    name: str
    """Name of the organization."""
