"""The command line. Owns the entry point; what costs time at start is imported by what needs it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process with its exit code.

    0 done, 1 failure, 2 usage, 3 not found, 4 no or a refused key, 130 Ctrl-C.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words == ["version"]:  # asked by scripts and prompts: not worth building the tree of commands
        import tinsmith

        sys.stdout.write(f"tinsmith {tinsmith.__version__}\n")
        sys.exit(0)
    from tinsmith.cli.app import app

    try:
        app(args=words, prog_name="tinsmith")
    except Exception as error:  # noqa: BLE001 - the boundary: a person reads a sentence, not a traceback
        from tinsmith.cli.failure import report

        sys.exit(report(error))
    sys.exit(0)
