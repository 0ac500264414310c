# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Checkpoints: stored weights. Builds the requests; a subclass sends them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import NoneType

from .. import models
from ..future import APIFuture
from ..resource import Ask, Resource


class Checkpoints(Resource):
    """Stored weights."""

    def list_checkpoints(
        self, training_run_id: str, limit: int | None = None, offset: int | None = None
    ) -> APIFuture[models.CheckpointsListResponse]:
        """List the checkpoints of a run.

        Lists all checkpoints of a training run, newest first. Some servers give one page at a time.

        `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
        `limit`: Most entries to return. Absent leaves it to the server, which gives 100 or more. From 1 to
        1000.
        `offset`: Number of entries to skip. Absent means 0. At least 0.
        """
        return self._send(
            Ask(
                "list_checkpoints",
                models.CheckpointsListResponse,
                path={"training_run_id": training_run_id},
                query={"limit": limit, "offset": offset},
                rows="checkpoints",
            )
        )

    async def list_checkpoints_async(
        self, training_run_id: str, limit: int | None = None, offset: int | None = None
    ) -> models.CheckpointsListResponse:
        """As `list_checkpoints`, awaited."""
        return await self.list_checkpoints(training_run_id, limit, offset)

    def iter_checkpoints(self, training_run_id: str) -> Iterator[models.Checkpoint]:
        """Iterate over the rows of all pages, 1000 at a time; blocks for each page.

        What is added meanwhile may shift a page, so that a row comes twice. Parameters as of `list_checkpoints`.
        """
        return self._pages(
            lambda offset: self.list_checkpoints(training_run_id=training_run_id, limit=1000, offset=offset),
            "checkpoints",
            1000,
        )

    def iter_checkpoints_async(self, training_run_id: str) -> AsyncIterator[models.Checkpoint]:
        """As `iter_checkpoints`, for `async for`."""
        return self._pages_async(
            lambda offset: self.list_checkpoints(training_run_id=training_run_id, limit=1000, offset=offset),
            "checkpoints",
            1000,
        )

    def list_user_checkpoints(
        self, limit: int = 100, offset: int = 0
    ) -> APIFuture[models.CheckpointsListResponse]:
        """List one's own checkpoints.

        Lists the checkpoints of all one's own training runs, newest first, one page at a time.

        `limit`: Most entries to return. Absent means 100. From 1 to 1000.
        `offset`: Number of entries to skip. Absent means 0. At least 0.
        """
        return self._send(
            Ask(
                "list_user_checkpoints",
                models.CheckpointsListResponse,
                query={"limit": limit, "offset": offset},
                rows="checkpoints",
            )
        )

    async def list_user_checkpoints_async(
        self, limit: int = 100, offset: int = 0
    ) -> models.CheckpointsListResponse:
        """As `list_user_checkpoints`, awaited."""
        return await self.list_user_checkpoints(limit, offset)

    def iter_user_checkpoints(self) -> Iterator[models.Checkpoint]:
        """Iterate over the rows of all pages, 1000 at a time; blocks for each page.

        What is added meanwhile may shift a page, so that a row comes twice. Parameters as of `list_user_checkpoints`.
        """
        return self._pages(
            lambda offset: self.list_user_checkpoints(limit=1000, offset=offset), "checkpoints", 1000
        )

    def iter_user_checkpoints_async(self) -> AsyncIterator[models.Checkpoint]:
        """As `iter_user_checkpoints`, for `async for`."""
        return self._pages_async(
            lambda offset: self.list_user_checkpoints(limit=1000, offset=offset), "checkpoints", 1000
        )

    def delete_checkpoint(self, training_run_id: str, checkpoint_id: str) -> APIFuture[None]:
        """Delete a checkpoint for ever.

        `NotFoundError` may also mean that a first try, whose answer was lost, deleted it.

        `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
        `checkpoint_id`: Kind and name, `weights/0001`, or as the server's list spells it; a bare name is
        one of sampler weights.
        """
        return self._send(
            Ask(
                "delete_checkpoint",
                NoneType,
                path={"training_run_id": training_run_id, "checkpoint_id": checkpoint_id},
            )
        )

    async def delete_checkpoint_async(self, training_run_id: str, checkpoint_id: str) -> None:
        """As `delete_checkpoint`, awaited."""
        return await self.delete_checkpoint(training_run_id, checkpoint_id)

    def delete_checkpoint_from_tinker_path(self, tinker_path: str) -> APIFuture[None]:
        """Delete a checkpoint for ever.

        `NotFoundError` may also mean that a first try, whose answer was lost, deleted it.

        `tinker_path`: The `tinker://` path of the checkpoint.
        """
        return self._send(Ask("delete_checkpoint", NoneType, path={"tinker_path": tinker_path}))

    async def delete_checkpoint_from_tinker_path_async(self, tinker_path: str) -> None:
        """As `delete_checkpoint_from_tinker_path`, awaited."""
        return await self.delete_checkpoint_from_tinker_path(tinker_path)

    def publish_checkpoint(self, training_run_id: str, checkpoint_id: str) -> APIFuture[None]:
        """Let everybody read a checkpoint.

        The embedded service raises `ConflictError` if they can already.

        `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
        `checkpoint_id`: Kind and name, `weights/0001`, or as the server's list spells it; a bare name is
        one of sampler weights.
        """
        return self._send(
            Ask(
                "publish_checkpoint",
                NoneType,
                path={"training_run_id": training_run_id, "checkpoint_id": checkpoint_id},
            )
        )

    async def publish_checkpoint_async(self, training_run_id: str, checkpoint_id: str) -> None:
        """As `publish_checkpoint`, awaited."""
        return await self.publish_checkpoint(training_run_id, checkpoint_id)

    def publish_checkpoint_from_tinker_path(self, tinker_path: str) -> APIFuture[None]:
        """Let everybody read a checkpoint.

        The embedded service raises `ConflictError` if they can already.

        `tinker_path`: The `tinker://` path of the checkpoint.
        """
        return self._send(Ask("publish_checkpoint", NoneType, path={"tinker_path": tinker_path}))

    async def publish_checkpoint_from_tinker_path_async(self, tinker_path: str) -> None:
        """As `publish_checkpoint_from_tinker_path`, awaited."""
        return await self.publish_checkpoint_from_tinker_path(tinker_path)

    def unpublish_checkpoint(self, training_run_id: str, checkpoint_id: str) -> APIFuture[None]:
        """Make a public checkpoint private again.

        The embedded service raises `ConflictError` if it is.

        `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
        `checkpoint_id`: Kind and name, `weights/0001`, or as the server's list spells it; a bare name is
        one of sampler weights.
        """
        return self._send(
            Ask(
                "unpublish_checkpoint",
                NoneType,
                path={"training_run_id": training_run_id, "checkpoint_id": checkpoint_id},
            )
        )

    async def unpublish_checkpoint_async(self, training_run_id: str, checkpoint_id: str) -> None:
        """As `unpublish_checkpoint`, awaited."""
        return await self.unpublish_checkpoint(training_run_id, checkpoint_id)

    def unpublish_checkpoint_from_tinker_path(self, tinker_path: str) -> APIFuture[None]:
        """Make a public checkpoint private again.

        The embedded service raises `ConflictError` if it is.

        `tinker_path`: The `tinker://` path of the checkpoint.
        """
        return self._send(Ask("unpublish_checkpoint", NoneType, path={"tinker_path": tinker_path}))

    async def unpublish_checkpoint_from_tinker_path_async(self, tinker_path: str) -> None:
        """As `unpublish_checkpoint_from_tinker_path`, awaited."""
        return await self.unpublish_checkpoint_from_tinker_path(tinker_path)

    def set_checkpoint_ttl(
        self, training_run_id: str, checkpoint_id: str, ttl_seconds: int | None
    ) -> APIFuture[None]:
        """Let a checkpoint expire in `ttl_seconds`, or never with None.

        Counted from now, an hour to ten years.

        `training_run_id`: Id of the training run. Its colons stay unescaped in the path.
        `checkpoint_id`: Kind and name, `weights/0001`, or as the server's list spells it; a bare name is
        one of sampler weights.
        `ttl_seconds`: Seconds from now until the server deletes it, one hour to ten years. Null, which is
        sent, keeps it. From 3600 to 315360000.
        """
        return self._send(
            Ask(
                "set_checkpoint_ttl",
                NoneType,
                path={"training_run_id": training_run_id, "checkpoint_id": checkpoint_id},
                body={"ttl_seconds": ttl_seconds},
            )
        )

    async def set_checkpoint_ttl_async(
        self, training_run_id: str, checkpoint_id: str, ttl_seconds: int | None
    ) -> None:
        """As `set_checkpoint_ttl`, awaited."""
        return await self.set_checkpoint_ttl(training_run_id, checkpoint_id, ttl_seconds)

    def set_checkpoint_ttl_from_tinker_path(
        self, tinker_path: str, ttl_seconds: int | None
    ) -> APIFuture[None]:
        """Let a checkpoint expire in `ttl_seconds`, or never with None.

        Counted from now, an hour to ten years.

        `tinker_path`: The `tinker://` path of the checkpoint.
        `ttl_seconds`: Seconds from now until the server deletes it, one hour to ten years. Null, which is
        sent, keeps it. From 3600 to 315360000.
        """
        return self._send(
            Ask(
                "set_checkpoint_ttl",
                NoneType,
                path={"tinker_path": tinker_path},
                body={"ttl_seconds": ttl_seconds},
            )
        )

    async def set_checkpoint_ttl_from_tinker_path_async(
        self, tinker_path: str, ttl_seconds: int | None
    ) -> None:
        """As `set_checkpoint_ttl_from_tinker_path`, awaited."""
        return await self.set_checkpoint_ttl_from_tinker_path(tinker_path, ttl_seconds)

    def get_external_weights_urls(self, tinker_path: str) -> APIFuture[models.ExternalWeightsUrlsResponse]:
        """Get the URLs of a checkpoint's files.

        Answers with a signed URL for each file of a checkpoint of kind `external_weights`.

        `tinker_path`: The `tinker://` path of the checkpoint.
        """
        return self._send(
            Ask(
                "get_external_weights_urls",
                models.ExternalWeightsUrlsResponse,
                path={"tinker_path": tinker_path},
            )
        )

    async def get_external_weights_urls_async(self, tinker_path: str) -> models.ExternalWeightsUrlsResponse:
        """As `get_external_weights_urls`, awaited."""
        return await self.get_external_weights_urls(tinker_path)
