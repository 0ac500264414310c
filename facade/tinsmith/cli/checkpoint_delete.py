"""`tinsmith checkpoint delete`: what may be lost is listed and confirmed first; a failure stops nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, OutputFormat, chosen, confirmed, note, show_json
from tinsmith.cli.text import aware, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinsmith.clients.rest import RestClient
    from tinsmith.core.values import Checkpoint


class Kind(StrEnum):
    """Kind of checkpoint, as the second part of its path says."""

    weights = "weights"
    sampler_weights = "sampler_weights"
    external_weights = "external_weights"


def _date(text: str | None) -> str | None:
    """Refuse what is no ISO 8601 date or time."""
    if text is not None:
        try:
            datetime.fromisoformat(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is no ISO 8601 date or time") from error
    return text


Paths = Annotated[list[str] | None, typer.Argument(metavar="PATH", help="Paths of checkpoints.")]
RunId = Annotated[
    str | None, typer.Option("--run-id", metavar="ID", help="All checkpoints of a training run.")
]
Only = Annotated[Kind | None, typer.Option("--type", help="With --run-id: only this kind.")]
Before = Annotated[
    str | None,
    typer.Option("--before", metavar="DATE", callback=_date, help="With --run-id: only older ones (UTC)."),
]
After = Annotated[
    str | None,
    typer.Option("--after", metavar="DATE", callback=_date, help="With --run-id: only newer ones (UTC)."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def delete(
    context: typer.Context,
    paths: Paths = None,
    run_id: RunId = None,
    kind: Only = None,
    before: Before = None,
    after: After = None,
    yes: Yes = False,
    format: Format = None,
) -> None:
    """Delete checkpoints for ever: by path, or those of a run."""
    from tinsmith.core.paths import check_tinker_path

    if bool(paths) is (run_id is not None):
        raise typer.BadParameter("give either paths or --run-id", ctx=context)
    if paths and (kind or before or after):
        raise typer.BadParameter("--type, --before and --after need --run-id", ctx=context)
    for path in paths or ():
        check_tinker_path(path)
    with rest(context) as client:
        doomed = list(dict.fromkeys(paths)) if paths else _of_run(client, run_id or "", kind, before, after)
        if doomed and not yes and not _confirmed(doomed):
            note("Deletion cancelled.")
            return
        failed = _delete_all(client, doomed)
    _report(context, doomed, failed)


def _confirmed(doomed: Sequence[str]) -> bool:
    note(f"Will delete {count(len(doomed), 'checkpoint')}:")
    for path in doomed:
        note(f"  {path}")
    note("\nWARNING: this cannot be undone.")
    return confirmed(f"Are you sure you want to delete {count(len(doomed), 'checkpoint')}?")


def _of_run(
    client: RestClient, run_id: str, kind: Kind | None, before: str | None, after: str | None
) -> list[str]:
    return [
        checkpoint.tinker_path
        for checkpoint in client.list_checkpoints(run_id).result().checkpoints
        if _matches(checkpoint, kind, before, after)
    ]


def _matches(checkpoint: Checkpoint, kind: Kind | None, before: str | None, after: str | None) -> bool:
    if kind is not None and f"/{kind.value}/" not in checkpoint.tinker_path:
        return False
    if checkpoint.time is None:  # nothing is deleted for an age that nobody knows
        return before is None and after is None
    time = aware(checkpoint.time)
    return (before is None or time < _moment(before)) and (after is None or time > _moment(after))


def _moment(text: str) -> datetime:
    return aware(datetime.fromisoformat(text)).astimezone(UTC)


def _delete_all(client: RestClient, doomed: Sequence[str]) -> dict[str, Exception]:
    """Delete all at once and return the error of each that failed; the client bounds what is in flight."""
    from tinsmith.core.errors import TinkerError

    futures = {path: client.delete_checkpoint_from_tinker_path(path) for path in doomed}
    failed: dict[str, Exception] = {}
    for path, future in futures.items():
        try:
            future.result()
        except TinkerError as error:
            failed[path] = error
    return failed


def _report(context: typer.Context, doomed: Sequence[str], failed: dict[str, Exception]) -> None:
    from tinsmith.cli.failure import FAILURE, report, sentence

    deleted = [path for path in doomed if path not in failed]
    if chosen(context) is OutputFormat.json:
        errors = [{"tinker_path": path, "error": sentence(error)} for path, error in failed.items()]
        show_json({"deleted_count": len(deleted), "deleted": deleted, "failed": errors})
    elif deleted or not failed:
        note(f"Deleted {count(len(deleted), 'checkpoint')}")
    if len(doomed) == 1 and failed:
        raise typer.Exit(report(failed[doomed[0]]))
    for path, error in failed.items():
        note(f"Failed: {path}: {sentence(error)}")
    if failed:
        raise typer.Exit(FAILURE)
