"""Run a program written for the official SDK on this package: `python -m tinsmith.compat script.py args...`.

It owns the command line of the stand-in alone; the stand-in itself is the package.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from tinsmith import compat
from tinsmith.core.errors import TinkerError

USAGE = """usage: python -m tinsmith.compat SCRIPT [ARGS...]
       python -m tinsmith.compat -m MODULE [ARGS...]
       python -m tinsmith.compat --path

Run a program with `import tinker` meaning tinsmith. `--path` prints a folder that does the same when it
stands on PYTHONPATH.
"""


def main(arguments: list[str]) -> None:
    """Install the stand-in, then run what `arguments` name as if Python itself had been called with them."""
    match arguments:
        case ["-h" | "--help"]:
            sys.stdout.write(USAGE)
        case ["--path"]:
            sys.stdout.write(f"{compat.SHADOW}\n")
        case ["-m", module, *rest]:
            _install(Path.cwd())
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [script, *rest] if not script.startswith("-"):
            if not Path(script).exists():
                _refuse(f"can't open file {script!r}: no such file")
            _install(Path(script).resolve().parent)
            sys.argv = [script, *rest]
            runpy.run_path(script, run_name="__main__")
        case _:
            _refuse(USAGE.rstrip())


def _install(first: Path) -> None:
    """Put the program's folder where Python would, and the shadow behind it for processes that it starts."""
    try:
        compat.install()
    except TinkerError as error:
        _refuse(str(error))
    sys.path[0:1] = [str(first), str(compat.SHADOW)]


def _refuse(reason: str) -> None:
    sys.stderr.write(f"tinsmith.compat: {reason}\n")
    raise SystemExit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
