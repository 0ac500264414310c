"""The part of RestClient that reads sessions and samplers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith.clients.rest_calls import RestCalls
from tinsmith.core.arguments import page
from tinsmith.core.values.rest import GetSamplerResponse, GetSessionResponse, ListSessionsResponse

if TYPE_CHECKING:
    from tinsmith.clients.rest_calls import AccessScope
    from tinsmith.io.future import APIFuture


class SessionCalls(RestCalls):
    """Sessions, and the samplers that they made."""

    def get_session(
        self, session_id: str, access_scope: AccessScope | None = None
    ) -> APIFuture[GetSessionResponse]:
        """Get what a session made: ids of its training runs and samplers, and its metadata."""
        return self._get(
            "get_session",
            GetSessionResponse,
            path={"session_id": session_id},
            query={"access_scope": access_scope},
        )

    async def get_session_async(
        self, session_id: str, access_scope: AccessScope | None = None
    ) -> GetSessionResponse:
        """As `get_session`, awaited."""
        return await self.get_session(session_id, access_scope=access_scope)

    def list_sessions(
        self, limit: int = 20, offset: int = 0, access_scope: AccessScope | None = None
    ) -> APIFuture[ListSessionsResponse]:
        """List a page of session ids."""
        query = {**page(limit, offset), "access_scope": access_scope}
        return self._get("list_sessions", ListSessionsResponse, query=query)

    async def list_sessions_async(
        self, limit: int = 20, offset: int = 0, access_scope: AccessScope | None = None
    ) -> ListSessionsResponse:
        """As `list_sessions`, awaited."""
        return await self.list_sessions(limit, offset, access_scope=access_scope)

    def get_sampler(self, sampler_id: str) -> APIFuture[GetSamplerResponse]:
        """Get what a sampler samples: its base model, and the path of its checkpoint or None."""
        return self._get("get_sampler", GetSamplerResponse, path={"sampler_id": sampler_id})

    async def get_sampler_async(self, sampler_id: str) -> GetSamplerResponse:
        """As `get_sampler`, awaited."""
        return await self.get_sampler(sampler_id)
