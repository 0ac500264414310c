"""`tinsmith contract check`: holds a server, or recorded traffic, against the contract of the API."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinsmith.cli.connect import config_of
from tinsmith.cli.output import Format, OutputFormat, Rows, chosen, note, show_json, show_table

if TYPE_CHECKING:
    from tinsmith.contract.exchange import Exchange
    from tinsmith.contract.report import Report
    from tinsmith.core.config import ClientConfig

app = typer.Typer(help="Hold servers against the contract of the API.", no_args_is_help=True)

Url = Annotated[
    str | None,
    typer.Argument(metavar="URL", help="Server to check; without it, that of --base-url or TINKER_BASE_URL."),
]
Captures = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Judge this capture and send nothing; may be repeated.",
    ),
]
Write = Annotated[
    bool,
    typer.Option(
        "--write",
        help="Train, save and sample as well: makes a session, rank-1 models, checkpoints and samples, and"
        " deletes them in the end.",
    ),
]
BaseModel = Annotated[
    str | None,
    typer.Option(
        "--base-model", "-b", metavar="NAME", help="With --write: base model to train; the first by default."
    ),
]
Capture = Annotated[
    Path | None,
    typer.Option("--capture", metavar="FILE", help="Write all requests and answers there, without the key."),
]
Patience = Annotated[
    float,
    typer.Option(
        "--patience", metavar="SECONDS", min=1.0, help="With --write: longest wait for one promise."
    ),
]


@app.callback()
def group(format: Format = None) -> None:
    """Hold servers against the contract of the API."""


@app.command("check")
def check(
    context: typer.Context,
    url: Url = None,
    captures: Captures = None,
    write: Write = False,
    base_model: BaseModel = None,
    capture: Capture = None,
    patience: Patience = 120.0,
    format: Format = None,
) -> None:
    """Say of each operation whether a server does it as the contract says; exit code 1 where it does not.

    Without --write nothing is changed on the server: it is sent reads and ids that nobody has. An operation
    that may change something gets the body `[]`, which none takes: its refusal shows that it is there.
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
        try:
            report = check_captures(captures)
        except ValueError as error:
            raise typer.BadParameter(str(error), ctx=context, param_hint="--from") from error
        _show(context, report)
        passed = report.passed
    else:
        config = config_of(context, url, creates=write)
        if capture is not None:  # a check takes long: a file that cannot be written is told before it
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
        note(f"Training and saving on {config.base_url}; what this makes is deleted in the end.")
    shown = sys.stderr.isatty() and chosen(context) is not OutputFormat.json
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

    secrets = [] if config.api_key is None else [config.api_key.reveal()]
    about = "What `tinsmith contract check` said to a server, and its answers. The key is not in it."
    path.write_text(written(exchanges, about, shipped(), secrets), encoding="utf-8")


def _show(context: typer.Context, report: Report) -> None:
    if chosen(context) is OutputFormat.json:
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
