"""`tinsmith audit` and `billing`: what was done, what was used, and what it costs."""

from __future__ import annotations

import io
import sys
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from tinsmith.cli.connect import rest
from tinsmith.cli.cost import dollars, exact
from tinsmith.cli.output import Rows, count, moment, note, show, size, title

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tinsmith_api.models import (
        AuditLogEntry,
        BillingEventInfo,
        BillingUsageEvent,
        CurrentCheckpointStorageUsageItem,
    )

    from tinsmith.clients.rest import RestClient

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


RUN_COLUMNS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "Runs": lambda row: ", ".join(row["runs"]) or "N/A",
    "Session": lambda row: row["session_id"] or "",
    "Base Model": lambda row: row["base_model"] or "",
    "Tokens": lambda row: ", ".join(f"{number:,} {kind}" for kind, number in row["tokens"].items()),
    "Cost": lambda row: dollars(row["cost_usd"]),
}


class UsageBy(StrEnum):
    """How usage is summed."""

    hour = "hour"
    run = "run"


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
    by: Annotated[
        UsageBy, Option("--by", help="Show every entry, or sums for the training runs of each session.")
    ] = UsageBy.hour,
) -> None:
    """Show what was used, hour by hour or run by run, from START until before END.

    Example: tinsmith billing usage 2026-11-01 2026-11-02 --csv usage.csv
    """
    if csv_file == sessions_csv == STDOUT:
        raise typer.BadParameter("only one of --csv and --sessions-csv can be -", ctx=context)
    from tinsmith_api.conversion import to_json

    with rest(context) as client:
        found = client.get_billing_usage(start, end).result()
        sums = _by_session(client, found.data) if by is UsageBy.run else []
    if csv_file is not None:
        _write(csv_file, [_flat(event) for event in found.data], "item")
    if sessions_csv is not None:
        sessions = found.sessions.items()
        facts = [{"session_id": name, **(to_json(more) or {})} for name, more in sessions]
        _write(sessions_csv, facts, "session")
    if STDOUT in (csv_file, sessions_csv):
        return
    document = {"sessions": found.sessions, "cost_data_through": found.cost_data_through}
    heading = _total(found.data)
    if by is UsageBy.run:
        runs = [{**each, "cost_usd": exact(each["cost_usd"])} for each in sums]
        show(context, {"runs": runs, **document}, Rows.of(heading, RUN_COLUMNS.items(), sums))
    else:
        show(context, {"data": found.data, **document}, Rows.of(heading, USAGE_COLUMNS.items(), found.data))


def _by_session(client: RestClient, events: Sequence[BillingUsageEvent]) -> list[dict[str, Any]]:
    """Sum what was used by session and base model, and name the runs of each session.

    A server counts by session; `train` opens one each time that it begins or goes on.
    """
    from tinsmith.core.errors import APIStatusError

    sums: dict[tuple[str | None, str | None], dict[str, Any]] = {}
    for event in events:
        row = sums.setdefault((event.session_id, event.base_model), {"tokens": {}, "cost_usd": None})
        kind, number = event.event_info.type, event.event_info.token_count
        if number is not None:
            row["tokens"][kind] = row["tokens"].get(kind, 0) + number
        if (cost := _exact_cost(event)) is not None:
            row["cost_usd"] = (row["cost_usd"] or 0) + cost
    runs: dict[str, list[str]] = {}
    for session in {session for session, _ in sums if session is not None}:
        try:
            runs[session] = client.get_session(session).result().training_run_ids
        except APIStatusError:  # of somebody else, or gone
            runs[session] = []
    return [
        {"session_id": session, "runs": runs.get(session or "", []), "base_model": model, **row}
        for (session, model), row in sums.items()
    ]


def _exact_cost(event: BillingUsageEvent) -> Decimal | None:
    return None if event.estimated_cost_usd is None else Decimal(str(event.estimated_cost_usd))


def _total(events: Sequence[BillingUsageEvent]) -> str:
    heading = title(len(events), None, "item")
    costs = [cost for event in events if (cost := _exact_cost(event)) is not None]
    return f"{heading}, {dollars(sum(costs, Decimal(0)))} as far as costs are known" if costs else heading


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
    return dollars(None if amount is None else Decimal(str(amount)))


def _flat(value: Any) -> dict[str, Any]:
    """Return the fields of an entry, those of what it holds among them, in one row."""
    from tinsmith_api.model import as_mapping

    row: dict[str, Any] = {}
    for name, content in as_mapping(value).items():
        row |= content if isinstance(content, dict) else {name: content}
    return row


def _write(path: Path, rows: Sequence[Mapping[str, Any]], noun: str) -> None:
    import csv

    from tinsmith.core.whole_files import whole_file

    text = io.StringIO(newline="")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if path == STDOUT:
        sys.stdout.write(text.getvalue())
        return
    with whole_file(path) as file:
        file.write(text.getvalue().encode())
    note(f"Wrote {count(len(rows), noun)} to {path}")
