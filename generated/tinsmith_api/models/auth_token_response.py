# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""AuthTokenResponse."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class AuthTokenResponse(Model):
    """A short-lived token.

    * `jwt`: The token, a JWT. Send it as X-API-Key until it is about to expire. Its claims hold
      `sub` (the user), `org_id` and `email`. A secret.
    """

    jwt: str = attrs.field(repr=False)
    """The token, a JWT. Send it as X-API-Key until it is about to expire. Its claims hold `sub` (the
    user), `org_id` and `email`. A secret.
    """
