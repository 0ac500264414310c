"""Who a key belongs to, read from the claims of the token that it is exchanged for."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import orjson

from tinsmith.core.errors import APIResponseValidationError
from tinsmith.core.values.answers import WhoamiResponse
from tinsmith.io import operations

if TYPE_CHECKING:
    from tinsmith.io.link import Link


async def who(link: Link) -> WhoamiResponse:
    """Exchange the key for a token and read the token."""
    asked = operations.request("auth_token", body={})
    payload = await operations.perform(link.caller, asked)
    token = payload.get("jwt") if isinstance(payload, dict) else None
    if not isinstance(token, str):
        raise APIResponseValidationError(message="the server's answer to whoami holds no token")
    return claimed(token)


def claimed(token: str) -> WhoamiResponse:
    """Read the claims of a JWT; its signature is the server's business, and the token is not kept."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return WhoamiResponse(claims.get("sub"), claims.get("org_id"), claims.get("email"))
    except (IndexError, ValueError, AttributeError, binascii.Error) as cause:
        raise APIResponseValidationError(message="the server's token cannot be read") from cause
