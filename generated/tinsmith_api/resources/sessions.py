# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Sessions: the scope of all other work. Builds the requests; a subclass sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import NoneType
from typing import Literal

from .. import models
from ..future import APIFuture
from ..resource import Ask, Resource


class Sessions(Resource):
    """The scope of all other work."""

    def list_sessions(
        self, limit: int = 20, offset: int = 0, access_scope: Literal["owned", "accessible"] | None = None
    ) -> APIFuture[models.ListSessionsResponse]:
        """List sessions.

        Lists sessions, newest first, one page at a time.

        `limit`: Most entries to return. Absent means 20. From 1 to 500.
        `offset`: Number of entries to skip. Absent means 0. At least 0.
        `access_scope`: Whose things to return, one's own (`owned`) or all that the key may read
        (`accessible`). Since 0.15. Absent means `owned`.
        """
        return self._send(
            Ask(
                "list_sessions",
                models.ListSessionsResponse,
                query={"limit": limit, "offset": offset, "access_scope": access_scope},
                rows="sessions",
            )
        )

    async def list_sessions_async(
        self, limit: int = 20, offset: int = 0, access_scope: Literal["owned", "accessible"] | None = None
    ) -> models.ListSessionsResponse:
        """As `list_sessions`, awaited."""
        return await self.list_sessions(limit, offset, access_scope)

    def iter_sessions(self, access_scope: Literal["owned", "accessible"] | None = None) -> Iterator[str]:
        """Iterate over the rows of all pages, 100 at a time; blocks for each page.

        What is added meanwhile may shift a page, so that a row comes twice. Parameters as of `list_sessions`.
        """
        return self._pages(
            lambda offset: self.list_sessions(limit=100, offset=offset, access_scope=access_scope),
            "sessions",
            100,
        )

    def iter_sessions_async(
        self, access_scope: Literal["owned", "accessible"] | None = None
    ) -> AsyncIterator[str]:
        """As `iter_sessions`, for `async for`."""
        return self._pages_async(
            lambda offset: self.list_sessions(limit=100, offset=offset, access_scope=access_scope),
            "sessions",
            100,
        )

    def get_session(
        self, session_id: str, access_scope: Literal["owned", "accessible"] | None = None
    ) -> APIFuture[models.GetSessionResponse]:
        """Describe a session.

        Answers with the training runs and samplers of a session.

        `session_id`: Id of the session.
        `access_scope`: Whose things to return, one's own (`owned`) or all that the key may read
        (`accessible`). Since 0.15. Absent means `owned`.
        """
        return self._send(
            Ask(
                "get_session",
                models.GetSessionResponse,
                path={"session_id": session_id},
                query={"access_scope": access_scope},
            )
        )

    async def get_session_async(
        self, session_id: str, access_scope: Literal["owned", "accessible"] | None = None
    ) -> models.GetSessionResponse:
        """As `get_session`, awaited."""
        return await self.get_session(session_id, access_scope)

    def assign_session_project(self, session_id: str, project_id: str) -> APIFuture[None]:
        """Move a session to a project.

        The costs of the session count to that project from then on.

        `session_id`: Id of the session.
        `project_id`: Project that the session counts to from now on.
        """
        return self._send(
            Ask(
                "set_session_project",
                NoneType,
                path={"session_id": session_id},
                body={"project_id": project_id},
            )
        )

    async def assign_session_project_async(self, session_id: str, project_id: str) -> None:
        """As `assign_session_project`, awaited."""
        return await self.assign_session_project(session_id, project_id)

    def search_sessions(
        self, request: models.SessionSearchRequest
    ) -> APIFuture[models.SessionSearchResponse]:
        """Find sessions.

        Finds sessions by id, name, labels, project, owner or state, one page at a time. Experimental.

        `request`: Find sessions. `session_id` and `display_name` are alternatives: a session is found that
        fits one of them. Every other filter given must match too.
        """
        return self._send(
            Ask(
                "search_sessions",
                models.SessionSearchResponse,
                body=request,
                model=models.SessionSearchRequest,
                rows="sessions",
                names={"body": "request"},
            )
        )

    async def search_sessions_async(
        self, request: models.SessionSearchRequest
    ) -> models.SessionSearchResponse:
        """As `search_sessions`, awaited."""
        return await self.search_sessions(request)
