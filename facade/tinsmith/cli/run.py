"""`tinsmith run`: the training runs of a key."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, Properties, Rows, show
from tinsmith.cli.paging import Limit, Offset, collect
from tinsmith.cli.text import moment, title

if TYPE_CHECKING:
    from tinsmith.core.values import Checkpoint, TrainingRun

app = typer.Typer(help="List and show training runs.", no_args_is_help=True)

PAGE = 100
"""Runs asked for at once."""

COLUMNS = {
    "id": "Run ID",
    "model": "Base Model",
    "owner": "Owner",
    "lora": "LoRA",
    "updated": "Last Update",
    "status": "Status",
    "checkpoint": "Last Checkpoint",
    "checkpoint_time": "Checkpoint Time",
}
DEFAULT_COLUMNS = "id,model,lora,updated,status"


@app.callback()
def group(format: Format = None) -> None:
    """List and show training runs."""


def _columns(text: str) -> str:
    unknown = [name for name in text.split(",") if name.strip() not in COLUMNS]
    if unknown:
        raise typer.BadParameter(f"unknown column {unknown[0]!r}; there are {', '.join(COLUMNS)}")
    return text


Columns = Annotated[
    str,
    typer.Option(
        "--columns",
        "-c",
        metavar="NAMES",
        callback=_columns,
        help=f"Columns to show, with commas between them, of: {', '.join(COLUMNS)}.",
    ),
]


@app.command("list")
def list_runs(
    context: typer.Context,
    limit: Limit = 20,
    offset: Offset = 0,
    columns: Columns = DEFAULT_COLUMNS,
    format: Format = None,
) -> None:
    """List training runs, the last used first."""
    with rest(context) as client:

        def fetch(limit: int, offset: int) -> tuple[list[TrainingRun], int | None, int]:
            from tinsmith.core.codec.structure import rows_sent  # loaded with the answer

            page = client.list_training_runs(limit=limit, offset=offset).result()
            total = page.cursor.total_count if page.cursor else None
            return page.training_runs, total, rows_sent(page, "training_runs")

        runs = collect(fetch, limit=limit, offset=offset, page=PAGE)
    names = [name.strip() for name in columns.split(",")]
    now = datetime.now(UTC)
    show(
        context,
        {"runs": runs.entries, "cursor": runs.cursor(), "total": runs.total},
        lambda: Rows(
            title(len(runs.entries), runs.total and runs.total - offset, "training run"),
            [COLUMNS[name] for name in names],
            [[_cell(run, name, now) for name in names] for run in runs.entries],
        ),
    )


@app.command("info")
def info(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="Id of the training run.")],
    format: Format = None,
) -> None:
    """Show one training run."""
    with rest(context) as client:
        run = client.get_training_run(run_id).result()
    from tinsmith_api.model import as_mapping

    show(context, as_mapping(run), lambda: Properties(_properties(run)))


def _cell(run: TrainingRun, column: str, now: datetime) -> str:
    last = run.last_checkpoint
    match column:
        case "id":
            return run.training_run_id
        case "model":
            return run.base_model
        case "owner":
            return run.model_owner
        case "lora":
            return _lora(run)
        case "updated":
            return moment(run.last_request_time, now)
        case "checkpoint":
            return last.checkpoint_id if last else "N/A"
        case "checkpoint_time":
            return moment(last.time if last else None, now)
    return _status(run)


def _properties(run: TrainingRun) -> list[list[str]]:
    now = datetime.now(UTC)
    rows = [
        ["Run ID", run.training_run_id],
        ["Base Model", run.base_model],
        ["Owner", run.model_owner],
        ["LoRA", f"Yes (Rank {run.lora_rank})" if run.is_lora and run.lora_rank else _lora(run)],
        ["Last Update", moment(run.last_request_time, now)],
        ["Status", _status(run)],
    ]
    rows += _checkpoint_rows("Last Training Checkpoint", run.last_checkpoint, now)
    rows += _checkpoint_rows("Last Sampler Checkpoint", run.last_sampler_checkpoint, now)
    if run.user_metadata:
        rows.append(["Metadata", ""])
        rows += [[f"  {key}", value] for key, value in run.user_metadata.items()]
    return rows


def _checkpoint_rows(label: str, checkpoint: Checkpoint | None, now: datetime) -> list[list[str]]:
    if checkpoint is None:
        return []
    return [
        [label, checkpoint.checkpoint_id],
        ["  Time", moment(checkpoint.time, now)],
        ["  Path", checkpoint.tinker_path],
    ]


def _lora(run: TrainingRun) -> str:
    if not run.is_lora:
        return "No"
    return f"Rank {run.lora_rank}" if run.lora_rank else "Yes"


def _status(run: TrainingRun) -> str:
    return "Failed" if run.corrupted else "OK"
