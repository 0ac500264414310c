"""The part of RestClient that lists, shares, keeps and deletes checkpoints."""

from __future__ import annotations

from collections.abc import Iterator

from tinsmith_api.models import Checkpoint, CheckpointsListResponse, WeightsInfoResponse

from tinsmith.clients.checkpoints import checkpoint, checkpoint_of
from tinsmith.clients.copying import copy_into_project
from tinsmith.clients.rest_calls import RestCalls, all_rows
from tinsmith.core.arguments import page, ttl
from tinsmith.core.errors import InputError
from tinsmith.core.paths import check_tinker_path
from tinsmith.io.future import APIFuture

CHECKPOINTS_PAGE = 1000
"""Checkpoints asked for at a time while iterating."""


class CheckpointCalls(RestCalls):
    """Checkpoints on the server."""

    def get_weights_info_by_tinker_path(self, tinker_path: str) -> APIFuture[WeightsInfoResponse]:
        """Ask what a checkpoint was trained on; works for other people's public ones too."""
        check_tinker_path(tinker_path)
        return self._get("weights_info", WeightsInfoResponse, body={"tinker_path": tinker_path})

    def list_checkpoints(self, training_run_id: str) -> APIFuture[CheckpointsListResponse]:
        """List the checkpoints of a training run, for training and for sampling.

        One page as large as the server likes; the embedded service gives the newest 1000. Rows that cannot be
        read are warned of and kept in `extra`.
        """
        path = {"training_run_id": training_run_id}
        return self._list("list_checkpoints", CheckpointsListResponse, "checkpoints", path=path)

    async def list_checkpoints_async(self, training_run_id: str) -> CheckpointsListResponse:
        """As `list_checkpoints`, awaited."""
        return await self.list_checkpoints(training_run_id)

    def list_user_checkpoints(self, limit: int = 100, offset: int = 0) -> APIFuture[CheckpointsListResponse]:
        """List a page of all checkpoints of the user, newest first."""
        query = page(limit, offset)
        return self._list("list_user_checkpoints", CheckpointsListResponse, "checkpoints", query=query)

    async def list_user_checkpoints_async(self, limit: int = 100, offset: int = 0) -> CheckpointsListResponse:
        """As `list_user_checkpoints`, awaited."""
        return await self.list_user_checkpoints(limit, offset)

    def iter_user_checkpoints(self) -> Iterator[Checkpoint]:
        """Iterate over all checkpoints of the user, a page at a time.

        Blocks for each page of `CHECKPOINTS_PAGE`.
        """
        return all_rows(
            lambda offset: self.list_user_checkpoints(CHECKPOINTS_PAGE, offset).result(),
            "checkpoints",
            CHECKPOINTS_PAGE,
        )

    def delete_checkpoint(self, training_run_id: str, checkpoint_id: str) -> APIFuture[None]:
        """Delete a checkpoint for ever.

        `checkpoint_id` as in `get_checkpoint_archive_url`. `NotFoundError` may also mean that a first try,
        whose answer was lost, deleted it.
        """
        return self._do("delete_checkpoint", checkpoint(training_run_id, checkpoint_id))

    async def delete_checkpoint_async(self, training_run_id: str, checkpoint_id: str) -> None:
        """As `delete_checkpoint`, awaited."""
        await self.delete_checkpoint(training_run_id, checkpoint_id)

    def delete_checkpoint_from_tinker_path(self, tinker_path: str) -> APIFuture[None]:
        """Delete a checkpoint for ever; as `delete_checkpoint`."""
        return self._do("delete_checkpoint", checkpoint_of(tinker_path))

    async def delete_checkpoint_from_tinker_path_async(self, tinker_path: str) -> None:
        """As `delete_checkpoint_from_tinker_path`, awaited."""
        await self.delete_checkpoint_from_tinker_path(tinker_path)

    def publish_checkpoint_from_tinker_path(self, tinker_path: str) -> APIFuture[None]:
        """Let everybody read a checkpoint; the embedded service raises `ConflictError` if they can."""
        return self._do("publish_checkpoint", checkpoint_of(tinker_path))

    async def publish_checkpoint_from_tinker_path_async(self, tinker_path: str) -> None:
        """As `publish_checkpoint_from_tinker_path`, awaited."""
        await self.publish_checkpoint_from_tinker_path(tinker_path)

    def unpublish_checkpoint_from_tinker_path(self, tinker_path: str) -> APIFuture[None]:
        """Make a public checkpoint private again; the embedded service raises `ConflictError` if it is."""
        return self._do("unpublish_checkpoint", checkpoint_of(tinker_path))

    async def unpublish_checkpoint_from_tinker_path_async(self, tinker_path: str) -> None:
        """As `unpublish_checkpoint_from_tinker_path`, awaited."""
        await self.unpublish_checkpoint_from_tinker_path(tinker_path)

    def set_checkpoint_ttl_from_tinker_path(
        self, tinker_path: str, ttl_seconds: int | None
    ) -> APIFuture[None]:
        """Let a checkpoint expire in `ttl_seconds`, or never with None.

        Counted from now, 3600 (an hour) to 315360000 (ten years); `InputError` for anything else.
        """
        body = {"ttl_seconds": ttl(ttl_seconds)}
        return self._do("set_checkpoint_ttl", checkpoint_of(tinker_path), body)

    async def set_checkpoint_ttl_from_tinker_path_async(
        self, tinker_path: str, ttl_seconds: int | None
    ) -> None:
        """As `set_checkpoint_ttl_from_tinker_path`, awaited."""
        await self.set_checkpoint_ttl_from_tinker_path(tinker_path, ttl_seconds)

    def copy_weights(
        self,
        path: str,
        destination_project_id: str | None = None,
        *,
        ttl_seconds: int | None = None,
        weights_access_token: str | None = None,
    ) -> APIFuture[str]:
        """Copy a checkpoint into a project; the result is the copy's path.

        The project is the client's own where none is named; `InputError` if it has none. `ttl_seconds` is
        3600 or more (None: kept for ever), and `weights_access_token` opens a checkpoint of somebody else.
        The future raises `NotFoundError` or `ConflictError` (`applied` "no").
        """
        project_id = destination_project_id or self._link.config.project_id
        check_tinker_path(path)
        if not isinstance(project_id, str):
            raise InputError("name a project, here or as project_id=", field="destination_project_id")
        seconds = ttl(ttl_seconds)
        return self._link.run(copy_into_project(self._link, path, project_id, seconds, weights_access_token))

    async def copy_weights_async(
        self,
        path: str,
        destination_project_id: str | None = None,
        *,
        ttl_seconds: int | None = None,
        weights_access_token: str | None = None,
    ) -> str:
        """As `copy_weights`, awaited."""
        return await self.copy_weights(
            path,
            destination_project_id,
            ttl_seconds=ttl_seconds,
            weights_access_token=weights_access_token,
        )
