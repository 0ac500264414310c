"""Writes docs/cli.md: every command of `tinsmith`, from the declarations that the command line is made of.

Usage: cli_reference.py [--check], from docs/generate.py. With --check it writes nothing and exits with 1 when
the page is stale. The examples of commands are those that docs/cli_examples.py recorded.
"""

from __future__ import annotations

import inspect
import re
import sys
from enum import EnumType
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from tinsmith.cli.app import root
from tinsmith.cli.tree import COMMANDS, WITHOUT_RESULT, branch
from typer.models import ArgumentInfo, OptionInfo

from docs.cli_examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import typer

PAGE = Path(__file__).parent / "cli.md"

INTRODUCTION = """\
<!-- Written by docs/cli_reference.py from facade/tinsmith/cli. Do not edit. -->
# The command line

Store the key with `tinsmith auth login`, or set `TINKER_API_KEY` to it; set `TINKER_BASE_URL` to the address
of the server if it is not the hosted service. `local:PATH` is the embedded service with its data in PATH; it
needs no key. A key is never an argument, because everybody on the machine can see the arguments of a process.

| option, before the command | variable | meaning |
|---|---|---|
| | `TINKER_API_KEY` | The key. |
| | `TINKER_CREDENTIAL_CMD` | A program that prints the key (within 30 s), such as `pass tinker`. |
| | `TINSMITH_CREDENTIALS` | The file of `auth login`, where the two above are not set. |
| `--base-url URL` | `TINKER_BASE_URL` | The server; the default is the hosted service. |
| `--any-key` | `TINSMITH_ANY_KEY=1` | Allow a key without the prefix `tml-`, for your own server. |
| `--insecure` | `TINSMITH_INSECURE=1` | Allow plain HTTP to another machine: the key is sent unencrypted. |
| | `TINKER_PROJECT_ID`, `TINKER_TAGS` | Project and tags of the session that `sample` or `train` opens. |
| | `TINKER_LOG` | `debug` or `info`: logs requests, retries and failures to stderr. |
| | `TINSMITH_CACHE` | Where `model fetch` stores models. |
| | `NO_COLOR`, `COLUMNS` | Turns colours off; the width of tables. |

**Output.** In a terminal, a table that is too wide is folded: its widest columns move to lines of their
own, so that ids and paths stay in one piece. In a pipe each row is one line. If requests fail for a while,
a message on stderr says so; after a minute the command gives up.

**JSON.** `--format table|json` may stand before the command, after its group, or after the command; the
last one counts. With `json`, stdout holds one document and nothing else. Dates are ISO 8601. Lists have
`cursor` (`offset`, `limit`, `total_count`) and `total`, null if the server does not say. Progress,
questions and messages go to stderr.

**Logging in.** `auth login` asks the server about the key and writes it to `~/.tinker/credentials.json`,
which only its owner can read. The official client uses the same file, so that one login serves both. The
stored key goes to every server that `--base-url` names. `auth status` says which key is used, and whether the
server takes it; `auth logout` removes it from the file, but not from the server.

**When nothing works,** `tinsmith doctor` goes the way to the server step by step: address, proxy, name,
connection, certificate, HTTP, clock, key, models, encoding, limits, a session. Each line is `ok`, `warn` or
`bad`, with what to do. It opens a session and ends it again.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed; with several checkpoints to delete: at least one was not deleted |
| 2 | wrong usage: an option, an argument or a path; nothing was sent |
| 3 | the server knows no such run, checkpoint or session |
| 4 | no key, a refused key, or no permission |
| 130 | Ctrl-C |
"""


def commands() -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    """Yield each command's words and the function behind it, in the order of the help."""
    for name in COMMANDS:
        yield from _below(branch(name), ("tinsmith",))


def _below(tree: typer.Typer, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    for command in tree.registered_commands:
        assert command.callback is not None
        yield (*path, command.name or command.callback.__name__), command.callback
    for group in tree.registered_groups:
        assert group.typer_instance is not None
        yield from _below(group.typer_instance, (*path, group.name or ""))


def declared(callback: Callable[..., Any]) -> Iterator[tuple[inspect.Parameter, ArgumentInfo | OptionInfo]]:
    """Yield the parameters that are arguments or options."""
    for parameter in inspect.signature(callback, eval_str=True).parameters.values():
        for mark in getattr(parameter.annotation, "__metadata__", ()):
            if isinstance(mark, ArgumentInfo | OptionInfo):
                yield parameter, mark


def section(path: tuple[str, ...], callback: Callable[..., Any], names: Sequence[str]) -> str:
    """Return the section of one command; `names` are those of all."""
    found = list(declared(callback))
    if path[-1] not in WITHOUT_RESULT:
        found += [(parameter, mark) for parameter, mark in declared(root) if parameter.name == "format"]
    arguments = [(parameter, mark) for parameter, mark in found if isinstance(mark, ArgumentInfo)]
    options = [(parameter, mark) for parameter, mark in found if isinstance(mark, OptionInfo)]
    usage = [
        " ".join(path),
        *(["[OPTIONS]"] if options else []),
        *(_shown(parameter, mark) for parameter, mark in arguments),
    ]
    lines = [
        f"## {' '.join(path)}",
        "",
        inspect.cleandoc(callback.__doc__ or ""),
        "",
        f"    {' '.join(usage)}",
        "",
    ]
    lines += ["| option | meaning |", "|---|---|"] if found else []
    lines += [
        f"| `{_shown(parameter, mark)}` | {_meaning(parameter, mark)} |" for parameter, mark in arguments
    ]
    lines += [f"| {_names(parameter, mark)} | {_meaning(parameter, mark)} |" for parameter, mark in options]
    example = examples(" ".join(path), names)
    return "\n".join(lines) + "\n" + (f"\n{example}" if example else "")


def _shown(parameter: inspect.Parameter, mark: ArgumentInfo) -> str:
    """Return an argument as the usage line has it: in brackets when it may be left out."""
    name = mark.metavar or parameter.name.upper()
    several = "..." if "list" in str(parameter.annotation) else ""
    return (name if parameter.default is inspect.Parameter.empty else f"[{name}]") + several


def _names(parameter: inspect.Parameter, mark: OptionInfo) -> str:
    value = mark.metavar or _choices(parameter.annotation)
    first = [mark.default] if isinstance(mark.default, str) else []  # where Annotated puts the first name
    names = [f"`{name}`" for name in (*first, *(mark.param_decls or ()))]
    return ", ".join(names) + (f" {value}" if value else "")


def _choices(annotation: Any) -> str:
    """Return the values of an enumeration, or the kind of a number."""
    inner = (annotation, *get_args(annotation), *(k for a in get_args(annotation) for k in get_args(a)))
    for kind in inner:
        if isinstance(kind, EnumType):
            return " or ".join(f"`{member.value}`" for member in list[Any](kind))
    return "NUMBER" if int in inner or float in inner else ""


def _meaning(parameter: inspect.Parameter, mark: ArgumentInfo | OptionInfo) -> str:
    """Return the help text, other options in it as code, and the default where the text does not say it."""
    said = re.sub(r"(?<![\w`-])--[a-z][a-z-]*", r"`\g<0>`", mark.help or "")
    if "default" in said or any(parameter.default is no for no in (None, False, "", inspect.Parameter.empty)):
        return said
    return f"{said.removesuffix('.')} (default: `{parameter.default}`)."


def render() -> str:
    """Return the page."""
    found = list(commands())
    names = [" ".join(path) for path, _ in found]
    return INTRODUCTION + "".join("\n" + section(path, callback, names) for path, callback in found)


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    page = render()
    if "--check" not in arguments:
        PAGE.write_text(page)
        return 0
    if PAGE.exists() and PAGE.read_text() == page:
        return 0
    sys.stderr.write(f"{PAGE.name} is not what the commands say; run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
