"""Runs the generator of every generated page; a page is what its source says, or the check fails.

Usage: generate.py [--check]. With --check nothing is written; every stale page is named, the exit code is 1.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

GENERATORS = (
    "tools/contract/contract_coverage.py",
    "tools/contract/contract_reference.py",
    "docs/cli_help.py",
    "docs/cli_reference.py",
    "docs/server_table.py",
    "docs/reference_pages.py",
    "docs/python_reference.py",
    "docs/overview.py",
    "docs/pictures.py",
    "docs/page_list.py",
    "tools/contract/upstream_differences.py",
    "tools/house/draw.py",
)
"""Scripts that write one page or picture each, and with --check compare it instead."""


def main(arguments: list[str]) -> int:
    """Run all of them, also behind one that failed, and return the worst exit code."""
    check = ["--check"] if "--check" in arguments else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # the programs of tools/house import each other
    codes = []
    for script in GENERATORS:
        command = [sys.executable, ROOT / script, *check]
        codes.append(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)  # noqa: S603
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
