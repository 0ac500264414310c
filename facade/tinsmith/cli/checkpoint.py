"""`tinsmith checkpoint`: what was saved. Deletion and download have modules of their own."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinsmith.cli.checkpoint_delete import delete
from tinsmith.cli.checkpoint_download import download
from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, OutputFormat, Properties, Rows, chosen, note, show, show_json
from tinsmith.cli.paging import Limit, Listing, Offset, collect
from tinsmith.cli.text import moment, size, title, yes

if TYPE_CHECKING:
    from tinsmith.clients.rest import RestClient
    from tinsmith.core.paths import ParsedCheckpointTinkerPath
    from tinsmith.core.values import Checkpoint, WeightsInfoResponse

app = typer.Typer(help="List, show, change, download and delete checkpoints.", no_args_is_help=True)

LISTED = ("training", "sampler")
"""Kinds of checkpoints that the list of a run holds."""

PAGE = 1000
"""Checkpoints asked for at once."""

TinkerPath = Annotated[
    str, typer.Argument(metavar="PATH", help="Path of the checkpoint, such as tinker://RUN/weights/0001.")
]


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


Ttl = Annotated[
    int | None,
    typer.Option(
        "--ttl",
        metavar="SECONDS",
        callback=_ttl,
        help="Delete it in so many seconds from now: 3600 (an hour) or more.",
    ),
]


@app.callback()
def group(format: Format = None) -> None:
    """List, show, change, download and delete checkpoints."""


@app.command("list")
def list_checkpoints(
    context: typer.Context,
    run_id: Annotated[
        str | None,
        typer.Option("--run-id", metavar="ID", help="Only those of one training run."),
    ] = None,
    limit: Limit = 20,
    offset: Offset = 0,
    format: Format = None,
) -> None:
    """List checkpoints, the newest first."""
    with rest(context) as client:
        found = _of_run(client, run_id, limit, offset) if run_id else _of_user(client, limit, offset)
    document: dict[str, object] = {"run_id": run_id} if run_id else {}
    document |= {"checkpoints": found.entries, "cursor": found.cursor(), "total": found.total}
    now = datetime.now(UTC)
    where = f" for run {run_id}" if run_id else ""
    show(
        context,
        document,
        lambda: Rows(
            title(len(found.entries), found.total and found.total - found.offset, "checkpoint", where),
            ["Checkpoint ID", "Type", "Size", "Public", "Created", "Expires", "Path"],
            [_row(checkpoint, now) for checkpoint in found.entries],
        ),
    )


@app.command("info")
def info(context: typer.Context, path: TinkerPath, format: Format = None) -> None:
    """Show one checkpoint."""
    from tinsmith.core.errors import APIStatusError, NotFoundError
    from tinsmith.core.paths import ParsedCheckpointTinkerPath

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
    show(context, document, lambda: Properties(_properties(parsed, checkpoint, weights)))


def _is_at(entry: Checkpoint, wanted: ParsedCheckpointTinkerPath) -> bool:
    """Whether a listed checkpoint is the wanted one; some servers list paths in a longer form than theirs."""
    return entry.tinker_path == wanted.tinker_path or (
        entry.checkpoint_type == wanted.checkpoint_type
        and entry.tinker_path.rpartition("/")[2] == wanted.tinker_path.rpartition("/")[2]
    )


@app.command("publish")
def publish(context: typer.Context, path: TinkerPath, format: Format = None) -> None:
    """Let everybody read a checkpoint."""
    with rest(context) as client:
        client.publish_checkpoint_from_tinker_path(path).result()
    _changed(context, f"Published {path}", {"tinker_path": path, "public": True})


@app.command("unpublish")
def unpublish(context: typer.Context, path: TinkerPath, format: Format = None) -> None:
    """Keep a checkpoint to its owner again."""
    with rest(context) as client:
        client.unpublish_checkpoint_from_tinker_path(path).result()
    _changed(context, f"Unpublished {path}", {"tinker_path": path, "public": False})


@app.command("set-ttl")
def set_ttl(
    context: typer.Context,
    path: TinkerPath,
    ttl: Ttl = None,
    remove: Annotated[bool, typer.Option("--remove", help="Keep it for ever.")] = False,
    format: Format = None,
) -> None:
    """Set or remove the time after which the server deletes a checkpoint."""
    if (ttl is None) is not remove:
        raise typer.BadParameter("give exactly one of --ttl and --remove", ctx=context)
    with rest(context) as client:
        client.set_checkpoint_ttl_from_tinker_path(path, ttl).result()
    message = f"{path} is kept for ever" if ttl is None else f"{path} expires in {ttl} seconds"
    _changed(context, message, {"tinker_path": path, "ttl_seconds": ttl})


app.command("delete")(delete)
app.command("download")(download)


def _changed(context: typer.Context, message: str, document: dict[str, object]) -> None:
    """Say what was done: to a person on stderr, to a program as JSON."""
    if chosen(context) is OutputFormat.json:
        show_json(document)
    else:
        note(message)


def _of_run(client: RestClient, run_id: str, limit: int, offset: int) -> Listing[Checkpoint]:
    """Cut the part that was asked for out of a run's checkpoints, which come all at once."""
    every = client.list_checkpoints(run_id).result().checkpoints
    return Listing(every[offset : offset + limit if limit else None], len(every), offset, limit)


def _of_user(client: RestClient, limit: int, offset: int) -> Listing[Checkpoint]:
    def fetch(limit: int, offset: int) -> tuple[list[Checkpoint], int | None, int]:
        from tinsmith.core.codec.structure import rows_sent  # loaded with the answer

        page = client.list_user_checkpoints(limit=limit, offset=offset).result()
        total = page.cursor.total_count if page.cursor else None
        return page.checkpoints, total, rows_sent(page, "checkpoints")

    return collect(fetch, limit=limit, offset=offset, page=PAGE)


def _row(checkpoint: Checkpoint, now: datetime) -> list[str]:
    return [
        checkpoint.checkpoint_id,
        checkpoint.checkpoint_type,
        size(checkpoint.size_bytes),
        yes(checkpoint.public),
        moment(checkpoint.time, now),
        moment(checkpoint.expires_at, now) if checkpoint.expires_at else "Never",
        checkpoint.tinker_path,
    ]


def _properties(
    parsed: ParsedCheckpointTinkerPath, checkpoint: Checkpoint | None, weights: WeightsInfoResponse | None
) -> list[list[str]]:
    now = datetime.now(UTC)
    rows = [
        ["Checkpoint ID", parsed.checkpoint_id],
        ["Type", checkpoint.checkpoint_type if checkpoint else parsed.checkpoint_type],
        ["Tinker Path", parsed.tinker_path],
    ]
    if checkpoint is not None:
        if checkpoint.size_bytes is not None:
            rows.append(["Size", size(checkpoint.size_bytes)])
        rows += [
            ["Public", yes(checkpoint.public)],
            ["Created", moment(checkpoint.time, now)],
            ["Expires", moment(checkpoint.expires_at, now) if checkpoint.expires_at else "Never"],
        ]
    rows.append(["Training Run ID", parsed.training_run_id])
    if weights is not None:
        rows.append(["Base Model", weights.base_model])
        rows.append(["LoRA", f"Yes (Rank {weights.lora_rank})" if weights.is_lora else "No"])
    if checkpoint is not None and checkpoint.user_metadata:
        rows.append(["Metadata", ""])
        rows += [[f"  {key}", str(value)] for key, value in checkpoint.user_metadata.items()]
    return rows
