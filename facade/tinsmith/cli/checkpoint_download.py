"""`tinsmith checkpoint download`: the files of a checkpoint, in a folder of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, OutputFormat, Properties, chosen, show
from tinsmith.cli.text import size

if TYPE_CHECKING:
    from collections.abc import Callable

Output = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", file_okay=False, help="Folder to make the folder in.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace a folder that is there already.")]


def download(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="Path of the checkpoint.")],
    output: Output = Path(),
    force: Force = False,
    format: Format = None,
) -> None:
    """Download a checkpoint into DIR/RUN_weights_NAME; an interrupted download goes on where it stopped."""
    from tinsmith.core.paths import SCHEME, ParsedCheckpointTinkerPath

    ParsedCheckpointTinkerPath.from_tinker_path(path)
    target = output / path.removeprefix(SCHEME).replace("/", "_")
    if target.exists() and not force:
        raise FileExistsError(f"{target} is there already; --force replaces it")
    output.mkdir(parents=True, exist_ok=True)
    with rest(context) as client, _Progress(quiet=chosen(context) is OutputFormat.json) as progress:
        client.download_checkpoint(path, target, overwrite=force, progress=progress.advance).result()
    document: dict[str, object] = {"checkpoint_path": path, "destination": str(target)}
    if progress.total is not None:
        document["file_size_bytes"] = progress.total
    rows = [["Checkpoint Path", path], ["Extracted to", str(target)]]
    if progress.total is not None:
        rows.insert(1, ["Archive Size", size(progress.total)])
    show(context, document, lambda: Properties(rows))


class _Progress:
    """A bar on stderr while bytes come in; nothing when nobody watches."""

    def __init__(self, *, quiet: bool) -> None:
        self.total: int | None = None
        self._watch: Callable[[int, int | None], None] | None = None
        self._quiet = quiet or not sys.stderr.isatty()
        self._stop: Callable[[], None] | None = None

    def __enter__(self) -> _Progress:
        if not self._quiet:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

            bar = Progress(BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=Console(stderr=True))
            task = bar.add_task("download", total=None)
            bar.start()
            self._watch = lambda done, total: bar.update(task, completed=done, total=total)
            self._stop = bar.stop
        return self

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop()

    def advance(self, done: int, total: int | None) -> None:
        """Note that `done` bytes of `total` are here."""
        self.total = total if total is not None else done
        if self._watch is not None:
            self._watch(done, total)
