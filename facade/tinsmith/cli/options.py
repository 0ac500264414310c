"""The options that commands share, and their errors of usage.

It is loaded before any command runs, so that it imports nothing but typer.
"""

from __future__ import annotations

import contextlib
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class OutputFormat(StrEnum):
    """How a result is written."""

    table = "table"
    json = "json"


_ID = re.compile(r"(?!\.+$)[^/?#\s]+")
"""What can be the id of a run or a session: servers find it in the path of a request."""


def is_id(text: str) -> bool:
    """Say whether a text can be the id of a run or a session."""
    return _ID.fullmatch(text) is not None


def _id_of_a(noun: str) -> Callable[[str | None], str | None]:
    """Return what refuses a text that cannot be the id of a run or a session."""

    def check(text: str | None) -> str | None:
        if text is not None and not is_id(text):
            raise typer.BadParameter(f"{text!r} is no id of a {noun}; `tinsmith {noun} list` lists them")
        return text

    return check


Limit = Annotated[
    int, Option("--limit", min=0, metavar="NUMBER", help="Largest number of entries to list; 0 lists all.")
]
Offset = Annotated[
    int, Option("--offset", min=0, metavar="NUMBER", help="Number of entries to skip at the start.")
]
RunId = Annotated[str, Argument(metavar="RUN_ID", help="Id of the training run.", callback=_id_of_a("run"))]
OfRun = Annotated[
    str | None,
    Option("--run-id", metavar="ID", help="The checkpoints of this training run.", callback=_id_of_a("run")),
]
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
SessionId = Annotated[
    str, Argument(metavar="SESSION_ID", help="Id of the session.", callback=_id_of_a("session"))
]


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
