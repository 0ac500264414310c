"""`tinsmith audit`: what was done with a key's projects and checkpoints, day by day."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, Rows, show
from tinsmith.cli.text import moment, title

if TYPE_CHECKING:
    from tinsmith_api.models import AuditLogEntry

app = typer.Typer(help="Read the audit log.", no_args_is_help=True)


class Kind(StrEnum):
    """Kind of event."""

    all = "all"
    checkpoints = "checkpoints"
    projects = "projects"
    teams = "teams"
    organizations = "organizations"


@app.callback()
def group(format: Format = None) -> None:
    """Read the audit log."""


@app.command("list")
def list_entries(
    context: typer.Context,
    kind: Annotated[Kind, typer.Option("--type", help="Only events of this kind.")] = Kind.all,
    day: Annotated[
        str | None,
        typer.Option("--day", metavar="DATE", help="Day, in UTC; without it, today."),
    ] = None,
    format: Format = None,
) -> None:
    """List what was done on one day."""
    with rest(context) as client:
        found = client.get_audit_log(kind.value, day).result()
    now = datetime.now(UTC)
    show(
        context,
        {"entries": found.entries},
        lambda: Rows(
            title(len(found.entries), None, "event"),
            ["Event", "Time", "Model", "Path"],
            [_row(entry, now) for entry in found.entries],
        ),
    )


def _row(entry: AuditLogEntry, now: datetime) -> list[str]:
    return [entry.event, moment(entry.timestamp, now), entry.model_id or "", entry.tinker_path or ""]
