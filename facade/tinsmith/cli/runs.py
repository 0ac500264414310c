"""`tinsmith run` and `tinsmith session`: what was trained, and the sessions in which it was."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from tinsmith.cli.connect import collect, rest, service
from tinsmith.cli.options import Limit, Offset, RunId, SessionId  # noqa: TC001  # typer reads the annotations
from tinsmith.cli.output import Properties, Rows, changed, metadata_rows, moment, note, show
from tinsmith.cli.watch import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith_api.models import SessionSummary

    from tinsmith.clients.rest import RestClient
    from tinsmith.core.values import Checkpoint, GetSessionResponse, TrainingRun

runs = typer.Typer()
sessions = typer.Typer()

PAGE = 100
"""Runs or sessions asked for at once."""

MOST_FOUND = 200
"""Sessions that one search returns at most."""


def _lora(run: TrainingRun) -> str:
    if not run.is_lora:
        return "No"
    return f"Rank {run.lora_rank}" if run.lora_rank else "Yes"


def _last(run: TrainingRun) -> tuple[str, str]:
    saved = run.last_checkpoint
    return (saved.checkpoint_id, moment(saved.time)) if saved else ("N/A", "N/A")


COLUMNS: dict[str, tuple[str, Callable[[TrainingRun], str]]] = {
    "id": ("Run ID", lambda run: run.training_run_id),
    "model": ("Base Model", lambda run: run.base_model),
    "owner": ("Owner", lambda run: run.model_owner),
    "lora": ("LoRA", _lora),
    "updated": ("Last Update", lambda run: moment(run.last_request_time)),
    "status": ("Status", lambda run: "Failed" if run.corrupted else "OK"),
    "checkpoint": ("Last Checkpoint", lambda run: _last(run)[0]),
    "checkpoint_time": ("Checkpoint Time", lambda run: _last(run)[1]),
}
"""Name of a column -> its heading, and what it shows of a run."""

DEFAULT_COLUMNS = "id,model,lora,updated,status"


def _columns(text: str) -> str:
    unknown = [name for name in text.split(",") if name.strip() not in COLUMNS]
    if unknown:
        raise typer.BadParameter(f"unknown column {unknown[0]!r}; there are {', '.join(COLUMNS)}")
    return text


@runs.command("list")
def list_runs(
    context: typer.Context,
    limit: Limit = 20,
    offset: Offset = 0,
    columns: Annotated[
        str,
        Option(
            "--columns",
            "-c",
            metavar="NAMES",
            callback=_columns,
            help=f"Columns to show, with commas between them, of: {', '.join(COLUMNS)}.",
        ),
    ] = DEFAULT_COLUMNS,
) -> None:
    """List training runs, the last used first."""
    with rest(context) as client:
        ask = client.list_training_runs
        found = collect(ask, "training_runs", limit=limit, offset=offset, page=PAGE)
    shown = [COLUMNS[name.strip()] for name in columns.split(",")]
    show(context, found.document("runs"), Rows.of(found.title("training run"), shown, found.entries))


@runs.command("info")
def show_run(context: typer.Context, run_id: RunId) -> None:
    """Show one training run."""
    with rest(context) as client:
        run = client.get_training_run(run_id).result()
    from tinsmith_api.model import as_mapping

    show(context, as_mapping(run), Properties(_properties(run)))


def _properties(run: TrainingRun) -> list[list[str]]:
    rows = [[heading, cell(run)] for heading, cell in list(COLUMNS.values())[:6]]
    if run.is_lora and run.lora_rank:
        rows[3][1] = f"Yes (Rank {run.lora_rank})"
    rows += _checkpoint_rows("Last Training Checkpoint", run.last_checkpoint)
    rows += _checkpoint_rows("Last Sampler Checkpoint", run.last_sampler_checkpoint)
    return rows + metadata_rows(run.user_metadata)


def _checkpoint_rows(label: str, checkpoint: Checkpoint | None) -> list[list[str]]:
    if checkpoint is None:
        return []
    return [
        [label, checkpoint.checkpoint_id],
        ["  Time", moment(checkpoint.time)],
        ["  Path", checkpoint.tinker_path],
    ]


runs.command("watch")(watch)


@sessions.command("list")
def list_sessions(context: typer.Context, limit: Limit = 20, offset: Offset = 0) -> None:
    """List sessions, the newest first; with names, states and projects where the server has them."""
    with rest(context) as client:
        found = collect(client.list_sessions, "sessions", limit=limit, offset=offset, page=PAGE)
        known = _summaries(client, set(found.entries))
    columns = ["Session ID", *(["Name", "Status", "Project", "Created"] if known else [])]
    show(
        context,
        found.document("sessions")
        | {"details": {name: known[name] for name in found.entries if name in known}},
        Rows(
            found.title("session"),
            columns,
            [[name, *_facts(known.get(name))][: len(columns)] for name in found.entries],
        ),
    )


def _summaries(client: RestClient, wanted: set[str]) -> dict[str, SessionSummary]:
    """Search for what is known of sessions; servers without this search still have the list."""
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
    except APIStatusError:
        pass
    return known


def _facts(summary: SessionSummary | None) -> list[str]:
    if summary is None:
        return ["", "", "", ""]
    status = summary.status if isinstance(summary.status, str) else summary.status and summary.status.type
    created = moment(summary.created_at)
    return [summary.display_name or "", str(status or ""), summary.project_id or "", created]


@sessions.command("info")
def show_session(context: typer.Context, session_id: SessionId) -> None:
    """Show the training runs and samplers of a session."""
    with rest(context) as client:
        session = client.get_session(session_id).result()
    from tinsmith_api.model import as_mapping

    show(
        context,
        {"session_id": session_id, **as_mapping(session)},
        Properties(_session_properties(session_id, session)),
    )


def _session_properties(session_id: str, session: GetSessionResponse) -> list[list[str]]:
    rows = [["Session ID", session_id]]
    if session.display_name:
        rows.append(["Name", session.display_name])
    for label, names in (("Training Runs", session.training_run_ids), ("Samplers", session.sampler_ids)):
        rows += [[label, str(len(names))], *(["", name] for name in names)]
    return rows + metadata_rows(session.user_metadata)


class EndReason(StrEnum):
    """How the work of a session went."""

    success = "success"
    errored = "errored"
    interrupted = "interrupted"


@sessions.command("finish")
def finish_session(
    context: typer.Context,
    session_id: SessionId,
    reason: Annotated[EndReason, Option("--reason", help="How the work went.")] = EndReason.interrupted,
    detail: Annotated[
        str | None, Option("--detail", metavar="TEXT", help="More about the end, in words.")
    ] = None,
) -> None:
    """End a session, such as one whose program was killed; its runs and checkpoints stay.

    A program that still works in the session cannot go on with it. Ending a session twice is no error.
    """
    from tinsmith_api.models import FinishReason

    with service(context) as client:
        why = FinishReason(reason.value)
        client.raw.finish_session(session_id, reason=why, detail=detail).result()
    document = {"session_id": session_id, "reason": reason.value, "detail": detail}
    changed(context, f"Ended the session {session_id}.", document)


@sessions.command("export-trace")
def export_trace(
    context: typer.Context,
    session_id: SessionId,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FILE", dir_okay=False, help="File to write; SESSION_ID.json."),
    ] = None,
    url_only: Annotated[
        bool, Option("--url-only", help="Print the URL of the trace; whoever has it can read the trace.")
    ] = False,
) -> None:
    """Have the server write the trace of a session, and download it."""
    if url_only and output is not None:
        raise typer.BadParameter("give at most one of --output and --url-only", ctx=context)
    target = output or Path(f"{session_id}.json")
    with rest(context) as client:
        note("Waiting for the server to write the trace ...")
        if url_only:
            url = client.export_session_trace(session_id).result()
            document: dict[str, object] = {"session_id": session_id, "url": url}
            show(context, document, Properties([["Session ID", session_id], ["URL", url]]))
            return
        client.download_session_trace(session_id, target, overwrite=True).result()
    document = {"session_id": session_id, "path": str(target), "size_bytes": target.stat().st_size}
    show(context, document, Properties([["Session ID", session_id], ["File", str(target)]]))
