"""`tinsmith audit` and `billing`: what was done, what was used, and what it costs."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Rows, count, moment, note, show, size, title

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tinsmith_api.models import (
        AuditLogEntry,
        BillingEventInfo,
        BillingUsageEvent,
        CurrentCheckpointStorageUsageItem,
    )

audit = typer.Typer()
billing = typer.Typer()

STDOUT = Path("-")
"""Stands for standard output in place of a file."""

AUDIT_COLUMNS: dict[str, Callable[[AuditLogEntry], str]] = {
    "Event": lambda entry: entry.event,
    "Time": lambda entry: moment(entry.timestamp),
    "Model": lambda entry: entry.model_id or "",
    "Path": lambda entry: entry.tinker_path or "",
}

USAGE_COLUMNS: dict[str, Callable[[BillingUsageEvent], str]] = {
    "Hour": lambda event: f"{event.bucket_start:%Y-%m-%d %H:%M}" if event.bucket_start else "N/A",
    "Used": lambda event: event.event_info.type,
    "Base Model": lambda event: event.base_model or "",
    "Session": lambda event: event.session_id or "",
    "Amount": lambda event: _amount(event.event_info),
    "Cost": lambda event: _dollars(event.estimated_cost_usd),
}

STORAGE_COLUMNS: dict[str, Callable[[CurrentCheckpointStorageUsageItem], str]] = {
    "Project": lambda item: item.project_id or "N/A",
    "User": lambda item: item.user_name or item.user_email or item.org_user_urn or "N/A",
    "Checkpoints": lambda item: str(item.checkpoint_count),
    "Size": lambda item: size(item.size_bytes),
    "Cost a Month": lambda item: _dollars(item.estimated_monthly_cost_usd),
}


class AuditKind(StrEnum):
    """Kind of event in the audit log."""

    all = "all"
    checkpoints = "checkpoints"
    projects = "projects"
    teams = "teams"
    organizations = "organizations"


def _csv(name: str, what: str) -> Any:
    words = f"Write the {what} to this file too; - prints them in place of the table."
    return Option(name, metavar="FILE", dir_okay=False, help=words)


Csv = Annotated[Path | None, _csv("--csv", "entries")]


@audit.command("list")
def list_entries(
    context: typer.Context,
    kind: Annotated[AuditKind, Option("--type", help="Only events of this kind.")] = AuditKind.all,
    day: Annotated[
        str | None,
        Option("--day", metavar="DATE", help="Day in UTC, such as 2026-11-01; without it, today."),
    ] = None,
) -> None:
    """List what was done on one day."""
    with rest(context) as client:
        found = client.get_audit_log(kind.value, day).result()
    heading = title(len(found.entries), None, "event")
    show(context, {"entries": found.entries}, Rows.of(heading, AUDIT_COLUMNS.items(), found.entries))


@billing.command("usage")
def usage(
    context: typer.Context,
    start: Annotated[str, Argument(metavar="START", help="First hour, such as 2026-11-01 (UTC).")],
    end: Annotated[
        str, Argument(metavar="END", help="Hour before which to end, at most 14 days after START.")
    ],
    csv_file: Csv = None,
    sessions_csv: Annotated[Path | None, _csv("--sessions-csv", "sessions")] = None,
) -> None:
    """Show what was used, hour by hour, from START until before END.

    Example: tinsmith billing usage 2026-11-01 2026-11-02 --csv usage.csv
    """
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
        Rows.of(_total(found.data), USAGE_COLUMNS.items(), found.data),
    )


def _total(events: Sequence[BillingUsageEvent]) -> str:
    heading = title(len(events), None, "item")
    costs = [event.estimated_cost_usd for event in events if event.estimated_cost_usd is not None]
    return f"{heading}, {_dollars(sum(costs))} as far as costs are known" if costs else heading


def _amount(used: BillingEventInfo) -> str:
    amounts = ((used.token_count, "tokens"), (used.count, "checkpoints"), (used.gigabyte_hours, "GB h"))
    return next((f"{number} {unit}" for number, unit in amounts if number is not None), "N/A")


@billing.command("checkpoint-storage")
def checkpoint_storage(
    context: typer.Context,
    project_id: Annotated[
        str | None, Option("--project-id", metavar="ID", help="Only checkpoints of this project.")
    ] = None,
    csv_file: Csv = None,
) -> None:
    """Show how much stored checkpoints take now, and what that costs a month."""
    with rest(context) as client:
        found = client.get_current_checkpoint_storage_usage(project_id).result()
    if csv_file is not None:
        _write(csv_file, [_flat(item) for item in found.data], "item")
    if csv_file == STDOUT:
        return
    rate = found.effective_rate_usd_per_gigabyte_month
    show(
        context,
        {"data": found.data, "effective_rate_usd_per_gigabyte_month": rate},
        Rows.of(title(len(found.data), None, "item"), STORAGE_COLUMNS.items(), found.data),
    )


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
    import csv

    columns = list(dict.fromkeys(name for row in rows for name in row))
    to_stdout = path == STDOUT
    with nullcontext(sys.stdout) if to_stdout else path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    if not to_stdout:
        note(f"Wrote {count(len(rows), noun)} to {path}")
