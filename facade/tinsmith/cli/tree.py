"""The tree of commands: names, order, first sentences. The module of a command is imported when it is used.

It is loaded before any command runs, so that it imports nothing but typer.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import typer
import typer.main
from typer.core import TyperGroup


class Entry(NamedTuple):
    """A command or a group of commands, as the help of the program lists it."""

    place: str
    """Module below `tinsmith.cli` and name in it, of the function of a command or the `Typer` of a group."""
    help: str
    """What it does. For a command, the first sentence of its function's docstring."""


COMMANDS = {
    "version": Entry("app:version", "Print the version."),
    "train": Entry(
        "train:train",
        "Train on a file of chats or texts; Ctrl-C saves a checkpoint, and --resume goes on from it.",
    ),
    "cost": Entry(
        "cost:cost",
        "Count the tokens that `train` with these options would take, and their price; nothing is trained.",
    ),
    "eval": Entry(
        "evaluate:evaluate",
        "Compute the loss of a model on a file or on what a run held out, and score its answers.",
    ),
    "export": Entry(
        "export:export",
        "Write a trained adapter for other programs: for peft, merged, for llama.cpp, or on the hub.",
    ),
    "chat": Entry("chatting:chat", "Chat with a base model, a checkpoint, or the model of a training run."),
    "sample": Entry("model:sample", "Sample text from a base model or a checkpoint."),
    "serve": Entry("serve:serve", "Serve the embedded service to any client of this API, until Ctrl-C."),
    "gateway": Entry(
        "gateway:gateway", "Serve the OpenAI API over the models of any server of this API, until Ctrl-C."
    ),
    "run": Entry("runs:runs", "List, show and follow training runs."),
    "checkpoint": Entry("checkpoint:app", "List, show, change, download and delete checkpoints."),
    "session": Entry("runs:sessions", "List, show and end sessions, and export the trace of one."),
    "model": Entry("model:app", "List base models, and fetch one for offline use."),
    "data": Entry("data:app", "Look at training data."),
    "doctor": Entry(
        "doctor:doctor",
        "Check the way to the server, the key and this installation, and say what is wrong and what to do.",
    ),
    "auth": Entry("login:app", "Store a key, remove it, and show which one is used and whose it is."),
    "billing": Entry("account:billing", "Show what was used and what it costs."),
    "audit": Entry("account:audit", "Read the audit log."),
    "contract": Entry("contract:app", "Check servers against the contract of the API."),
}
"""Name -> command or group, in the order of the help."""

WITHOUT_RESULT = frozenset({"gateway", "serve"})
"""Commands that print no result, so that their help does not show --format."""


@cache
def branch(name: str) -> typer.Typer:
    """Import a command or a group, and return a tree that holds nothing else."""
    entry = COMMANDS[name]
    module, _, attribute = entry.place.partition(":")
    found = getattr(import_module(f"tinsmith.cli.{module}"), attribute)
    tree = typer.Typer(rich_markup_mode=None)
    if isinstance(found, typer.Typer):
        tree.add_typer(found, name=name, help=entry.help, no_args_is_help=True)
    else:
        tree.command(name)(found)
    _whole_help(tree)
    return tree


def _whole_help(tree: typer.Typer) -> None:
    """Let lists of commands show the whole first sentence; by themselves they are cut to one line."""
    for command in tree.registered_commands:
        command.short_help = ((command.callback and command.callback.__doc__) or "").partition("\n\n")[0]
    for group in tree.registered_groups:
        if group.typer_instance is not None:
            _whole_help(group.typer_instance)


class _Commands(Mapping[str, Any]):
    """The commands of the program by name; each is imported and made when it is asked for."""

    def __init__(self, shared: list[Any]) -> None:
        self._shared, self._made = shared, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            command = typer.main.get_group(branch(name)).commands[name]
            for each in (command, *_below(command)):
                known = {option.name for option in each.params}
                each.params += [_behind(each, option) for option in self._shared if option.name not in known]
            self._made[name] = command
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class CommandTree(TyperGroup):
    """The root. It rewords refused values, and every command and group takes its options too.

    The exceptions are --version and its like, which end the program at once.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands: Any = _Commands([option for option in self.params if not option.is_eager])

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options in front of the command."""
        with _reworded():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Read the options of the command, and run it."""
        with _reworded():
            return super().invoke(ctx)


_WORDS = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^Input should be a valid integer\b.*", re.DOTALL), "must be a whole number"),
    (re.compile(r"^Input should be a valid number\b.*", re.DOTALL), "must be a number"),
    (re.compile(r"^Input should be greater than or equal to "), "must be at least "),
    (re.compile(r"^Input should be less than or equal to "), "must be at most "),
)
"""What the validator says of a value -> what a person reads."""


@contextlib.contextmanager
def _reworded() -> Iterator[None]:
    try:
        yield
    except typer.BadParameter as wrong:
        for theirs, ours in _WORDS:
            wrong.message = theirs.sub(ours, wrong.message)
        raise


def _below(tree: Any) -> Iterator[Any]:
    for command in getattr(tree, "commands", {}).values():
        yield command
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
