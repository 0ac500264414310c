"""Let `import tinker` mean this package: a stand-in for the official SDK's modules.

It owns the hook that finds them; `compat.modules` says which there are and where each name lives. There is no
client and no value of its own: `tinker.Datum is tinsmith.Datum`.

    python -m tinsmith.compat train.py --epochs 3      # run a program as it is
    import tinsmith.compat; tinsmith.compat.install()  # or from code, before the first `import tinker`
"""

from __future__ import annotations

import importlib
import re
import sys
from functools import cache
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, DistributionFinder, PathDistribution
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.compat.modules import (
    MODULES,
    OFFICIAL_VERSION,
    PACKAGES,
    REFUSED,
    TOP_NAMES,
    TYPE_MODULES,
    TYPE_NAMES,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import CodeType, ModuleType

__all__ = ["SHADOW", "install", "installed"]

SHADOW: Path = Path(__file__).parent / "shadow"
"""A folder for `sys.path` or PYTHONPATH that holds a `tinker` which installs this stand-in.

Processes that a program starts by itself need it: they begin without what `install` did in their parent."""


def install() -> None:
    """Make `import tinker`, and the modules below it that programs use, mean this package.

    Calling it again is harmless. Raises `TinkerError` when another `tinker` is loaded already: whoever
    imported it keeps its classes, and two kinds of `Datum` in one process fail much later and less clearly.
    """
    foreign = sorted(name for name in sys.modules if _is_tinker(name) and not _is_ours(sys.modules[name]))
    if foreign:
        from tinsmith.core.errors import TinkerError

        place = getattr(sys.modules[foreign[0]], "__file__", None) or "an unknown place"
        raise TinkerError(
            f"another {foreign[0]!r} is already imported, from {place}; call tinsmith.compat.install() "
            "before the first import of it, or run the program with python -m tinsmith.compat"
        )
    if not installed():
        sys.meta_path.insert(0, _FINDER)


def installed() -> bool:
    """Tell whether `import tinker` means this package in this process."""
    return _FINDER in sys.meta_path


class _Finder(DistributionFinder):
    """Finds `tinker` and everything below it, or says why the stand-in does not have it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_tinker(fullname):
            return None
        if not _exists(fullname):
            reasons = [reason for name, reason in REFUSED.items() if f"{fullname}.".startswith(f"{name}.")]
            why = reasons[0] if reasons else "it has no such module (docs/migration.md says what differs)"
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: tinsmith.compat stands in for the official SDK here; {why}",
                name=fullname,
            )
        spec = ModuleSpec(fullname, _LOADER, origin=str(_FILE), is_package=fullname in PACKAGES)
        spec.has_location = True
        return spec

    def find_distributions(
        self,
        context: DistributionFinder.Context = DistributionFinder.Context(),  # noqa: B008 - as the base has it
    ) -> Iterable[Distribution]:
        """Answer for the official SDK alone."""
        return [_INSTALLED] if context.name is not None and context.name.lower() == "tinker" else []


class _Loader(Loader):
    """Fills a module with lazy names of this package."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        names = _names(name)

        def look_up(attribute: str) -> object:
            if attribute.startswith("__") and attribute not in names:
                raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
            return _attribute(name, attribute)

        module.__doc__ = f"Stand-in for {name}: the names are those of tinsmith."
        module.__dict__["__all__"] = [each for each in names if not each.startswith("_") or name == "tinker"]
        module.__dict__["__dir__"] = lambda: sorted(names)
        module.__dict__["__getattr__"] = look_up

    def get_code(self, fullname: str) -> CodeType | None:
        """Return what `python -m` runs: the command line."""
        if fullname != "tinker.cli.__main__":
            return None
        return compile("from tinsmith.cli import main\nmain()\n", str(_FILE), "exec")


_FILE = SHADOW / "tinker.py"
_INSTALLED = PathDistribution(SHADOW / f"tinker-{OFFICIAL_VERSION}.dist-info")
"""What `importlib.metadata` says of the official SDK, also where the folder is on the path."""
_FINDER = _Finder()
_LOADER = _Loader()


def _is_tinker(name: str) -> bool:
    return name == "tinker" or name.startswith("tinker.")


def _is_ours(module: ModuleType) -> bool:
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    return spec is not None and (spec.loader is _LOADER or spec.origin == str(_FILE))


def _exists(name: str) -> bool:
    if name in PACKAGES or name in MODULES:
        return True
    inside = name.removeprefix("tinker.types.")
    of_values = inside.removeprefix("_pydantic_types.") in _modules_of_values()
    return inside != name and (of_values or inside in TYPE_MODULES)


@cache
def _modules_of_values() -> frozenset[str]:
    """Return the modules of `tinker.types` that are named after a value: one a value in older releases."""
    return frozenset(_snake(value) for value in _names("tinker.types"))


@cache
def _names(module: str) -> Mapping[str, str]:
    """Return what a module offers: name -> `module:attribute` of this package."""
    if module == "tinker":
        ours = list(importlib.import_module("tinsmith").__all__)
        return {**dict.fromkeys(ours, "tinsmith"), **_read(TOP_NAMES), "types": "tinker:types"}
    if module in MODULES and not module.startswith("tinker.types"):
        return _read(MODULES[module])
    values = [name for name in dir(importlib.import_module("tinsmith.types")) if not name.startswith("_")]
    return {**dict.fromkeys(values, "tinsmith.types"), **_read(TYPE_NAMES)}


def _read(table: str) -> dict[str, str]:
    """Read one line of the table: names, each alone or with the module where it lives."""
    ours = importlib.import_module("tinsmith").__all__
    pairs = (entry.partition("=") for entry in table.split())
    return {
        name: where or ("tinsmith" if name in ours else "tinsmith.compat.low_level")
        for name, _, where in pairs
    }


def _attribute(module: str, name: str) -> object:
    """Return `name` of a stand-in module: a module below it, or what the table says."""
    if module in PACKAGES and _exists(f"{module}.{name}"):
        return importlib.import_module(f"{module}.{name}")
    where = _names(module).get(name)
    if where is None:
        raise AttributeError(f"module {module!r} has no attribute {name!r} in tinsmith.compat")
    home, _, attribute = where.partition(":")
    return getattr(importlib.import_module(home), attribute or name)


def _snake(name: str) -> str:
    """`UntypedAPIFuture` -> `untyped_api_future`: the module that holds a class in the official SDK."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
