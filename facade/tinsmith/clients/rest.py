"""RestClient: runs, checkpoints, sessions and samplers as the server lists them. It opens no session.

Most of its methods are the contract's, from `tinsmith_api.resources`: this module sends what they ask for,
and goes from page to page. Copies, downloads, traces and `whoami` are written by hand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from os import PathLike
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, cast

from tinsmith_api.models import CopyWeightsResponse
from tinsmith_api.operations import OPERATIONS
from tinsmith_api.resource import Ask
from tinsmith_api.resources import Operations

from tinsmith.clients import downloads
from tinsmith.clients.attach import result_of
from tinsmith.core.access_token import claims_of
from tinsmith.core.addresses import ParsedCheckpointTinkerPath, checkpoint_id_spellings
from tinsmith.core.codec.answers import Pages, to_page, to_value
from tinsmith.core.config import ClientConfig
from tinsmith.core.errors import APIResponseValidationError, InputError
from tinsmith.core.retry import OpClass
from tinsmith.core.values.results import CheckpointArchiveUrlResponse, WhoamiResponse
from tinsmith.io.connection import Connection
from tinsmith.io.context import ClientContext
from tinsmith.io.future import APIFuture, awaited
from tinsmith.io.http import operations
from tinsmith.io.http.messages import Request
from tinsmith.io.http.sender import Sender
from tinsmith.io.telemetry import Telemetry

T = TypeVar("T")

TOKEN_HEADER = "X-Tinker-Weights-Access-Token"  # noqa: S105  # the name of a header
"""Carries the token that opens somebody else's checkpoint; its value is never logged."""


class RestClient(Operations):
    """What the server keeps: training runs, checkpoints, sessions and samplers.

    Calls return futures at once. A call itself raises `InputError` for arguments that the contract does not
    allow. Its future raises `NotFoundError` for what does not exist, `PermissionDeniedError` for what is not
    yours, `APIConnectionError` or `APITimeoutError` where no answer came. `applied` is None on these for
    requests without a body, which are most. A request without an answer is sent again, also one that changes
    something. Lists have pages: `limit` rows (from 1) from row `offset` (from 0); `iter_…` goes through all
    of them. Times are UTC, sizes bytes.

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

    def __init__(
        self, holder: ClientContext | None = None, *, base_url: str | None = None, api_key: str | None = None
    ) -> None:
        """Share the connections of `holder`; without one, make some, by arguments and environment."""
        if holder is None:
            config = ClientConfig.from_environment(base_url=base_url, api_key=api_key)
            holder = ClientContext(Connection(config))
        self._context, self._connection = holder, holder.connection
        holder.register_client(self)

    def __repr__(self) -> str:
        named = "".join(f" {name}={value!r}" for name, value in self._facts().items())
        return f"<{type(self).__name__}{named}>"

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows."""
        from tinsmith_api.tables import facts_table

        return facts_table(type(self).__name__, self._facts())

    def _facts(self) -> dict[str, object]:
        """Return what the repr shows, by name."""
        state = "closed" if self._connection.closed else "open"
        return {"base_url": self._connection.config.base_url, "state": state}

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None where it is off, as it is by default."""
        return self._context.telemetry

    def whoami(self) -> APIFuture[WhoamiResponse]:
        """Ask to whom the key belongs; what the server does not say is None.

        The future raises `APIResponseValidationError` if the server's token cannot be read.
        """
        return self._connection.run(self._ask_whoami())

    whoami_async = awaited(whoami)

    def copy_weights(
        self,
        path: str,
        destination_project_id: str | None = None,
        *,
        ttl_seconds: int | None = None,
        weights_access_token: str | None = None,
    ) -> APIFuture[str]:
        """Copy a checkpoint into a project; the result is the copy's path.

        `path` is a `tinker://` path. Without `destination_project_id` the project is that of the client;
        `InputError` if it has none. `ttl_seconds` is how many seconds the copy is kept, 3600 or more (None:
        for ever). `weights_access_token` opens somebody else's checkpoint (None: for one's own and public
        ones). The future raises `NotFoundError` or `ConflictError` (`applied` "no").
        """
        project_id = destination_project_id or self._connection.config.project_id
        if not isinstance(project_id, str):
            raise InputError("name a project, here or as project_id=", field="destination_project_id")
        ask = copy_of(path, ttl_seconds, weights_access_token, project_id)
        return self._connection.run(copied(self._connection.sender, ask))

    copy_weights_async = awaited(copy_weights)

    def get_checkpoint_archive_url(
        self, training_run_id: str, checkpoint_id: str
    ) -> APIFuture[CheckpointArchiveUrlResponse]:
        """Get a signed URL of a checkpoint's archive; treat the URL as a secret.

        `checkpoint_id` is kind and name, such as `weights/0001`, or as the server's list has it; a bare name
        is one of sampler weights. The URL works until `expires` (UTC), which is 15 minutes from now where the
        server does not say. The future raises `APIResponseValidationError` if the server sends no redirect.
        """
        checkpoint = _checkpoint(training_run_id, checkpoint_id)
        return self._connection.run(downloads.archive_url(self._connection, checkpoint))

    get_checkpoint_archive_url_async = awaited(get_checkpoint_archive_url)

    def get_checkpoint_archive_url_from_tinker_path(
        self, tinker_path: str
    ) -> APIFuture[CheckpointArchiveUrlResponse]:
        """Get a signed URL of a checkpoint's archive, as `get_checkpoint_archive_url` does."""
        return self._connection.run(downloads.archive_url(self._connection, _checkpoint_at(tinker_path)))

    get_checkpoint_archive_url_from_tinker_path_async = awaited(get_checkpoint_archive_url_from_tinker_path)

    def download_checkpoint(
        self,
        tinker_path: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> APIFuture[Path]:
        """Download a checkpoint into the folder `dest`, which exists in full afterwards or not at all.

        Call it again after an interruption: it continues where it stopped. `progress(done, total)` is called
        with bytes of the archive; `total` is None where the server does not say. The future raises
        `FileExistsError` if `dest` exists and `overwrite` is false, `UnsafeArchiveError` for an archive that
        holds more than plain files and folders, `APIResponseValidationError` if size or hash are wrong.
        """
        checkpoint = _checkpoint_at(tinker_path)

        async def signed_url() -> str:
            return (await downloads.archive_url(self._connection, checkpoint)).url

        made = downloads.fetch_archive(self._connection, signed_url, Path(dest), overwrite, progress)
        return self._connection.run(made)

    download_checkpoint_async = awaited(download_checkpoint)

    def download_external_weights(
        self,
        tinker_path: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[str, int, int | None], object] | None = None,
    ) -> APIFuture[Path]:
        """Download the files of an external checkpoint into the folder `dest`: all of them, or none.

        `tinker_path` is the `path` that `TrainingClient.save_weights_external` returned. Call it again after
        an interruption: it continues where it stopped, and asks for new URLs in place of those that expired.
        `progress(file, done, total)` is called with bytes of each file. The future raises `FileExistsError`
        if `dest` exists and `overwrite` is false, `UnsafeArchiveError` for file names that lead out of the
        folder, `APIResponseValidationError` if size or hash are wrong.
        """
        _checkpoint_at(tinker_path)
        urls = partial(self.get_external_weights_urls, tinker_path)
        made = downloads.fetch_external(self._connection, tinker_path, urls, Path(dest), overwrite, progress)
        return self._connection.run(made)

    download_external_weights_async = awaited(download_external_weights)

    def export_session_trace(self, session_id: str) -> APIFuture[str]:
        """Have the server write the trace of a session, and return its signed URL; treat it as a secret.

        The client asks every 5 seconds until the trace is written; `cancel` the future to stop. The future
        raises `RequestFailedError` if the server cannot write one, which the embedded service never can, and
        `ProgressTimeoutError` if none is written within `ClientConfig.progress_timeout_s`.
        """
        return self._connection.run(downloads.trace_url(self._connection, session_id))

    export_session_trace_async = awaited(export_session_trace)

    def download_session_trace(
        self,
        session_id: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> APIFuture[Path]:
        """Download the trace of a session into the file `dest`: in full, or not at all.

        Waits for the trace as `export_session_trace` does; otherwise as `download_checkpoint`.
        """
        made = downloads.fetch_trace(self._connection, session_id, Path(dest), overwrite, progress)
        return self._connection.run(made)

    download_session_trace_async = awaited(download_session_trace)

    def _send(self, ask: Ask[T]) -> APIFuture[T]:
        fit = operations.fit(ask)
        path = _path_of(fit)
        if "checkpoint_id" not in path:
            return self._connection.run(self._answered(fit, operations.request_of(fit, path)))
        return self._connection.run(
            downloads.on_checkpoint(
                self._connection, path, lambda spelt: self._answered(fit, operations.request_of(fit, spelt))
            )
        )

    async def _answered(self, ask: Ask[T], request: Request) -> T:
        sender = self._connection.sender
        if OPERATIONS[ask.operation].result is not None:
            made = await operations.perform(sender, request, op=OpClass.SUBMIT)
            return await result_of(self._connection, made["request_id"], ask.result)
        if ask.result is NoneType:
            await sender.call(request, OpClass.READ)
            return cast("T", None)
        payload = await operations.perform(sender, request)
        if ask.rows is None:
            return to_value(ask.result, payload)
        page, problem = to_page(ask.result, payload, ask.rows)
        sender.left_out(ask.operation, problem)
        return page

    def _pages(self, page_at: Callable[[int], APIFuture[Any]], rows: str, size: int) -> Iterator[Any]:
        pages = Pages(rows, size)
        while not pages.ended:
            yield from pages.turn(page_at(pages.offset).result())

    async def _pages_async(
        self, page_at: Callable[[int], APIFuture[Any]], rows: str, size: int
    ) -> AsyncIterator[Any]:
        pages = Pages(rows, size)
        while not pages.ended:
            for row in pages.turn(await page_at(pages.offset)):
                yield row

    async def _ask_whoami(self) -> WhoamiResponse:
        """Ask for a token that says to whom the key belongs, and read it; the token is not kept."""
        payload = await operations.perform(self._connection.sender, operations.request("auth_token", body={}))
        token = payload.get("jwt") if isinstance(payload, dict) else None
        if not isinstance(token, str):
            raise APIResponseValidationError(message="the server's answer to whoami holds no token")
        try:
            claims = claims_of(token)
        except ValueError as cause:
            raise APIResponseValidationError(message="the server's token cannot be read") from cause
        return WhoamiResponse(claims.get("sub"), claims.get("org_id"), claims.get("email"))


def copy_of(
    path: str, ttl_seconds: int | None, weights_access_token: str | None, project_id: str | None = None
) -> Ask[CopyWeightsResponse]:
    """Ask for a copy of a checkpoint: into a project, or without one into a session."""
    return operations.fit(
        Ask(
            "copy_weights",
            CopyWeightsResponse,
            headers={TOKEN_HEADER: weights_access_token},
            body={"source_path": path, "destination_project_id": project_id, "ttl_seconds": ttl_seconds},
            names={"source_path": "path", TOKEN_HEADER: "weights_access_token"},
        )
    )


async def copied(sender: Sender, ask: Ask[CopyWeightsResponse]) -> str:
    """Make the copy, and return its path."""
    payload = await operations.perform(sender, operations.request_of(ask))
    return to_value(ask.result, payload).tinker_path


def _path_of(ask: Ask[Any]) -> dict[str, str]:
    """Return the parameters of the path, those that a `tinker_path` or a checkpoint's id holds among them."""
    given = {**ask.path}
    if "checkpoint_id" in given:
        return _checkpoint(given["training_run_id"], given["checkpoint_id"])
    if "tinker_path" not in given:
        return given
    checkpoint = _checkpoint_at(given["tinker_path"])
    if "{checkpoint_name}" in OPERATIONS[ask.operation].path:
        return checkpoint
    return {"training_run_id": checkpoint["training_run_id"]}


def _checkpoint_at(tinker_path: str) -> dict[str, str]:
    parsed = ParsedCheckpointTinkerPath.from_tinker_path(tinker_path)
    return _checkpoint(parsed.training_run_id, parsed.checkpoint_id)


def _checkpoint(training_run_id: str, checkpoint_id: str) -> dict[str, str]:
    """Check the id of a checkpoint, and return it beside that of its run."""
    checkpoint_id_spellings(checkpoint_id)
    return {"training_run_id": training_run_id, "checkpoint_id": checkpoint_id}
