"""Both type checkers at their strictest, over the program of a user and over the package itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.typing.pyright import errors

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WRONG = """
from tinsmith_api import AuthenticatedClient, Client, models, wait
from tinsmith_api.api.training import optim_step
from tinsmith_api.api.training_runs import list_training_runs

def main(client: AuthenticatedClient, anybody: Client, promise: models.UntypedAPIFuture) -> None:
    list_training_runs.sync(client=anybody)
    list_training_runs.sync(client=client, limit="5")
    optim_step.sync(client=client, body={"model_id": "m"})
    client.token = "other"
    wait(client, promise, models.OptimStepResponse)
    number: int = wait(client, promise, models.OptimStepResponse, timeout_s=1)
    list_training_runs.sync_detailed(client=client).parsed.training_runs
"""
FIRST, LAST = 7, 13
"""The lines of the wrong calls."""


def pyright(folder: Path, *files: Path) -> list[dict[str, Any]]:
    """Return the complaints of pyright's strict mode."""
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT / "generated")],
        "include": [str(file) for file in files],
        # What these packages leave untyped is no fault of the program.
        "reportMissingTypeStubs": False,
    }
    return errors(folder, settings)


def mypy(file: Path) -> list[str]:
    """Return the complaints of mypy --strict."""
    command: list[str | Path] = [
        *(sys.executable, "-m", "mypy", "--strict", "--output", "json"),
        *("--cache-dir", ROOT / ".mypy_cache/calls", "--config-file", ROOT / "pyproject.toml", file),
    ]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [line for line in answer.stdout.splitlines() if line.startswith("{") and '"error"' in line]


def test_program_passes(tmp_path: Path) -> None:
    """A user's program has a type for all that it touches, and uses nothing private."""
    file = tmp_path / "program.py"
    file.write_text((HERE / "program.py").read_text())
    assert mypy(file) == []
    assert pyright(tmp_path, file) == []


def test_wrong_calls_are_found(tmp_path: Path) -> None:
    """Each wrong call is refused on its line by both, and nothing else is."""
    file = tmp_path / "wrong.py"
    file.write_text(WRONG)
    lines = set(range(FIRST, LAST + 1))
    assert {json.loads(line)["line"] for line in mypy(file)} == lines
    assert {each["range"]["start"]["line"] + 1 for each in pyright(tmp_path, file)} >= lines


def test_package_uses_nothing_private(tmp_path: Path) -> None:
    """Pyright's strict mode finds nothing in what a user calls, and in the rest only parts of unknown type.

    The compiled messages are their compiler's. What converts values of any type goes through lists and
    mappings whose entries may be anything.
    """
    package = ROOT / "generated" / "tinsmith_api"
    found = {"called": set[str](), "rest": set[str]()}
    for each in pyright(tmp_path, package):
        part = Path(each["file"]).relative_to(package).parts[0]
        told = f"{each['file']}:{each['range']['start']['line'] + 1} {each['message']}"
        if part in ("api", "models", "resources", "client.py", "endpoint.py", "exchange.py", "promises.py"):
            found["called"].add(told)
        elif part != "wire" and not each.get("rule", "").startswith("reportUnknown"):
            found["rest"].add(told)
    assert found == {"called": set(), "rest": set()}
