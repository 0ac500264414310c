"""The words of usage errors. Owns what a person reads in place of the validator's own sentences."""

from __future__ import annotations

import contextlib
import copy
import re
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORDS = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^Input should be a valid integer\b.*", re.DOTALL), "must be a whole number"),
    (re.compile(r"^Input should be a valid number\b.*", re.DOTALL), "must be a number"),
    (re.compile(r"^Input should be greater than or equal to "), "must be at least "),
    (re.compile(r"^Input should be less than or equal to "), "must be at most "),
)


def plain(message: str) -> str:
    """Say what is wrong with a value, not what a validator is."""
    for theirs, ours in _WORDS:
        message = theirs.sub(ours, message)
    return message


def _below(group: Any) -> Iterator[Any]:
    for command in group.commands.values():
        yield command
        if hasattr(command, "commands"):
            yield from _below(command)


def _behind(option: Any) -> Any:
    """Copy an option of the root for a command: a value given there counts as if given in front of it."""
    copied = copy.copy(option)
    copied.expose_value, copied.hidden, copied.callback = False, True, _keep_in_front
    return copied


def _keep_in_front(context: Any, option: Any, value: Any) -> None:
    if value:
        context.find_root().params[option.name] = value


@contextlib.contextmanager
def _reworded() -> Iterator[None]:
    try:
        yield
    except typer.BadParameter as wrong:
        wrong.message = plain(wrong.message)
        raise


class PlainGroup(TyperGroup):
    """The tree of commands, whose refusals of options are in plain words.

    Its own options, but those that leave at once, are understood behind every command too.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        shared = [option for option in self.params if not option.is_eager]
        for command in _below(self):
            known = {option.name for option in command.params}
            command.params += [_behind(option) for option in shared if option.name not in known]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options in front of the command."""
        with _reworded():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Read the options of the command, and run it."""
        with _reworded():
            return super().invoke(ctx)
