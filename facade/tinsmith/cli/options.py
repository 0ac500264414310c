"""The options that commands share, and their errors of usage.

It is loaded before any command runs, so that it imports nothing but typer.
"""

from __future__ import annotations

import contextlib
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Iterator


class OutputFormat(StrEnum):
    """How a result is written."""

    table = "table"
    json = "json"


Limit = Annotated[
    int, Option("--limit", min=0, metavar="NUMBER", help="Largest number of entries to list; 0 lists all.")
]
Offset = Annotated[
    int, Option("--offset", min=0, metavar="NUMBER", help="Number of entries to skip at the start.")
]
RunId = Annotated[str | None, Option("--run-id", metavar="ID", help="The checkpoints of this training run.")]
CheckpointPath = Annotated[
    str, Argument(metavar="PATH", help="Path of the checkpoint, such as tinker://RUN/weights/0001.")
]
Aliases = Annotated[
    list[str] | None,
    Option(
        "--alias",
        metavar="NAME=MODEL",
        help="One more name of a base model or a checkpoint (tinker://...); may be repeated, and the first is"
        " meant where a request names no model.",
    ),
]
SessionId = Annotated[str, Argument(metavar="SESSION_ID", help="Id of the session.")]


@contextlib.contextmanager
def usage_errors(context: typer.Context, option: str | None = None) -> Iterator[None]:
    """Report a `ValueError` of the block as wrong usage of the command, or of one option."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), ctx=context, param_hint=option) from error


def shared(context: typer.Context, name: str) -> Any:
    """Return an option of the root, wherever it stood: the one nearest to the command counts."""
    return context.find_root().params.get(name)


def wants_json(context: typer.Context) -> bool:
    """Whether the result is to be JSON."""
    return bool(shared(context, "format") == OutputFormat.json)
