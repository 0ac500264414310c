"""Lets the models of the official SDK read the whole-message examples of the contract. Run by `make interop`.

`python tests/interop/official_examples.py openapi.json`, in an environment with the official SDK. Prints how
many examples were read, and exits with 1 when a model refuses one.
"""

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

#: What the wire carries, where the public class of the same name holds less or arrays.
WIRE = "tinker.types._pydantic_types"


def models() -> dict[str, type[BaseModel]]:
    """Return the official models by their names."""
    homes = ["tinker.types", "tinker.types.shared", WIRE]
    found: dict[str, type[BaseModel]] = {}
    for home in homes:
        try:
            package = importlib.import_module(home)
        except ModuleNotFoundError:  # an older release
            continue
        for module in pkgutil.iter_modules(package.__path__):
            for name, value in vars(importlib.import_module(f"{home}.{module.name}")).items():
                if isinstance(value, type) and issubclass(value, BaseModel) and name != "BaseModel":
                    found[name.removesuffix("Internal")] = value
    return found


def refused(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each message whose example its official model refuses, with the reason; count the others."""
    official, read = models(), 0
    for name, schema in document["components"]["schemas"].items():
        if name in official and schema.get("type") == "object":
            for example in schema.get("examples", []):
                try:
                    official[name].model_validate(example)
                except ValueError as problem:
                    yield name, " ".join(str(problem).split())
                else:
                    read += 1
    print(f"{read} examples of the contract were read by the official models")


if __name__ == "__main__":
    problems = list(refused(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    for name, problem in problems:
        print(f"{name}: {problem}", file=sys.stderr)
    sys.exit(bool(problems))
