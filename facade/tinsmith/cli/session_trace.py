"""`tinsmith session export-trace`: the record of a session, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, Properties, note, show

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="File to write; SESSION_ID.json."),
]
UrlOnly = Annotated[
    bool, typer.Option("--url-only", help="Print where it can be fetched; whoever has the URL can read it.")
]


def export_trace(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="SESSION_ID", help="Id of the session.")],
    output: Output = None,
    url_only: UrlOnly = False,
    format: Format = None,
) -> None:
    """Have the server write the trace of a session, and fetch it."""
    if url_only and output is not None:
        raise typer.BadParameter("give at most one of --output and --url-only", ctx=context)
    target = output or Path(f"{session_id}.json")
    with rest(context) as client:
        note("Waiting for the server to write the trace ...")
        if url_only:
            url = client.export_session_trace(session_id).result()
            document: dict[str, object] = {"session_id": session_id, "url": url}
            show(context, document, lambda: Properties([["Session ID", session_id], ["URL", url]]))
            return
        client.download_session_trace(session_id, target, overwrite=True).result()
    document = {"session_id": session_id, "path": str(target), "size_bytes": target.stat().st_size}
    show(context, document, lambda: Properties([["Session ID", session_id], ["File", str(target)]]))
