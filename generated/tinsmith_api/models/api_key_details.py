# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ApiKeyDetails."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .api_key_org_details import ApiKeyOrgDetails
from .api_key_user_details import ApiKeyUserDetails


@attrs.frozen(field_transformer=own_fields)
class ApiKeyDetails(Model):
    """The organization and the user that a key belongs to.

    * `org_details`: The organization.
    * `user_details`: The user.
    """

    org_details: ApiKeyOrgDetails
    """The organization."""
    user_details: ApiKeyUserDetails
    """The user."""
