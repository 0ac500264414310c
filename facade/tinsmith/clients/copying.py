"""Copies of checkpoints on the server: into a project, or into a session as if its model saved them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith_api.models import CopyWeightsRequest, CopyWeightsResponse

from tinsmith.core.codec.structure import to_value
from tinsmith.io import operations

if TYPE_CHECKING:
    from tinsmith.io.link import Link

TOKEN_HEADER = "X-Tinker-Weights-Access-Token"  # noqa: S105  # the name of a header
"""Where the token for a checkpoint of somebody else travels; its value is never logged."""


async def copy_into_project(
    link: Link, path: str, project_id: str, ttl_seconds: int | None, weights_access_token: str | None
) -> str:
    """Copy a checkpoint into a project, and return the path of the copy."""
    wanted = CopyWeightsRequest(path, destination_project_id=project_id, ttl_seconds=ttl_seconds)
    return await _copy(link, wanted, weights_access_token)


async def copy_into_session(
    link: Link, path: str, ttl_seconds: int | None, weights_access_token: str | None
) -> str:
    """Copy a checkpoint into the session of this client, and return the path of the copy."""
    session_id = await link.session.open()
    wanted = CopyWeightsRequest(
        path, session_id=session_id, model_seq_id=link.session.next_model(), ttl_seconds=ttl_seconds
    )
    return await _copy(link, wanted, weights_access_token)


async def _copy(link: Link, wanted: CopyWeightsRequest, weights_access_token: str | None) -> str:
    headers = {} if weights_access_token is None else {TOKEN_HEADER: weights_access_token}
    asked = operations.request("copy_weights", body=wanted, headers=headers)
    return to_value(CopyWeightsResponse, await operations.perform(link.caller, asked)).tinker_path
