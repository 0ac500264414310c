"""`tinsmith session`: the sessions of a key and what they made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, Properties, Rows, show
from tinsmith.cli.paging import Limit, Offset, collect
from tinsmith.cli.session_trace import export_trace
from tinsmith.cli.text import title

if TYPE_CHECKING:
    from tinsmith.core.values import GetSessionResponse

app = typer.Typer(help="List and show sessions.", no_args_is_help=True)

PAGE = 100
"""Sessions asked for at once."""


@app.callback()
def group(format: Format = None) -> None:
    """List and show sessions."""


@app.command("list")
def list_sessions(
    context: typer.Context, limit: Limit = 20, offset: Offset = 0, format: Format = None
) -> None:
    """List sessions, the newest first."""
    with rest(context) as client:

        def fetch(limit: int, offset: int) -> tuple[list[str], int | None]:
            return client.list_sessions(limit=limit, offset=offset).result().sessions, None

        found = collect(fetch, limit=limit, offset=offset, page=PAGE)
    show(
        context,
        {"sessions": found.entries, "cursor": found.cursor(), "total": found.total},
        lambda: Rows(
            title(len(found.entries), found.total and found.total - offset, "session"),
            ["Session ID"],
            [[name] for name in found.entries],
        ),
    )


@app.command("info")
def info(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="SESSION_ID", help="Id of the session.")],
    format: Format = None,
) -> None:
    """Show the training runs and samplers of a session."""
    with rest(context) as client:
        session = client.get_session(session_id).result()
    from tinsmith.core.values.open import as_mapping

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
