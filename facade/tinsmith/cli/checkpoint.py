"""`tinsmith checkpoint`: list, show, change, delete and download what was saved.

What may be lost is listed and confirmed before it is deleted, and one failure does not stop the others.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from tinsmith.cli.connect import Listing, collect, rest
from tinsmith.cli.export import push_hf
from tinsmith.cli.options import CheckpointPath, Limit, Offset, OfRun, wants_json
from tinsmith.cli.output import (
    ByteBar,
    Properties,
    Rows,
    aware,
    changed,
    confirmed,
    count,
    metadata_rows,
    moment,
    note,
    show,
    show_json,
    size,
    yes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tinsmith.clients.rest import RestClient
    from tinsmith.core.addresses import ParsedCheckpointTinkerPath
    from tinsmith.core.values import Checkpoint, WeightsInfoResponse

app = typer.Typer()

LISTED = ("training", "sampler")
"""Kinds of checkpoints that the list of a run holds."""

PAGE = 1000
"""Checkpoints asked for at once."""

COLUMNS: dict[str, Callable[[Checkpoint], str]] = {
    "Checkpoint ID": lambda saved: saved.checkpoint_id,
    "Type": lambda saved: saved.checkpoint_type,
    "Size": lambda saved: size(saved.size_bytes),
    "Public": lambda saved: yes(saved.public),
    "Created": lambda saved: moment(saved.time),
    "Expires": lambda saved: moment(saved.expires_at) if saved.expires_at else "Never",
    "Path": lambda saved: saved.tinker_path,
}


class CheckpointKind(StrEnum):
    """Kind of checkpoint, as the second part of its path says."""

    weights = "weights"
    sampler_weights = "sampler_weights"
    external_weights = "external_weights"


def _ttl(seconds: int | None) -> int | None:
    """Refuse at once what no server takes."""
    if seconds is not None:
        from tinsmith_api.bounds import BOUNDS

        bound = BOUNDS["set_checkpoint_ttl"]["ttl_seconds"]
        least, most = bound.minimum or 0, bound.maximum or seconds
        if not least <= seconds <= most:
            raise typer.BadParameter(
                f"{seconds} seconds: a checkpoint lives for an hour ({least} s) at least and ten years"
                f" ({most} s) at most; --remove keeps it for ever"
            )
    return seconds


def _date(text: str) -> datetime:
    """Read an ISO 8601 date or time, in UTC where it names no zone."""
    try:
        return aware(datetime.fromisoformat(text)).astimezone(UTC)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no ISO 8601 date or time") from error


@app.command("list")
def list_checkpoints(
    context: typer.Context,
    run_id: OfRun = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> None:
    """List checkpoints, the newest first."""
    with rest(context) as client:
        if run_id:
            every = client.list_checkpoints(run_id).result().checkpoints  # a run has no pages
            part = every[offset : offset + limit if limit else None]
            found = Listing(part, len(every), offset, limit)
        else:
            ask = client.list_user_checkpoints
            found = collect(ask, "checkpoints", limit=limit, offset=offset, page=PAGE)
    where = f" for run {run_id}" if run_id else ""
    show(
        context,
        ({"run_id": run_id} if run_id else {}) | found.document("checkpoints"),
        Rows.of(found.title("checkpoint", where), COLUMNS.items(), found.entries),
    )


@app.command("info")
def info(context: typer.Context, path: CheckpointPath) -> None:
    """Show one checkpoint."""
    from tinsmith.core.addresses import ParsedCheckpointTinkerPath
    from tinsmith.core.errors import APIStatusError, NotFoundError

    parsed = ParsedCheckpointTinkerPath.from_tinker_path(path)
    with rest(context) as client:
        try:
            listed = client.list_checkpoints(parsed.training_run_id).result().checkpoints
        except NotFoundError:  # a copy in a project has no run
            listed = None
        checkpoint = next((entry for entry in listed or () if _is_at(entry, parsed)), None)
        missing = listed is not None and checkpoint is None and parsed.checkpoint_type in LISTED
        weights = None
        if not missing:  # some servers have an answer for any name
            with contextlib.suppress(APIStatusError):  # and not every one knows every kind of checkpoint
                weights = client.get_weights_info_by_tinker_path(path).result()
    if checkpoint is None and weights is None:
        raise NotFoundError(f"run {parsed.training_run_id} has no checkpoint {path}", status_code=404)
    from tinsmith_api.model import as_mapping

    document: dict[str, Any] = {
        "checkpoint_id": parsed.checkpoint_id,
        "checkpoint_type": parsed.checkpoint_type,
        "tinker_path": path,
    }
    if checkpoint is not None:  # external ones and copies are not listed everywhere
        document |= as_mapping(checkpoint)
    if weights is not None:
        document |= {"is_lora": weights.is_lora, "lora_rank": weights.lora_rank}
    show(context, document, Properties(_properties(parsed, checkpoint, weights)))


def _is_at(entry: Checkpoint, wanted: ParsedCheckpointTinkerPath) -> bool:
    """Whether a listed checkpoint is the wanted one; some servers list paths in a longer form than theirs."""
    return entry.tinker_path == wanted.tinker_path or (
        entry.checkpoint_type == wanted.checkpoint_type
        and entry.tinker_path.rpartition("/")[2] == wanted.tinker_path.rpartition("/")[2]
    )


def _properties(
    parsed: ParsedCheckpointTinkerPath, checkpoint: Checkpoint | None, weights: WeightsInfoResponse | None
) -> list[list[str]]:
    rows = [
        ["Checkpoint ID", parsed.checkpoint_id],
        ["Type", checkpoint.checkpoint_type if checkpoint else parsed.checkpoint_type],
        ["Tinker Path", parsed.tinker_path],
    ]
    if checkpoint is not None:
        names = ["Size"] if checkpoint.size_bytes is not None else []
        rows += [[name, COLUMNS[name](checkpoint)] for name in (*names, "Public", "Created", "Expires")]
    rows.append(["Training Run ID", parsed.training_run_id])
    if weights is not None:
        rows.append(["Base Model", weights.base_model])
        rows.append(["LoRA", f"Yes (Rank {weights.lora_rank})" if weights.is_lora else "No"])
    return rows + metadata_rows(checkpoint.user_metadata if checkpoint else None)


@app.command("publish")
def publish(context: typer.Context, path: CheckpointPath) -> None:
    """Let everybody read a checkpoint."""
    with rest(context) as client:
        client.publish_checkpoint_from_tinker_path(path).result()
    changed(context, f"Published {path}", {"tinker_path": path, "public": True})


@app.command("unpublish")
def unpublish(context: typer.Context, path: CheckpointPath) -> None:
    """Let only its owner read a checkpoint again."""
    with rest(context) as client:
        client.unpublish_checkpoint_from_tinker_path(path).result()
    changed(context, f"Unpublished {path}", {"tinker_path": path, "public": False})


@app.command("set-ttl")
def set_ttl(
    context: typer.Context,
    path: CheckpointPath,
    ttl: Annotated[
        int | None,
        Option(
            "--ttl",
            metavar="SECONDS",
            callback=_ttl,
            help="Delete it so many seconds from now: 3600 (an hour) or more.",
        ),
    ] = None,
    remove: Annotated[bool, Option("--remove", help="Keep it for ever.")] = False,
) -> None:
    """Set or remove the time after which the server deletes a checkpoint.

    Example: tinsmith checkpoint set-ttl tinker://RUN/weights/0001 --ttl 86400
    """
    if (ttl is None) is not remove:
        raise typer.BadParameter("give exactly one of --ttl and --remove", ctx=context)
    with rest(context) as client:
        client.set_checkpoint_ttl_from_tinker_path(path, ttl).result()
    message = f"{path} is kept for ever" if ttl is None else f"{path} expires in {ttl} seconds"
    changed(context, message, {"tinker_path": path, "ttl_seconds": ttl})


@app.command("delete")
def delete(
    context: typer.Context,
    paths: Annotated[list[str] | None, Argument(metavar="PATH", help="Paths of checkpoints.")] = None,
    run_id: OfRun = None,
    kind: Annotated[CheckpointKind | None, Option("--type", help="With --run-id: only this kind.")] = None,
    before: Annotated[
        datetime | None,
        Option("--before", metavar="DATE", parser=_date, help="With --run-id: only older ones (UTC)."),
    ] = None,
    after: Annotated[
        datetime | None,
        Option("--after", metavar="DATE", parser=_date, help="With --run-id: only newer ones (UTC)."),
    ] = None,
    yes: Annotated[bool, Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete checkpoints for ever: by path, or those of a run.

    Example: tinsmith checkpoint delete --run-id RUN --type weights --before 2026-11-01
    """
    from tinsmith_api.paths import check_tinker_path

    if bool(paths) is (run_id is not None):
        raise typer.BadParameter("give either paths or --run-id", ctx=context)
    if paths and (kind or before or after):
        raise typer.BadParameter("--type, --before and --after need --run-id", ctx=context)
    for path in paths or ():
        check_tinker_path(path)
    with rest(context) as client:
        if paths:
            selected = list(dict.fromkeys(paths))
        else:
            every = client.list_checkpoints(run_id or "").result().checkpoints
            selected = [one.tinker_path for one in every if _matches(one, kind, before, after)]
        if selected and not yes and not _confirmed(selected):
            note("Deletion cancelled.")
            return
        failed = _delete_all(client, selected)
    _report(context, selected, failed)


def _matches(
    saved: Checkpoint, kind: CheckpointKind | None, before: datetime | None, after: datetime | None
) -> bool:
    if kind is not None and f"/{kind.value}/" not in saved.tinker_path:
        return False
    if saved.time is None:  # a checkpoint of unknown age is not deleted
        return before is None and after is None
    time = aware(saved.time)
    return (before is None or time < before) and (after is None or time > after)


def _confirmed(selected: Sequence[str]) -> bool:
    note(f"Will delete {count(len(selected), 'checkpoint')}:")
    for path in selected:
        note(f"  {path}")
    note("\nWARNING: this cannot be undone.")
    return confirmed(f"Are you sure you want to delete {count(len(selected), 'checkpoint')}?")


def _delete_all(client: RestClient, selected: Sequence[str]) -> dict[str, Exception]:
    """Delete all at once and return the error of each that failed; the client bounds what is in flight."""
    from tinsmith.core.errors import TinkerError

    futures = {path: client.delete_checkpoint_from_tinker_path(path) for path in selected}
    failed: dict[str, Exception] = {}
    for path, future in futures.items():
        try:
            future.result()
        except TinkerError as error:
            failed[path] = error
    return failed


def _report(context: typer.Context, selected: Sequence[str], failed: dict[str, Exception]) -> None:
    from tinsmith.cli.failure import FAILURE, report, sentence

    deleted = [path for path in selected if path not in failed]
    if wants_json(context):
        errors = [{"tinker_path": path, "error": sentence(error)} for path, error in failed.items()]
        show_json({"deleted_count": len(deleted), "deleted": deleted, "failed": errors})
    elif deleted or not failed:
        note(f"Deleted {count(len(deleted), 'checkpoint')}")
    if len(selected) == 1 and failed:
        raise typer.Exit(report(failed[selected[0]]))
    for path, error in failed.items():
        note(f"Failed: {path}: {sentence(error)}")
    if failed:
        raise typer.Exit(FAILURE)


@app.command("download")
def download(
    context: typer.Context,
    path: CheckpointPath,
    output: Annotated[
        Path,
        Option("--output", "-o", metavar="DIR", file_okay=False, help="Directory to create the folder in."),
    ] = Path(),
    force: Annotated[bool, Option("--force", help="Replace a folder that is there already.")] = False,
) -> None:
    """Download a checkpoint into DIR/RUN_weights_NAME; an interrupted download goes on where it stopped.

    Characters that some systems do not allow in a name, such as the colons of a run, become underscores.
    """
    from tinsmith.core.addresses import ParsedCheckpointTinkerPath, folder_name

    ParsedCheckpointTinkerPath.from_tinker_path(path)
    target = output / folder_name(path)
    if target.exists() and not force:
        raise FileExistsError(f"{target} (--force replaces it)")
    output.mkdir(parents=True, exist_ok=True)
    with rest(context) as client, ByteBar(shown=not wants_json(context)) as bar:
        client.download_checkpoint(path, target, overwrite=force, progress=partial(bar, "download")).result()
    document: dict[str, object] = {"checkpoint_path": path, "destination": str(target)}
    rows = [["Checkpoint Path", path], ["Extracted to", str(target)]]
    if bar.total is not None:
        document["file_size_bytes"] = bar.total
        rows.insert(1, ["Archive Size", size(bar.total)])
    show(context, document, Properties(rows))
    _warn_of_unembedding(target)


app.command("push-hf")(push_hf)


def _warn_of_unembedding(folder: Path) -> None:
    """Say what an adapter on the unembedding means when it is merged into a model with tied embeddings."""
    import json

    try:
        settings = json.loads((folder / "adapter_config.json").read_bytes())
    except (OSError, ValueError):
        return
    if isinstance(settings, dict) and "lm_head" in (settings.get("target_modules") or ()):
        note(
            "The adapter changes lm_head (train_unembed). On a base model whose embeddings are tied, merging"
            " it changes the input embeddings too: keep it beside the model, or merge it with"
            " `tinsmith export`, which unties them."
        )
