"""Runs the generator of every generated page; a page is what its source says, or the check fails.

Usage: generate.py [--check]. With --check nothing is written; every stale page is named, the exit code is 1.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

GENERATORS = (
    "tools/contract/contract_coverage.py",
    "tools/contract/contract_reference.py",
    "tools/contract/contract_reference.py",
    "docs/cli_reference.py",
    "docs/server_table.py",
    "tools/contract/upstream_differences.py",
)
"""Scripts that write one page each, and with --check compare it instead."""


def main(arguments: list[str]) -> int:
    """Run all of them, also behind one that failed, and return the worst exit code."""
    check = ["--check"] if "--check" in arguments else []
    codes = [
        subprocess.run([sys.executable, ROOT / script, *check], cwd=ROOT, check=False).returncode  # noqa: S603
        for script in GENERATORS
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
