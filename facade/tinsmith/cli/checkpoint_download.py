"""`tinsmith checkpoint download`: the files of a checkpoint, in a folder of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, OutputFormat, Properties, chosen, note, show
from tinsmith.cli.text import size

if TYPE_CHECKING:
    from rich.progress import Progress

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
    """Download a checkpoint into DIR/RUN_weights_NAME; an interrupted download goes on where it stopped.

    What some system does not take in a name, such as the colons of a run, becomes an underscore.
    """
    from tinsmith.core.paths import ParsedCheckpointTinkerPath, folder_name

    ParsedCheckpointTinkerPath.from_tinker_path(path)
    target = output / folder_name(path)
    if target.exists() and not force:
        raise FileExistsError(f"{target} (--force replaces it)")
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
    _tell_of_unembedding(target)


def _tell_of_unembedding(folder: Path) -> None:
    """Say what an adapter on the unembedding means to who merges it into a model with tied embeddings."""
    import json

    try:
        settings = json.loads((folder / "adapter_config.json").read_bytes())
    except (OSError, ValueError):
        return
    if isinstance(settings, dict) and "lm_head" in (settings.get("target_modules") or ()):
        note(
            "The adapter changes lm_head (train_unembed). On a base model whose embeddings are tied, merging"
            " it changes the input embeddings too: keep it beside the model, or train with"
            " train_unembed=False."
        )


class _Progress:
    """A bar on stderr while bytes come in; nothing when nobody watches."""

    def __init__(self, *, quiet: bool) -> None:
        self.total: int | None = None
        self._quiet = quiet or not sys.stderr.isatty()
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, done: int, total: int | None) -> None:
        """Note that `done` bytes of `total` are here."""
        self.total = total if total is not None else done
        if self._quiet:
            return
        if self._bar is None:  # not before there are bytes: a refusal is one line
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

            columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True))
            self._bar.add_task("download", total=None)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)
