"""Copies of checkpoints on the server: into a project, or into a session as if its model saved them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from tinsmith_api.models import CopyWeightsResponse
from tinsmith_api.resource import Ask

from tinsmith.io import operations

if TYPE_CHECKING:
    from tinsmith.io.link import Link

TOKEN_HEADER = "X-Tinker-Weights-Access-Token"  # noqa: S105  # the name of a header
"""Where the token for a checkpoint of somebody else travels; its value is never logged."""


def copy_of(
    path: str, ttl_seconds: int | None, weights_access_token: str | None, project_id: str | None = None
) -> Ask[CopyWeightsResponse]:
    """Ask for a copy of a checkpoint; what is wrong is refused."""
    return operations.fit(
        Ask(
            "copy_weights",
            CopyWeightsResponse,
            headers={TOKEN_HEADER: weights_access_token},
            body={
                "source_path": path,
                "destination_project_id": project_id,
                "ttl_seconds": ttl_seconds,
            },
            names={"source_path": "path", TOKEN_HEADER: "weights_access_token"},
        )
    )


async def copied(link: Link, ask: Ask[CopyWeightsResponse]) -> str:
    """Make the copy, and return its path."""
    payload = await operations.perform(link.caller, operations.asked(ask))
    return operations.read(ask.result, payload).tinker_path


async def copied_into_session(link: Link, ask: Ask[CopyWeightsResponse]) -> str:
    """Make the copy in the session of this client, and return its path."""
    into = {"session_id": await link.session.open(), "model_seq_id": link.session.next_model()}
    assert isinstance(ask.body, dict)
    return await copied(link, attrs.evolve(ask, body={**ask.body, **into}))
