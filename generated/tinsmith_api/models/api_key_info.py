# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ApiKeyInfo."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields
from .api_key_details import ApiKeyDetails


@attrs.frozen(field_transformer=own_fields)
class ApiKeyInfo(Model):
    """What the server knows about the key that this request was made with.

    * `key_id`: Number of the key. It is no secret.
    * `name`: Name that the user gave the key.
    * `note`: Remark that the user added; empty for none.
    * `details`: The organization and the user that the key belongs to.
    """

    key_id: int
    """Number of the key. It is no secret."""
    name: str
    """Name that the user gave the key."""
    note: str
    """Remark that the user added; empty for none."""
    details: ApiKeyDetails
    """The organization and the user that the key belongs to."""
