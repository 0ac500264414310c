"""`tinsmith billing`: what was used and what it costs, as a table, as JSON, and as CSV files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, Rows, note, show
from tinsmith.cli.text import count, size, title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tinsmith_api.models import BillingUsageEvent, CurrentCheckpointStorageUsageItem

STDOUT = Path("-")
"""What stands for standard output in place of a file."""

app = typer.Typer(help="Show what was used and what it costs.", no_args_is_help=True)


Start = Annotated[str, typer.Argument(metavar="START", help="First hour, such as 2026-11-01 (UTC).")]
End = Annotated[
    str,
    typer.Argument(metavar="END", help="Hour before which to end, at most 14 days after START."),
]
Csv = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        dir_okay=False,
        help="Write the entries there too; - prints them in place of the table.",
    ),
]
SessionsCsv = Annotated[
    Path | None,
    typer.Option(
        "--sessions-csv",
        metavar="FILE",
        dir_okay=False,
        help="Write the sessions there too; - prints them in place of the table.",
    ),
]
Project = Annotated[
    str | None, typer.Option("--project-id", metavar="ID", help="Only checkpoints of this project.")
]


@app.callback()
def group(format: Format = None) -> None:
    """Show what was used and what it costs."""


@app.command("usage")
def usage(
    context: typer.Context,
    start: Start,
    end: End,
    csv_file: Csv = None,
    sessions_csv: SessionsCsv = None,
    format: Format = None,
) -> None:
    """Show what was used, hour by hour, from START until before END."""
    if csv_file == sessions_csv == STDOUT:
        raise typer.BadParameter("only one of --csv and --sessions-csv can be -", ctx=context)
    from tinsmith_api.conversion import to_json

    with rest(context) as client:
        found = client.get_billing_usage(start, end).result()
    if csv_file is not None:
        _write(csv_file, [_flat(event) for event in found.data], "item")
    if sessions_csv is not None:
        sessions = found.sessions.items()
        facts = [{"session_id": name, **(to_json(more) or {})} for name, more in sessions]
        _write(sessions_csv, facts, "session")
    if STDOUT in (csv_file, sessions_csv):
        return
    show(
        context,
        {"data": found.data, "sessions": found.sessions, "cost_data_through": found.cost_data_through},
        lambda: Rows(
            _total(found.data),
            ["Hour", "Used", "Base Model", "Session", "Amount", "Cost"],
            [_usage_row(event) for event in found.data],
        ),
    )


@app.command("checkpoint-storage")
def checkpoint_storage(
    context: typer.Context, project_id: Project = None, csv_file: Csv = None, format: Format = None
) -> None:
    """Show what stored checkpoints take now, and what that costs a month."""
    with rest(context) as client:
        found = client.get_current_checkpoint_storage_usage(project_id).result()
    if csv_file is not None:
        _write(csv_file, [_flat(item) for item in found.data], "item")
    if csv_file == STDOUT:
        return
    show(
        context,
        {
            "data": found.data,
            "effective_rate_usd_per_gigabyte_month": found.effective_rate_usd_per_gigabyte_month,
        },
        lambda: Rows(
            title(len(found.data), None, "item"),
            ["Project", "User", "Checkpoints", "Size", "Cost a Month"],
            [_storage_row(item) for item in found.data],
        ),
    )


def _total(events: Sequence[BillingUsageEvent]) -> str:
    heading = title(len(events), None, "item")
    costs = [event.estimated_cost_usd for event in events if event.estimated_cost_usd is not None]
    return f"{heading}, {_dollars(sum(costs))} as far as costs are known" if costs else heading


def _usage_row(event: BillingUsageEvent) -> list[str]:
    used = event.event_info
    amount = next((f"{n} {unit}" for n, unit in _amounts(used) if n is not None), "N/A")
    hour = event.bucket_start.strftime("%Y-%m-%d %H:%M") if event.bucket_start else "N/A"
    cost = _dollars(event.estimated_cost_usd)
    return [hour, used.type, event.base_model or "", event.session_id or "", amount, cost]


def _amounts(used: Any) -> tuple[tuple[float | None, str], ...]:
    return (used.token_count, "tokens"), (used.count, "checkpoints"), (used.gigabyte_hours, "GB h")


def _storage_row(item: CurrentCheckpointStorageUsageItem) -> list[str]:
    return [
        item.project_id or "N/A",
        item.user_name or item.user_email or item.org_user_urn or "N/A",
        str(item.checkpoint_count),
        size(item.size_bytes),
        _dollars(item.estimated_monthly_cost_usd),
    ]


def _dollars(amount: float | None) -> str:
    return "N/A" if amount is None else f"${amount:,.2f}"


def _flat(value: Any) -> dict[str, Any]:
    """Return the fields of an entry, those of what it holds among them, in one row."""
    from tinsmith_api.model import as_mapping

    row: dict[str, Any] = {}
    for name, content in as_mapping(value).items():
        row |= content if isinstance(content, dict) else {name: content}
    return row


def _write(path: Path, rows: Sequence[Mapping[str, Any]], noun: str) -> None:
    if path == STDOUT:
        _write_rows(sys.stdout, rows)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        _write_rows(file, rows)
    note(f"Wrote {count(len(rows), noun)} to {path}")


def _write_rows(file: TextIO, rows: Sequence[Mapping[str, Any]]) -> None:
    import csv

    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: "" if value is None else value for name, value in row.items()})
