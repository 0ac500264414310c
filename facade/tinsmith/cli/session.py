"""`tinsmith session`: the sessions of a key and what they made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, Properties, Rows, show
from tinsmith.cli.paging import Limit, Offset, collect
from tinsmith.cli.session_trace import export_trace
from tinsmith.cli.text import moment, title

if TYPE_CHECKING:
    from tinsmith_api.models import SessionSummary

    from tinsmith.clients.rest import RestClient
    from tinsmith.core.values import GetSessionResponse

app = typer.Typer(help="List and show sessions.", no_args_is_help=True)

PAGE = 100
"""Sessions asked for at once."""

MOST_FOUND = 200
"""Sessions that one search returns at most."""


@app.callback()
def group(format: Format = None) -> None:
    """List and show sessions."""


@app.command("list")
def list_sessions(
    context: typer.Context, limit: Limit = 20, offset: Offset = 0, format: Format = None
) -> None:
    """List sessions, the newest first; their names, states and projects where the server tells them."""
    with rest(context) as client:

        def fetch(limit: int, offset: int) -> tuple[list[str], int | None]:
            return client.list_sessions(limit=limit, offset=offset).result().sessions, None

        found = collect(fetch, limit=limit, offset=offset, page=PAGE)
        known = _summaries(client, set(found.entries))
    now = datetime.now(UTC)
    columns = ["Session ID", *(["Name", "Status", "Project", "Created"] if known else [])]
    show(
        context,
        {
            "sessions": found.entries,
            "details": {name: known[name] for name in found.entries if name in known},
            "cursor": found.cursor(),
            "total": found.total,
        },
        lambda: Rows(
            title(len(found.entries), found.total and found.total - offset, "session"),
            columns,
            [[name, *_facts(known.get(name), now)][: len(columns)] for name in found.entries],
        ),
    )


def _summaries(client: RestClient, wanted: set[str]) -> dict[str, SessionSummary]:
    """Search for what is known of sessions; what a server does not tell is left out."""
    from tinsmith_api.models import SessionSearchRequest

    from tinsmith.core.errors import APIStatusError

    known: dict[str, SessionSummary] = {}
    cursor: Any = None
    try:
        while wanted - known.keys():
            asked = SessionSearchRequest(limit=MOST_FOUND, cursor=cursor)
            page = client.search_sessions(asked).result()
            known |= {summary.session_id: summary for summary in page.sessions}
            cursor = page.next_cursor
            if not page.sessions or not cursor:
                break
    except APIStatusError:  # a server without this search still has the list
        pass
    return known


def _facts(summary: SessionSummary | None, now: datetime) -> list[str]:
    if summary is None:
        return ["", "", "", ""]
    status = summary.status if isinstance(summary.status, str) else summary.status and summary.status.type
    created = moment(summary.created_at, now)
    return [summary.display_name or "", str(status or ""), summary.project_id or "", created]


@app.command("info")
def info(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="SESSION_ID", help="Id of the session.")],
    format: Format = None,
) -> None:
    """Show the training runs and samplers of a session."""
    with rest(context) as client:
        session = client.get_session(session_id).result()
    from tinsmith_api.model import as_mapping

    show(
        context,
        {"session_id": session_id, **as_mapping(session)},
        lambda: Properties(_properties(session_id, session)),
    )


app.command("export-trace")(export_trace)


def _properties(session_id: str, session: GetSessionResponse) -> list[list[str]]:
    rows = [["Session ID", session_id]]
    if session.display_name:
        rows.append(["Name", session.display_name])
    rows += _listed("Training Runs", session.training_run_ids)
    rows += _listed("Samplers", session.sampler_ids)
    if session.user_metadata:
        rows.append(["Metadata", ""])
        rows += [[f"  {key}", value] for key, value in session.user_metadata.items()]
    return rows


def _listed(label: str, names: list[str]) -> list[list[str]]:
    return [[label, str(len(names))], *(["", name] for name in names)]
