"""The command line. Owns the entry point; what costs time at start is imported by what needs it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["main"]

INTERRUPTED = 130
"""Exit code of Ctrl-C, as shells have it."""

HELP_FILE = os.path.join(os.path.dirname(__file__), "help.txt")
"""What each command prints as its help; docs/cli_help.py writes it."""

HELP_COLUMNS = 80
"""Width from which on the help looks the same."""

HELP_TITLE = "\f\n[tinsmith {}]\n"
"""What stands above the help of a command in the file."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code.

    0 done, 1 failure, 2 usage, 3 not found, 4 no or a refused key, 130 Ctrl-C.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        _open_streams()
        _run(words)
        code: int | str | None = 0
    except SystemExit as left:
        code = left.code
    except KeyboardInterrupt:  # before the command's own handling, while modules are being loaded
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the boundary: a person reads a sentence, not a traceback
        code = _report(error)
    if code == INTERRUPTED and arguments is None:
        _leave_silently()
    sys.exit(_flushed(code))


def _leave_silently() -> None:
    """Let a further Ctrl-C end the process at once: it would only interrupt how Python leaves, aloud."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _run(words: list[str]) -> None:
    if words in (["version"], ["--version"]):  # scripts and prompts ask it: it needs no tree of commands
        import tinsmith

        sys.stdout.write(f"tinsmith {tinsmith.__version__}\n")
        return
    if words and words[-1] in ("--help", "-h") and _print_help(words[:-1]):
        return
    from tinsmith.cli.app import app

    app(args=words, prog_name="tinsmith")


def _print_help(path: list[str]) -> bool:
    """Print the help of a command from the file of them, which saves building the command line; else False.

    The texts fit every terminal that has their width. In a narrower one, and for words that are no command,
    the command line answers itself.
    """
    from shutil import get_terminal_size

    if get_terminal_size().columns < HELP_COLUMNS:
        return False
    try:
        with open(HELP_FILE, encoding="utf-8") as file:
            _, found, text = file.read().partition(HELP_TITLE.format(" ".join(path)))
    except OSError:
        return False
    if found:
        sys.stdout.write(text.partition(HELP_TITLE[:2])[0])
    return bool(found)


def _open_streams() -> None:
    """Open the null device in place of streams that the caller closed, so that no file gets their numbers.

    OSError without a stdout: nobody would see the result.
    """
    streams = vars(sys)
    closed = [name for name in ("stdin", "stdout", "stderr") if streams[name] is None]
    for name in closed:
        streams[name] = open(os.devnull, "r" if name == "stdin" else "w")  # noqa: SIM115 - for the life of the process
    if "stdout" in closed:
        raise OSError("standard output is closed")


def _flushed(code: int | str | None) -> int | str | None:
    """Write out what is buffered; an error is reported here, and not by the interpreter."""
    try:
        sys.stdout.flush()
    except OSError as error:
        vars(sys)["stdout"] = None  # at exit it would be tried and complained about again
        gone = isinstance(error, BrokenPipeError)  # a reader that went away needs no message
        return code or (1 if gone else _report(error))
    return code


def _report(error: Exception) -> int:
    from tinsmith.cli.failure import report

    return report(error)
