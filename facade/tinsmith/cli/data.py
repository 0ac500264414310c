"""`tinsmith data`: what a person should know of a file before training on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer import Argument, Option

from tinsmith.cli.connect import server_of, service
from tinsmith.cli.options import wants_json
from tinsmith.cli.output import Properties, Rows, count, show_json, show_table
from tinsmith.cli.run_options import Cut, TrainedPart

if TYPE_CHECKING:
    from tinsmith.core.tokenization import Tokenizer
    from tinsmith.data import DataFormat, DataSurvey

MOST_PROBLEMS = 20
"""Problems that the table lists; JSON has all."""

app = typer.Typer()


@app.command("check")
def check(
    context: typer.Context,
    file: Annotated[
        Path, Argument(metavar="FILE", help="JSON Lines, a JSON array, or Parquet, of chats or texts.")
    ],
    model: Annotated[
        str,
        Option(
            "--model", "-m", metavar="NAME", help="Base model to train, or a folder that holds its tokenizer."
        ),
    ],
    train_on: Annotated[
        TrainedPart,
        Option("--train-on", help="Train on all turns of the assistant, its last one, or every token."),
    ] = TrainedPart.assistant,
    max_tokens: Annotated[
        int | None,
        Option(
            "--max-tokens",
            min=2,
            metavar="NUMBER",
            help="Largest number of tokens of a text; without it, the context of the model.",
        ),
    ] = None,
    truncation: Annotated[
        Cut,
        Option("--truncation", help="Refuse a longer text, drop it, or keep its last or first tokens."),
    ] = Cut.error,
    input_format: Annotated[
        str | None,
        Option(
            "--input-format",
            metavar="NAME",
            help="Format of all rows: openai, anthropic, sharegpt, alpaca, completion, text or preference;"
            " without it, their fields tell it.",
        ),
    ] = None,
) -> None:
    """Show what training on a file would take, and what is wrong with it; exit code 1 where something is.

    Example: tinsmith data check chats.jsonl --model tinsmith/tiny --max-tokens 2048 --truncation drop
    """
    from tinsmith.data import DatumBuilder, survey

    tokenizer, limit = _tokenizer(context, model)
    builder = DatumBuilder(
        tokenizer=tokenizer,
        train_on=train_on.value,
        max_tokens=max_tokens or limit,
        truncation=truncation.value,
    )
    found = survey(file, builder, cast("DataFormat | None", input_format))
    settings = {
        "file": str(file),
        "model": model,
        "train_on": train_on.value,
        "max_tokens": builder.max_tokens,
        "truncation": truncation.value,
    }
    if wants_json(context):
        show_json({**settings, **_document(found)})
    else:
        _show(found, settings)
    if not found.passed:
        raise typer.Exit(1)


def _tokenizer(context: typer.Context, model: str) -> tuple[Tokenizer, int | None]:
    """Return the tokenizer of a folder or of a base model, and the model's context where it is known."""
    if Path(model).is_dir():
        from tinsmith.clients.tokenizer import load_tokenizer

        return load_tokenizer(model), None
    from tinsmith.core.negotiation import context_tokens

    with service(context, server_of(context)) as client:
        offered = client.get_server_capabilities().supported_models
        tokenizer = client.get_tokenizer(model)
        return tokenizer, context_tokens(offered, model, tokenizer.name_or_path)


def _document(found: DataSurvey) -> dict[str, Any]:
    import attrs

    return {**attrs.asdict(found), "passed": found.passed}


_CUTS = {"error": "refused", "drop": "dropped", "left": "cut to the last", "right": "cut to the first"}


def _show(found: DataSurvey, settings: dict[str, Any]) -> None:
    limit = settings["max_tokens"]
    fate = f"{found.too_long} {_CUTS[settings['truncation']]} ({limit} tokens)" if limit else "no limit known"
    lengths = f"median {found.median_tokens}, p95 {found.p95_tokens}, longest {found.longest_tokens}"
    show_table(
        Properties(
            [
                ["Records", _kinds(found.records)],
                ["Turns", _roles(found.roles)],
                ["Empty Turns", str(found.empty_turns)],
                ["Texts with Markup", str(found.texts_with_markup)],
                ["Duplicates", str(found.duplicates)],
                ["Tokens of a Text", lengths],
                ["Too Long", fate],
                ["Datums", str(found.datums)],
                ["Tokens", str(found.tokens)],
                ["Trained Tokens", str(found.trained_tokens)],
            ]
        )
    )
    if found.problems:
        shown = found.problems[:MOST_PROBLEMS]
        typer.echo()
        heading = count(len(found.problems), "problem")
        if len(shown) < len(found.problems):
            heading += f"; the first {len(shown)} are shown, --format json has all"
        rows = [[each.where, each.field or "", each.problem] for each in shown]
        show_table(Rows(heading, ["Place", "Field", "Problem"], rows))


def _kinds(counts: dict[str, int]) -> str:
    return ", ".join(count(number, kind.removesuffix("s")) for kind, number in counts.items()) or "none"


def _roles(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {role}" for role, number in counts.items()) or "none"
