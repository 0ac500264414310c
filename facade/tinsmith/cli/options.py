"""The options that commands share, the groups that carry them, and the words of usage errors.

It is loaded before any command runs, so that it imports nothing but typer.
"""

from __future__ import annotations

import contextlib
import copy
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option
from typer.core import TyperGroup

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
SessionId = Annotated[str, Argument(metavar="SESSION_ID", help="Id of the session.")]


@contextlib.contextmanager
def usage_errors(context: typer.Context, option: str | None = None) -> Iterator[None]:
    """Report a `ValueError` of the block as wrong usage of the command, or of one option."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), ctx=context, param_hint=option) from error


WITHOUT_RESULT = frozenset({"serve"})
"""Commands that print no result, so that their help does not show --format."""


def shared(context: typer.Context, name: str) -> Any:
    """Return an option of the root, wherever it stood: the one nearest to the command counts."""
    return context.find_root().params.get(name)


def wants_json(context: typer.Context) -> bool:
    """Whether the result is to be JSON."""
    return bool(shared(context, "format") == OutputFormat.json)


_WORDS = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^Input should be a valid integer\b.*", re.DOTALL), "must be a whole number"),
    (re.compile(r"^Input should be a valid number\b.*", re.DOTALL), "must be a number"),
    (re.compile(r"^Input should be greater than or equal to "), "must be at least "),
    (re.compile(r"^Input should be less than or equal to "), "must be at most "),
)
"""What the validator says of a value -> what a person reads."""


class PlainGroup(TyperGroup):
    """The tree of commands. It rewords refused values, and every command and group takes its options too.

    The exceptions are --version and its like, which end the program at once.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        options = [option for option in self.params if not option.is_eager]
        for command in _below(self):
            known = {option.name for option in command.params}
            command.params += [_behind(command, option) for option in options if option.name not in known]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options in front of the command."""
        with _reworded():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Read the options of the command, and run it."""
        with _reworded():
            return super().invoke(ctx)


@contextlib.contextmanager
def _reworded() -> Iterator[None]:
    try:
        yield
    except typer.BadParameter as wrong:
        for theirs, ours in _WORDS:
            wrong.message = theirs.sub(ours, wrong.message)
        raise


def _below(tree: Any) -> Iterator[Any]:
    for command in tree.commands.values():
        yield command
        if hasattr(command, "commands"):
            yield from _below(command)


def _behind(command: Any, option: Any) -> Any:
    """Copy an option of the root for a command: a value given there counts as if given in front of it.

    The help of a command shows no option of the root but --format.
    """
    copied = copy.copy(option)
    copied.expose_value, copied.callback = False, _keep_in_front
    copied.hidden = option.name != "format" or command.name in WITHOUT_RESULT
    return copied


def _keep_in_front(context: Any, option: Any, value: Any) -> None:
    if value:
        context.find_root().params[option.name] = value
