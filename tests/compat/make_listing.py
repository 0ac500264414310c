"""Write what the official client offers: modules, their names, the calls and fields of public classes.

Usage, in an environment that has the official client: make_listing.py OUTPUT. The stand-in is tested against
the output, so that `make check` needs no official client.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.metadata
import inspect
import json
import sys
import types
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS = "tinker.lib.public_interfaces"
"""Classes of this package are listed with their methods."""
PRIVATE = ("__version__", "__title__", "_APIFuture")
"""Names with an underscore that programs take all the same."""
VALUES = "tinker.types"
"""Classes of this package are listed with their fields."""


def module_names(folder: Path) -> list[str]:
    """Return every module below a folder but its tests; folders without `__init__.py` are packages too."""
    found = {folder.name}
    for path in folder.rglob("*.py"):
        if not path.stem.endswith("_test"):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            found |= {".".join(parts[: n + 1]) for n in range(len(parts)) if parts[n] != "__init__"}
    return sorted(found - {f"{folder.name}.cli.__main__"})


def names_of(module: types.ModuleType) -> list[str]:
    """Return the public names that a module defines, or passes on by intent; type variables are left out."""
    if getattr(module, "__file__", None) is None:
        return []
    source = Path(inspect.getsourcefile(module) or "").read_text(encoding="utf-8")
    found = {*getattr(module, "__all__", ()), *_defined(ast.parse(source).body, hasattr(module, "__path__"))}
    return sorted(
        name
        for name in found - {"logger", "annotations"}
        if hasattr(module, name) and len(name) > 1 and (name in PRIVATE or not name.startswith("_"))
    )


def _defined(body: list[ast.stmt], is_package: bool) -> Iterator[str]:
    """Yield the names that statements define at the level of the module; a package passes imports on."""
    for node in body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name
            case ast.Assign():
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.ImportFrom():
                yield from (a.asname or a.name for a in node.names if is_package or a.asname == a.name)
            case ast.If() | ast.Try():
                yield from _defined([*node.body, *node.orelse], is_package)


def parameters_of(function: Any) -> list[str]:
    """Return the names of a function's parameters, without `self` and what takes any argument."""
    found = inspect.signature(function).parameters.values()
    open_ended = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [p.name for p in found if p.name != "self" and p.kind not in open_ended and p.name[0] != "_"]


def methods_of(value: type) -> dict[str, list[str]]:
    """Return the public methods of a class with their parameters, and its properties with none."""
    found = {}
    for name, member in inspect.getmembers(value):
        if name != "__init__" and name.startswith("_"):
            continue
        home = inspect.getattr_static(value, name)
        if isinstance(home, property) or callable(member):
            found[name] = [] if isinstance(home, property) else parameters_of(member)
    return found


def fields_of(value: type) -> list[str] | None:
    """Return the fields of a value and the methods of its own; None for what is no value."""
    fields = getattr(value, "__dataclass_fields__", None) or getattr(value, "model_fields", None)
    if fields is None:
        return None
    kinds = (staticmethod, classmethod, property, functools.cached_property, types.FunctionType)
    own = [name for name, member in vars(value).items() if isinstance(member, kinds)]
    return sorted(name for name in {*fields, *own} if not name.startswith("_"))


def main(output: Path) -> None:
    """Import every module and write the listing."""
    warnings.simplefilter("ignore")
    import tinker

    modules: dict[str, list[str]] = {}
    methods: dict[str, dict[str, list[str]]] = {}
    values: dict[str, list[str]] = {}
    for dotted in module_names(Path(tinker.__file__).parent):
        module = importlib.import_module(dotted)
        modules[dotted] = names_of(module)
        for name in modules[dotted]:
            value = getattr(module, name)
            if not inspect.isclass(value):
                continue
            if dotted == CALLS:
                methods[name] = methods_of(value)
            elif dotted == VALUES and (fields := fields_of(value)) is not None:
                values.setdefault(name, fields)
    listing = {
        "version": importlib.metadata.version("tinker"),
        "modules": dict(sorted(modules.items())),
        "methods": dict(sorted(methods.items())),
        "values": dict(sorted(values.items())),
    }
    output.write_text(json.dumps(listing, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
