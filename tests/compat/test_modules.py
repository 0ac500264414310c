"""The stand-in beside the listing of the official SDK: what is not here is in the list of differences."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from tinsmith.compat.modules import OFFICIAL_VERSION
from upstream_differences import SECTIONS

LISTING: dict[str, Any] = json.loads(Path(__file__).with_name("official.json").read_text(encoding="utf-8"))

PROBE = """
import importlib, inspect, json, sys
import attrs
import tinsmith.compat
tinsmith.compat.install()
import tinker
listing, missing = json.load(sys.stdin), []
for dotted, names in listing["modules"].items():
    try:
        module = importlib.import_module(dotted)
    except ModuleNotFoundError:
        missing.append(dotted)
        continue
    missing += [f"{dotted}:{name}" for name in names if not hasattr(module, name)]
interfaces = importlib.import_module("tinker.lib.public_interfaces")
for owner, methods in listing["methods"].items():
    found = getattr(interfaces, owner, None)
    if found is None:
        missing.append(owner)
        continue
    for method, parameters in methods.items():
        ours = getattr(found, method, None)
        if ours is None:
            missing.append(f"{owner}.{method}")
        elif parameters:
            known = inspect.signature(ours).parameters
            missing += [f"{owner}.{method}({name})" for name in parameters if name not in known]
for owner, fields in listing["values"].items():
    found = getattr(tinker.types, owner, None)
    if inspect.isclass(found) and attrs.has(found):
        known = {field.name.rstrip("_") for field in attrs.fields(found)}
        missing += [f"{owner}.{name}" for name in fields if name not in known and not hasattr(found, name)]
    elif found is not None:
        missing += [f"{owner}.{name}" for name in fields]
json.dump(missing, sys.stdout)
"""


@pytest.fixture(scope="module")
def missing() -> list[str]:
    """Return what the official SDK has and the stand-in has not."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE], input=json.dumps(LISTING), capture_output=True, text=True, check=True
    )
    found: list[str] = json.loads(done.stdout)
    return found


def patterns() -> list[str]:
    """Return what the list of differences covers."""
    return [each for _, rows in SECTIONS for row in rows for each in row.covers.split()]


def test_listing_is_of_the_release_that_is_stood_for() -> None:
    """`tinker.__version__` is the version that the listing was made from."""
    assert LISTING["version"] == OFFICIAL_VERSION


def test_nothing_is_missing_but_what_the_list_says(missing: list[str]) -> None:
    """Every module, name, method, argument and field is here, or a row of docs/migration.md tells of it."""
    assert [name for name in missing if not any(fnmatchcase(name, each) for each in patterns())] == []


def test_the_list_says_nothing_that_is_not_so(missing: list[str]) -> None:
    """A row whose difference is gone is taken out."""
    assert [each for each in patterns() if not any(fnmatchcase(name, each) for name in missing)] == []
