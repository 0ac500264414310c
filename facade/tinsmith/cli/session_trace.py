"""`tinsmith session export-trace`: the record of a session, as a file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from tinsmith.cli.connect import rest
from tinsmith.cli.output import Format, Properties, note, show

READ_TIMEOUT_S = 30.0
"""Longest pause between two pieces of the file."""

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
    with rest(context) as client:
        note("Waiting for the server to write the trace ...")
        url = client.export_session_trace(session_id).result()
    if url_only:
        document: dict[str, object] = {"session_id": session_id, "url": url}
        show(context, document, lambda: Properties([["Session ID", session_id], ["URL", url]]))
        return
    target = output or Path(f"{session_id}.json")
    size_bytes = _fetch(url, target)
    document = {"session_id": session_id, "path": str(target), "size_bytes": size_bytes}
    show(context, document, lambda: Properties([["Session ID", session_id], ["File", str(target)]]))


def _fetch(url: str, target: Path) -> int:
    """Fetch a signed URL, which needs no key, into a file that is there in full or not at all."""
    from urllib.error import HTTPError
    from urllib.request import urlopen

    if not url.startswith(("https://", "http://")):
        raise OSError("the server gave no web address")
    part = target.with_name(target.name + ".part")
    try:
        with urlopen(url, timeout=READ_TIMEOUT_S) as answer, part.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
        os.replace(part, target)
    except HTTPError as refused:
        refused.close()  # it holds the connection
        raise OSError(f"the address of the trace answered {refused.code}") from None
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size
