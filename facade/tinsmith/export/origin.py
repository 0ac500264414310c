"""Where an adapter comes from: a checkpoint of a server, a run of `tinsmith train`, or a folder."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from tinsmith_api.paths import SCHEME

from tinsmith.core.addresses import ParsedCheckpointTinkerPath, folder_name
from tinsmith.core.errors import APIStatusError, AuthenticationError, InputError, TinkerError
from tinsmith.train.run_folder import CONFIG, RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tinsmith.clients.rest import RestClient

ADAPTER_CONFIG = "adapter_config.json"
"""The file by which a folder is known to hold an adapter."""


class DownloadRefusedError(TinkerError):
    """A server does not give this kind of checkpoint to download."""


@attrs.frozen
class AdapterOrigin:
    """An adapter, before anything is fetched."""

    folder: Path | None = None
    """The folder that holds it already; None for a checkpoint of a server."""
    tinker_path: str | None = None
    """The checkpoint; None for a folder."""
    training: str | None = None
    """The last checkpoint of a run, with the same weights: some servers give only that."""
    base_url: str | None = None
    """The server that has it, where a run says so; None: that of the user's settings."""

    @property
    def name(self) -> str:
        """A name for files and repositories."""
        if self.tinker_path:
            return folder_name(self.tinker_path)
        return (self.folder or Path("adapter")).resolve().name

    @contextmanager
    def fetched(
        self,
        rest: RestClient | None,
        beside: Path,
        progress: Callable[[int, int | None], object] | None = None,
    ) -> Iterator[Path]:
        """Give the folder of the adapter; one that is fetched lies in the folder `beside`, and is removed.

        `rest` reaches the server of a checkpoint. TinkerError says what to do where a server does not give
        this kind of checkpoint, or gives one that is no adapter.
        """
        if self.folder is not None:
            yield self.folder
            return
        assert rest is not None
        assert self.tinker_path is not None
        scratch = Path(tempfile.mkdtemp(prefix=".tinsmith-", suffix=".adapter", dir=beside))
        try:
            folder = scratch / "adapter"
            try:
                _download(rest, self.tinker_path, folder, progress)
            except DownloadRefusedError:
                if self.training is None:
                    raise
                _download(rest, self.training, folder, progress)
            if not (folder / ADAPTER_CONFIG).is_file():
                raise TinkerError(
                    f"{self.tinker_path} holds no {ADAPTER_CONFIG}, so it is no LoRA adapter; "
                    + _other_way(self.tinker_path)
                )
            yield folder
        except TinkerError as error:  # the folder is gone when somebody reads of it
            error.message = error.message.replace(str(folder), self.tinker_path)
            raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def find_origin(place: str) -> AdapterOrigin:
    """Say what `place` names: a path of a checkpoint, the folder of a run, or the folder of an adapter.

    InputError for anything else, and for a run without a checkpoint.
    """
    if place.startswith(SCHEME):
        ParsedCheckpointTinkerPath.from_tinker_path(place)
        return AdapterOrigin(tinker_path=place)
    path = Path(place).expanduser()
    if (path / ADAPTER_CONFIG).is_file():
        return AdapterOrigin(folder=path)
    if (path / CONFIG).is_file():
        return _of_run(path)
    if path.exists():
        raise InputError(
            f"{place} is neither the folder of an adapter ({ADAPTER_CONFIG} is missing) nor that of a run of"
            " `tinsmith train`; name one of these, or a checkpoint (tinker://...)"
        )
    raise InputError(
        f"{place} is not there; name a checkpoint (tinker://...), or the folder of a run or adapter"
    )


def _of_run(path: Path) -> AdapterOrigin:
    """Take the weights of a run: the final ones, or its last checkpoint."""
    try:
        run = RunFolder.open(path)
    except InputError as cause:
        raise InputError(
            f"{path} holds a {CONFIG}, but neither an adapter nor a run of `tinsmith train`: {cause}"
        ) from cause
    weights = run.weights()
    return AdapterOrigin(tinker_path=weights.path, training=weights.training, base_url=run.base_url)


def _download(
    rest: RestClient, path: str, folder: Path, progress: Callable[[int, int | None], object] | None
) -> None:
    kind = ParsedCheckpointTinkerPath.from_tinker_path(path).checkpoint_type
    if kind == "external":
        of_file = None if progress is None else (lambda _, done, total: progress(done, total))
        rest.download_external_weights(path, folder, progress=of_file).result()
        return
    try:
        rest.download_checkpoint(path, folder, progress=progress).result()
    except AuthenticationError:
        raise
    except APIStatusError as refused:
        if refused.status_code in (400, 405, 409, 422):
            raise DownloadRefusedError(
                f"the server does not give {path} to download ({refused.message}); {_other_way(path)}"
            ) from refused
        raise


def _other_way(path: str) -> str:
    """Say how the weights of a checkpoint are got from a server that gives only external ones."""
    kind = ParsedCheckpointTinkerPath.from_tinker_path(path).checkpoint_type
    what = "a checkpoint of the training (weights/...)" if kind == "sampler" else "it"
    return (
        f"load {what} with create_training_client_from_state, save it with save_weights_external, and export"
        " the path that this returns"
    )
