"""The part of RestClient that reads sessions and samplers."""

from __future__ import annotations

from tinsmith_api.models import (
    GetSamplerResponse,
    GetSessionResponse,
    ListSessionsResponse,
    SessionSearchRequest,
    SessionSearchResponse,
)

from tinsmith.clients.rest_calls import AccessScope, RestCalls
from tinsmith.clients.traces import trace_url
from tinsmith.core.arguments import page
from tinsmith.core.errors import InputError
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

    def assign_session_project(self, session_id: str, project_id: str) -> APIFuture[None]:
        """Put a session, with all that it made, into a project."""
        if not isinstance(project_id, str) or not project_id:
            raise InputError("must be the id of a project", field="project_id")
        return self._do("set_session_project", {"session_id": session_id}, {"project_id": project_id})

    async def assign_session_project_async(self, session_id: str, project_id: str) -> None:
        """As `assign_session_project`, awaited."""
        await self.assign_session_project(session_id, project_id)

    def search_sessions(self, request: SessionSearchRequest) -> APIFuture[SessionSearchResponse]:
        """Find sessions by labels, name, project, owner and state; every filter given must match.

        A page has at most `request.limit`, 1 to 200; `next_cursor` is the `cursor` of the next one. The API
        calls it experimental: fields may come and go.
        """
        if not isinstance(request, SessionSearchRequest):
            kind = type(request).__name__
            raise InputError(f"must be SessionSearchRequest, not {kind}", field="request")
        return self._list("search_sessions", SessionSearchResponse, "sessions", body=request)

    async def search_sessions_async(self, request: SessionSearchRequest) -> SessionSearchResponse:
        """As `search_sessions`, awaited."""
        return await self.search_sessions(request)

    def export_session_trace(self, session_id: str) -> APIFuture[str]:
        """Have the trace of a session written, and wait for the signed URL of it; treat it as a secret.

        Asks every 5 seconds until it is ready; `cancel` the future to stop. `RequestFailedError` if the
        server says that it cannot, as the embedded one does; `ProgressTimeoutError` if it is not written
        within the progress timeout of the client.
        """
        return self._link.run(trace_url(self._link, session_id))

    async def export_session_trace_async(self, session_id: str) -> str:
        """As `export_session_trace`, awaited."""
        return await self.export_session_trace(session_id)
