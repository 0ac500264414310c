"""RestClient: runs, checkpoints, sessions and samplers as the server lists them. It opens no session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tinsmith.clients.checkpoints import archive_url, checkpoint, checkpoint_of, fetch_checkpoint, page
from tinsmith.clients.whoami import WhoamiResponse, who
from tinsmith.core.codec.structure import to_value
from tinsmith.core.errors import InputError
from tinsmith.core.paths import ParsedCheckpointTinkerPath, check_tinker_path
from tinsmith.core.values.rest import (
    CheckpointArchiveUrlResponse,
    CheckpointsListResponse,
    GetSamplerResponse,
    GetSessionResponse,
    ListSessionsResponse,
    TrainingRun,
    TrainingRunsResponse,
    WeightsInfoResponse,
)
from tinsmith.core.verdict import OpClass
from tinsmith.io import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from os import PathLike

    from tinsmith.core.values.rest import Checkpoint
    from tinsmith.io.future import APIFuture
    from tinsmith.io.link import Link
    from tinsmith.io.telemetry import Telemetry

T = TypeVar("T")

AccessScope = Literal["owned", "accessible"]
"""Whose things are listed: the user's own, or all that the user may read."""

RUNS_PAGE = 100
"""Runs asked for at a time while iterating."""

CHECKPOINTS_PAGE = 1000
"""Checkpoints asked for at a time while iterating."""


class RestClient:
    """What the server keeps: training runs, checkpoints, sessions and samplers.

    Calls return futures at once. A call itself raises `InputError` for a page, a path or an id that cannot be
    right; its future raises `NotFoundError` for what is not there, `PermissionDeniedError` for what is not
    yours, `APIConnectionError` or `APITimeoutError` without an answer. `applied` is None on these for
    requests without a body, which are most. What got no answer is sent again, changes too. Lists page by
    `limit` (from 1) and `offset` (from 0); times are UTC, sizes bytes.

    >>> import tinsmith
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=4)
    ...     path = trainer.save_state("step-1").result().path
    ...     rest = service.create_rest_client()
    ...     run = rest.get_training_run_by_tinker_path(path).result()
    ...     names = [saved.checkpoint_id for saved in rest.iter_user_checkpoints()]
    >>> run.lora_rank, names
    (4, ['weights/step-1'])
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    def get_training_run(
        self, training_run_id: str, access_scope: AccessScope | None = None
    ) -> APIFuture[TrainingRun]:
        """Get one training run.

        `training_run_id` is `TrainingClient.model_id`; `access_scope` "accessible" finds those of others too.
        """
        return self._get(
            "get_training_run",
            TrainingRun,
            path={"training_run_id": training_run_id},
            query={"access_scope": access_scope},
        )

    async def get_training_run_async(
        self, training_run_id: str, access_scope: AccessScope | None = None
    ) -> TrainingRun:
        """As `get_training_run`, awaited."""
        return await self.get_training_run(training_run_id, access_scope=access_scope)

    def get_training_run_by_tinker_path(
        self, tinker_path: str, access_scope: AccessScope | None = None
    ) -> APIFuture[TrainingRun]:
        """Get the training run that saved a checkpoint; as `get_training_run`."""
        run_id = ParsedCheckpointTinkerPath.from_tinker_path(tinker_path).training_run_id
        return self.get_training_run(run_id, access_scope=access_scope)

    async def get_training_run_by_tinker_path_async(
        self, tinker_path: str, access_scope: AccessScope | None = None
    ) -> TrainingRun:
        """As `get_training_run_by_tinker_path`, awaited."""
        return await self.get_training_run_by_tinker_path(tinker_path, access_scope=access_scope)

    def get_weights_info_by_tinker_path(self, tinker_path: str) -> APIFuture[WeightsInfoResponse]:
        """Ask what a checkpoint was trained on; works for other people's public ones too."""
        check_tinker_path(tinker_path)
        return self._get("weights_info", WeightsInfoResponse, body={"tinker_path": tinker_path})

    def list_training_runs(
        self,
        limit: int = 20,
        offset: int = 0,
        access_scope: AccessScope | None = None,
        project_id: str | None = None,
    ) -> APIFuture[TrainingRunsResponse]:
        """List a page of training runs.

        `project_id` keeps those of one project. `cursor.total_count` counts the runs of all pages.
        """
        query = {**page(limit, offset), "access_scope": access_scope, "project_id": project_id}
        return self._get("list_training_runs", TrainingRunsResponse, query=query)

    async def list_training_runs_async(
        self,
        limit: int = 20,
        offset: int = 0,
        access_scope: AccessScope | None = None,
        project_id: str | None = None,
    ) -> TrainingRunsResponse:
        """As `list_training_runs`, awaited."""
        return await self.list_training_runs(limit, offset, access_scope=access_scope, project_id=project_id)

    def iter_training_runs(self, access_scope: AccessScope | None = None) -> Iterator[TrainingRun]:
        """Iterate over all training runs, a page at a time.

        Blocks for each page of `RUNS_PAGE`; runs made meanwhile may shift a page, so that one comes twice.
        """
        offset = 0
        while True:
            found = self.list_training_runs(RUNS_PAGE, offset, access_scope=access_scope).result()
            yield from found.training_runs
            offset += len(found.training_runs)
            if not found.training_runs or offset >= found.cursor.total_count:
                return

    def list_checkpoints(self, training_run_id: str) -> APIFuture[CheckpointsListResponse]:
        """List the checkpoints of a training run, for training and for sampling.

        One page as large as the server likes; the embedded service gives the newest 1000.
        """
        return self._get(
            "list_checkpoints", CheckpointsListResponse, path={"training_run_id": training_run_id}
        )

    async def list_checkpoints_async(self, training_run_id: str) -> CheckpointsListResponse:
        """As `list_checkpoints`, awaited."""
        return await self.list_checkpoints(training_run_id)

    def list_user_checkpoints(self, limit: int = 100, offset: int = 0) -> APIFuture[CheckpointsListResponse]:
        """List a page of all checkpoints of the user, newest first."""
        return self._get("list_user_checkpoints", CheckpointsListResponse, query=page(limit, offset))

    async def list_user_checkpoints_async(self, limit: int = 100, offset: int = 0) -> CheckpointsListResponse:
        """As `list_user_checkpoints`, awaited."""
        return await self.list_user_checkpoints(limit, offset)

    def iter_user_checkpoints(self) -> Iterator[Checkpoint]:
        """Iterate over all checkpoints of the user, a page at a time.

        Blocks for each page of `CHECKPOINTS_PAGE`.
        """
        offset = 0
        while True:
            found = self.list_user_checkpoints(CHECKPOINTS_PAGE, offset).result()
            yield from found.checkpoints
            offset += len(found.checkpoints)
            total = found.cursor.total_count if found.cursor is not None else offset
            if not found.checkpoints or offset >= total:
                return

    def get_checkpoint_archive_url(
        self, training_run_id: str, checkpoint_id: str
    ) -> APIFuture[CheckpointArchiveUrlResponse]:
        """Get a signed URL of a checkpoint's archive; treat it as a secret.

        `checkpoint_id` is kind and name, `weights/0001`; a bare name is one of sampler weights. It works
        until `expires`, taken as 15 minutes from now where the server does not say.
        `APIResponseValidationError` if the server sends no redirect.
        """
        return self._link.run(archive_url(self._link, checkpoint(training_run_id, checkpoint_id)))

    async def get_checkpoint_archive_url_async(
        self, training_run_id: str, checkpoint_id: str
    ) -> CheckpointArchiveUrlResponse:
        """As `get_checkpoint_archive_url`, awaited."""
        return await self.get_checkpoint_archive_url(training_run_id, checkpoint_id)

    def get_checkpoint_archive_url_from_tinker_path(
        self, tinker_path: str
    ) -> APIFuture[CheckpointArchiveUrlResponse]:
        """Get a signed URL of a checkpoint's archive; as `get_checkpoint_archive_url`."""
        parsed = ParsedCheckpointTinkerPath.from_tinker_path(tinker_path)
        return self.get_checkpoint_archive_url(parsed.training_run_id, parsed.checkpoint_id)

    async def get_checkpoint_archive_url_from_tinker_path_async(
        self, tinker_path: str
    ) -> CheckpointArchiveUrlResponse:
        """As `get_checkpoint_archive_url_from_tinker_path`, awaited."""
        return await self.get_checkpoint_archive_url_from_tinker_path(tinker_path)

    def download_checkpoint(
        self,
        tinker_path: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> APIFuture[Path]:
        """Fetch a checkpoint into the folder `dest`, which is there in full at the end or not at all.

        A download that was interrupted goes on where it stopped when it is called again. `progress(done,
        total)` hears of the bytes of the archive; the total is None where the server does not say. Raises
        `FileExistsError` if `dest` is there and `overwrite` is false, `UnsafeArchiveError` for an archive
        that holds more than plain files and folders, `APIResponseValidationError` if size or hash are wrong.
        """
        parsed = ParsedCheckpointTinkerPath.from_tinker_path(tinker_path)
        path = checkpoint(parsed.training_run_id, parsed.checkpoint_id)
        return self._link.run(fetch_checkpoint(self._link, path, Path(dest), overwrite, progress))

    async def download_checkpoint_async(
        self,
        tinker_path: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> Path:
        """As `download_checkpoint`, awaited."""
        return await self.download_checkpoint(tinker_path, dest, overwrite=overwrite, progress=progress)

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

        Counted from now. `InputError` unless above 0; servers may refuse less than 3600, as the embedded one
        does with `UnprocessableEntityError` (`applied` "no").
        """
        if ttl_seconds is not None and (isinstance(ttl_seconds, bool) or ttl_seconds <= 0):
            raise InputError(f"must be above 0 seconds, not {ttl_seconds!r}", field="ttl_seconds")
        return self._do("set_checkpoint_ttl", checkpoint_of(tinker_path), {"ttl_seconds": ttl_seconds})

    async def set_checkpoint_ttl_from_tinker_path_async(
        self, tinker_path: str, ttl_seconds: int | None
    ) -> None:
        """As `set_checkpoint_ttl_from_tinker_path`, awaited."""
        await self.set_checkpoint_ttl_from_tinker_path(tinker_path, ttl_seconds)

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

    def whoami(self) -> APIFuture[WhoamiResponse]:
        """Tell to whom the key belongs, as far as the server says: fields that it leaves out are None.

        `APIResponseValidationError` if its token cannot be read.
        """
        return self._link.run(who(self._link))

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None while it is off, as it is by default."""
        return self._link.telemetry

    def get_sampler(self, sampler_id: str) -> APIFuture[GetSamplerResponse]:
        """Get what a sampler samples: its base model, and the path of its checkpoint or None."""
        return self._get("get_sampler", GetSamplerResponse, path={"sampler_id": sampler_id})

    async def get_sampler_async(self, sampler_id: str) -> GetSamplerResponse:
        """As `get_sampler`, awaited."""
        return await self.get_sampler(sampler_id)

    def _get(self, operation: str, result: type[T], **parts: Any) -> APIFuture[T]:
        return self._link.run(self._ask(operation, result, **parts))

    async def _ask(self, operation: str, result: type[T], **parts: Any) -> T:
        payload = await operations.perform(self._link.caller, operations.request(operation, **parts))
        return to_value(result, payload)

    def _do(self, operation: str, path: dict[str, str], body: object = None) -> APIFuture[None]:
        return self._link.run(self._perform(operation, path, body))

    async def _perform(self, operation: str, path: dict[str, str], body: object) -> None:
        asked = operations.request(operation, path=path, body=body)
        await self._link.caller.call(asked, OpClass.READ)
