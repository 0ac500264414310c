"""What is written in the contract reaches the user, with no edit by hand: a copy of the tree shows it."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from contract_document import load

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).parent / "new_program.py"


def text(words: str, example: str, **more: Any) -> dict[str, Any]:
    """Return the schema of a text."""
    return {"type": "string", "description": words, "examples": [example], **more}


def number(words: str, example: float, **more: Any) -> dict[str, Any]:
    """Return the schema of a number."""
    kind = "integer" if isinstance(example, int) else "number"
    return {"type": kind, "description": words, "examples": [example], **more}


def answer(words: str, **fields: Any) -> dict[str, Any]:
    """Return the schema of an answer, all of whose fields are certain."""
    made = {"type": "object", "description": words, "required": [*fields], "properties": fields}
    return {**made, "additionalProperties": True}


def like(operation: dict[str, Any], words: dict[str, str], **changed: Any) -> dict[str, Any]:
    """Return an operation that is as another one, but for its name, words and models."""
    dropped = {"x-tinker-method", "x-tinker-page", "x-tinker-official", "x-tinker-since"}
    made = {name: value for name, value in copy.deepcopy(operation).items() if name not in dropped}
    written = json.dumps({**made, **changed})
    for old, new in words.items():
        written = written.replace(f'"{old}"', f'"{new}"').replace(f'/{old}"', f'/{new}"')
    return json.loads(written)  # type: ignore[no-any-return]


def add_to(document: dict[str, Any]) -> None:
    """Add a field of an answer, one of a request with a bound, a GET, a list by pages, a promise."""
    schemas, paths = document["components"]["schemas"], document["paths"]
    run, runs = paths["/api/v1/training_runs/{training_run_id}"]["get"], paths["/api/v1/training_runs"]["get"]
    save = paths["/api/v1/save_weights"]["post"]
    schemas["TrainingRun"]["properties"]["display_color"] = text(
        "The colour in which dashboards draw it.", "#ff8800"
    )
    schemas["SaveWeightsRequest"]["properties"]["pin_days"] = number(
        "How long retention rules spare it. Absent means not at all.", 7, minimum=1, maximum=30
    )
    schemas["TrainingRunCost"] = answer("What a run cost.", usd=number("US dollars up to now.", 12.5))
    paths["/api/v1/training_runs/{training_run_id}/cost"] = {
        "get": like(
            run,
            {"get_training_run": "get_training_run_cost", "TrainingRun": "TrainingRunCost"},
            summary="Say what a training run cost",
            description="Up to now, in US dollars.",
        )
    }
    schemas["Project"] = answer("A project.", project_id=text("Its id.", "p"))
    schemas["ProjectsResponse"] = answer(
        "One page of projects.",
        projects={
            "type": "array",
            "items": {"$ref": "#/components/schemas/Project"},
            "description": "The projects.",
        },
        cursor={"$ref": "#/components/schemas/Cursor", "description": "Which part of the list this page is."},
    )
    document["tags"].append({"name": "projects", "description": "What sessions are grouped by."})
    listed = like(
        runs,
        {"list_training_runs": "list_projects", "TrainingRunsResponse": "ProjectsResponse"},
        summary="List projects",
        description="One page at a time.",
        tags=["projects"],
    )
    paths["/api/v1/projects"] = {"get": {**listed, "x-tinker-page": {"items": "projects", "size": 2}}}
    schemas["MergeWeightsRequest"] = {
        "type": "object",
        "description": "Merge checkpoints into a model.",
        "required": ["model_id", "paths"],
        "properties": {
            "model_id": schemas["SaveWeightsRequest"]["properties"]["model_id"],
            "paths": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/TinkerPath"},
                "maxItems": 16,
                "description": "The checkpoints to merge.",
                "examples": [["tinker://r/weights/a"]],
            },
            "seq_id": schemas["SaveWeightsRequest"]["properties"]["seq_id"],
            "type": text(
                "The kind of this request.", "merge_weights", const="merge_weights", default="merge_weights"
            ),
        },
        "additionalProperties": False,
    }
    schemas["MergeWeightsResponse"] = answer(
        "The weights are merged.", merged=number("How many checkpoints took part.", 2)
    )
    paths["/api/v1/merge_weights"] = {
        "post": like(
            save,
            {
                "save_weights": "merge_weights",
                "SaveWeightsRequest": "MergeWeightsRequest",
                "SaveWeightsResponse": "MergeWeightsResponse",
                "SaveWeights": "MergeWeights",
            },
            summary="Merge checkpoints",
            description="Into the model, with equal weights.",
        )
    }


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tree whose contract has more, regenerated; nothing else of it is touched."""
    where = tmp_path_factory.mktemp("copy")
    for name in ("openapi", "tools", "generated", "facade", "embedded", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(ROOT / name, where / name, ignore=ignored)
    for name in ("codegen.sh", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, where)
    (where / ".venv-codegen").symlink_to(ROOT / ".venv-codegen")
    document = load(where / "openapi" / "tinker.yaml")
    add_to(document)
    (where / "openapi" / "tinker.yaml").write_text(
        yaml.dump(document, sort_keys=False, allow_unicode=True, Dumper=yaml.CSafeDumper)
    )
    done = subprocess.run(["./codegen.sh"], cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return where


def test_a_user_has_it_without_an_edit(copied: Path) -> None:
    """Documented, sync and async, through the one retry loop; the promise takes its number in line."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-I", "-c", RUN, str(copied), str(PROGRAM)],
        cwd=copied,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "all of it\n"), ran.stdout + ran.stderr


RUN = """
import runpy, sys
copy, program = sys.argv[1:]
sys.path[:0] = [f"{copy}/facade", f"{copy}/embedded", f"{copy}/generated"]
import tinsmith, tinsmith_api
assert tinsmith.__file__.startswith(copy) and tinsmith_api.__file__.startswith(copy)
runpy.run_path(program, run_name="__main__")
"""


def test_mypy_and_pyright_take_its_types(copied: Path) -> None:
    """Both strict: each of the new members has its type."""
    shutil.copy(PROGRAM, copied / "program.py")
    checkers = {
        "mypy": ["mypy", "--strict", "--follow-imports", "silent", "--config-file", "mypy.ini", "program.py"],
        "pyright": ["basedpyright", "--pythonpath", sys.executable, "-p", "."],
    }
    settings = {"extraPaths": ["facade", "generated"], "include": ["program.py"], "pythonVersion": "3.11"}
    (copied / "mypy.ini").write_text("[mypy]\n")
    (copied / "pyrightconfig.json").write_text(json.dumps({**settings, "typeCheckingMode": "strict"}))
    for name, command in checkers.items():
        found = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=copied,
            env={**os.environ, "MYPYPATH": "facade:generated"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, f"{name}: {found.stdout}{found.stderr}"
