"""The part of RestClient that brings checkpoints and traces to this machine."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from tinsmith.clients.checkpoints import archive_url, checkpoint, checkpoint_of, fetch_checkpoint
from tinsmith.clients.external import fetch_external
from tinsmith.clients.rest_calls import RestCalls
from tinsmith.clients.traces import fetch_trace, trace_url
from tinsmith.core.paths import ParsedCheckpointTinkerPath
from tinsmith.core.values.answers import CheckpointArchiveUrlResponse
from tinsmith.io.future import APIFuture


class DownloadCalls(RestCalls):
    """Checkpoints and traces on their way here."""

    def get_checkpoint_archive_url(
        self, training_run_id: str, checkpoint_id: str
    ) -> APIFuture[CheckpointArchiveUrlResponse]:
        """Get a signed URL of a checkpoint's archive; treat it as a secret.

        `checkpoint_id` is kind and name, `weights/0001`, or as the server's list spells it; a bare name is
        one of sampler weights. It works until `expires`, taken as 15 minutes from now where the server does
        not say.
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
        place = checkpoint(parsed.training_run_id, parsed.checkpoint_id)
        return self._link.run(fetch_checkpoint(self._link, place, Path(dest), overwrite, progress))

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

    def download_external_weights(
        self,
        tinker_path: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[str, int, int | None], object] | None = None,
    ) -> APIFuture[Path]:
        """Fetch the files of an external checkpoint into `dest`, which is there in full at the end or not.

        `tinker_path` is what `TrainingClient.save_weights_external` gave. A download that was interrupted
        goes on where it stopped when it is called again; URLs that expire are asked for anew. `progress(file,
        done, total)` hears of the bytes of each file. Raises `FileExistsError` if `dest` is there and
        `overwrite` is false, `UnsafeArchiveError` for file names that leave the folder,
        `APIResponseValidationError` if size or hash are wrong.
        """
        checkpoint_of(tinker_path)
        made = fetch_external(self._link, tinker_path, Path(dest), overwrite, progress)
        return self._link.run(made)

    async def download_external_weights_async(
        self,
        tinker_path: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[str, int, int | None], object] | None = None,
    ) -> Path:
        """As `download_external_weights`, awaited."""
        return await self.download_external_weights(tinker_path, dest, overwrite=overwrite, progress=progress)

    def download_session_trace(
        self,
        session_id: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> APIFuture[Path]:
        """Have the trace of a session written, and fetch it into the file `dest`: in full, or not at all.

        Waits as `export_session_trace` does; goes on where it stopped, and raises, as `download_checkpoint`.
        """
        return self._link.run(fetch_trace(self._link, session_id, Path(dest), overwrite, progress))

    async def download_session_trace_async(
        self,
        session_id: str,
        dest: str | PathLike[str],
        *,
        overwrite: bool = False,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> Path:
        """As `download_session_trace`, awaited."""
        return await self.download_session_trace(session_id, dest, overwrite=overwrite, progress=progress)
