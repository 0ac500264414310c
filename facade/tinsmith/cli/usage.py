"""The words of usage errors. Owns what a person reads in place of the validator's own sentences."""

from __future__ import annotations

import contextlib
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


@contextlib.contextmanager
def _reworded() -> Iterator[None]:
    try:
        yield
    except typer.BadParameter as wrong:
        wrong.message = plain(wrong.message)
        raise


class PlainGroup(TyperGroup):
    """The tree of commands, whose refusals of options are in plain words."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options in front of the command."""
        with _reworded():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Read the options of the command, and run it."""
        with _reworded():
            return super().invoke(ctx)
