"""Who a key belongs to, read from the claims of the token that it is exchanged for."""

from __future__ import annotations

import base64
import binascii

import attrs
import orjson

from tinsmith.core.errors import APIResponseValidationError

_ORGANIZATION = "tml:organization:"


@attrs.frozen
class WhoamiResponse:
    """Whom the server takes the caller for."""

    user_id: str | None = None
    """The user."""
    organization_id: str | None = None
    """The organization that the user acts for."""
    email: str | None = None
    """Where the user is reached."""

    @classmethod
    def from_token(cls, token: str) -> WhoamiResponse:
        """Read the claims of a JWT; its signature is the server's business, and the token is not kept."""
        try:
            payload = token.split(".")[1]
            claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            organization = claims.get("org_id")
            return cls(
                claims.get("sub"),
                organization.removeprefix(_ORGANIZATION) if isinstance(organization, str) else None,
                claims.get("email"),
            )
        except (IndexError, ValueError, AttributeError, binascii.Error) as cause:
            raise APIResponseValidationError(message="the server's token cannot be read") from cause
