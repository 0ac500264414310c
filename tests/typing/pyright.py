"""Runs basedpyright over a folder that holds its settings."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def errors(folder: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what it calls an error; files that it does not find are an error of the test."""
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "basedpyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "-p",
        folder,
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.stdout.strip().startswith("{"), answer.stdout + answer.stderr
    told: dict[str, Any] = json.loads(answer.stdout)
    assert told["summary"]["filesAnalyzed"] > 0, "nothing was looked at"
    said: list[dict[str, Any]] = told["generalDiagnostics"]
    return [each for each in said if each["severity"] == "error"]
