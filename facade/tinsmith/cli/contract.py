"""`tinsmith contract check`: checks a server, or recorded traffic, against the contract of the API."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  # typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from tinsmith.cli.connect import config_of
from tinsmith.cli.options import usage_errors, wants_json
from tinsmith.cli.output import Rows, note, show_json, show_table

if TYPE_CHECKING:
    from tinsmith.contract.exchange import Exchange
    from tinsmith.contract.report import Report
    from tinsmith.core.config import ClientConfig

app = typer.Typer()


@app.command("check")
def check(
    context: typer.Context,
    url: Annotated[
        str | None,
        Argument(metavar="URL", help="Server to check; without it, that of --base-url or TINKER_BASE_URL."),
    ] = None,
    captures: Annotated[
        list[Path] | None,
        Option(
            "--from",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Check this capture and send nothing; may be repeated.",
        ),
    ] = None,
    write: Annotated[
        bool,
        Option(
            "--write",
            help="Train, save and sample too: creates a session, rank-1 models, checkpoints and samples,"
            " and deletes them at the end.",
        ),
    ] = False,
    base_model: Annotated[
        str | None,
        Option(
            "--base-model",
            "-b",
            metavar="NAME",
            help="With --write: base model to train, else the first.",
        ),
    ] = None,
    capture: Annotated[
        Path | None,
        Option("--capture", metavar="FILE", help="Write all requests and answers there, without the key."),
    ] = None,
    patience: Annotated[
        float,
        Option("--patience", metavar="SECONDS", min=1.0, help="With --write: longest wait for one result."),
    ] = 120.0,
) -> None:
    """Check each operation of a server against the contract; exit code 1 where something deviates.

    Without --write nothing is changed on the server: it gets requests that read, and ids that do not exist.
    An operation that may change something is sent the body `[]`, which no server accepts; the refusal shows
    that the operation exists.

    Example: tinsmith contract check http://127.0.0.1:8000 --write --capture said.json
    """
    from tinsmith.contract.check import check_captures
    from tinsmith.contract.document import require_validator

    require_validator()
    if captures:
        if url is not None or write or capture is not None:
            raise typer.BadParameter(
                "reads captures alone: give neither a URL nor --write or --capture",
                ctx=context,
                param_hint="--from",
            )
        with usage_errors(context, "--from"):
            report = check_captures(captures)
        _show(context, report)
        passed = report.passed
    else:
        config = config_of(context, url, creates=write)
        if capture is not None:  # a check takes long: a file that cannot be written is reported before
            capture.open("a").close()
        passed = _on_a_server(context, config, capture, write, base_model, patience)
    if not passed:
        raise typer.Exit(1)


def _on_a_server(
    context: typer.Context,
    config: ClientConfig,
    capture: Path | None,
    write: bool,
    base_model: str | None,
    patience_s: float,
) -> bool:
    """Check a server; what was found is shown however the check ends. Returns whether the server passed."""
    import asyncio

    from tinsmith.contract.check import Check
    from tinsmith.progress import StepDisplay

    if write:
        note(f"Training and saving on {config.base_url}; what this makes is deleted at the end.")
    shown = sys.stderr.isatty() and not wants_json(context)
    interrupted: KeyboardInterrupt | None = None
    with StepDisplay(f"Checking {config.base_url}", shown=shown) as display:
        check = Check(config, write=write, base_model=base_model, patience_s=patience_s, on_send=display.step)
        try:
            asyncio.run(check.run())
        except KeyboardInterrupt as error:
            interrupted = error
    report = check.report()
    _show(context, report)
    if report.shows_nothing:
        note(
            f"Error: {config.base_url} served nothing beyond the health check; does the Tinker API begin at"
            " this address?"
        )
    for path in report.left_behind:
        note(f"{path} could not be deleted.")
    if capture is not None:
        _write_capture(capture, config, check.exchanges)
    if interrupted is not None:
        raise interrupted
    return report.passed


def _write_capture(path: Path, config: ClientConfig, exchanges: list[Exchange]) -> None:
    from tinsmith.contract.document import shipped
    from tinsmith.contract.exchange import written
    from tinsmith.core.whole_files import whole_file

    secrets = [] if config.api_key is None else [config.api_key.reveal()]
    about = "What `tinsmith contract check` sent to a server, and its answers. The key is not in it."
    with whole_file(path) as file:
        file.write(written(exchanges, about, shipped(), secrets).encode())


def _show(context: typer.Context, report: Report) -> None:
    if wants_json(context):
        show_json(report.document())
        return
    from tinsmith.contract.report import VERDICTS

    counts = ", ".join(f"{report.count(verdict)} {verdict}" for verdict in VERDICTS if report.count(verdict))
    kind = "a server that is not known" if report.server == "unknown" else report.server
    show_table(
        Rows(
            f"{report.source}, {kind}, against contract {report.contract}: {counts}",
            ["Operation", "Verdict", "Answers", "Why"],
            [
                [row.operation, row.verdict, " ".join(map(str, row.statuses)), row.reason]
                for row in report.rows
            ],
        )
    )
    if report.deviations:
        typer.echo()
        rows = [[each.operation, each.place, each.value, each.text] for each in report.deviations]
        show_table(Rows(f"Deviations: {len(rows)}", ["Operation", "Place", "Found", "Rule"], rows))
    if report.dialects:
        typer.echo()
        named = [
            [each.dialect.name, ", ".join(each.dialect.servers), str(len(each.findings)), each.dialect.text]
            for each in report.dialects
        ]
        columns = ["Dialect", "Known of", "Seen", "What it is"]
        show_table(Rows(f"Dialects of known servers, no deviations: {len(named)}", columns, named))
