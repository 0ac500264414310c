"""Let `import tinker` mean this package: a stand-in for the official SDK's modules.

It owns which module names exist and where each name comes from. It must define no client and no value of its
own: `tinker.Datum is tinsmith.Datum`.

    python -m tinsmith.compat train.py --epochs 3      # run a program as it is
    import tinsmith.compat; tinsmith.compat.install()  # or from code, before the first `import tinker`
"""

from __future__ import annotations

import importlib
import re
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

__all__ = ["SHADOW", "install", "installed"]

SHADOW: Path = Path(__file__).parent / "shadow"
"""A folder for `sys.path` or PYTHONPATH that holds a `tinker` which installs this stand-in.

Processes that a program starts by itself need it: they begin without what `install` did in their parent."""

_CLIENTS = {
    "api_future": "APIFuture AwaitableConcurrentFuture",
    "rest_client": "RestClient",
    "sampling_client": "SamplingClient",
    "service_client": "ServiceClient",
    "training_client": "TrainingClient",
}

_MODULES: dict[str, str] = {
    "tinker.lib": "public_interfaces retry_handler",
    "tinker.lib.public_interfaces": " ".join(_CLIENTS.values()),
    "tinker.lib.retry_handler": "RetryConfig",
    **{f"tinker.lib.public_interfaces.{name}": names for name, names in _CLIENTS.items()},
}
"""Modules beside `tinker` and `tinker.types`, and what each offers."""

_PACKAGES = {"tinker", "tinker.lib", "tinker.lib.public_interfaces", "tinker.types"}


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


class _Finder(MetaPathFinder):
    """Finds `tinker` and everything below it, or says that the stand-in does not have it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_tinker(fullname):
            return None
        if not _exists(fullname):
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: tinsmith.compat stands in for the official SDK here, and has "
                "its public modules only (docs/migration.md lists them)",
                name=fullname,
            )
        return ModuleSpec(fullname, _LOADER, is_package=fullname in _PACKAGES)


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
        module.__dict__["__all__"] = names
        module.__dict__["__dir__"] = lambda: sorted(names)
        module.__dict__["__getattr__"] = look_up


_FINDER = _Finder()
_LOADER = _Loader()


def _is_tinker(name: str) -> bool:
    return name == "tinker" or name.startswith("tinker.")


def _is_ours(module: ModuleType) -> bool:
    spec: ModuleSpec | None = getattr(module, "__spec__", None)
    return spec is not None and (spec.loader is _LOADER or spec.origin == str(SHADOW / "tinker.py"))


def _exists(name: str) -> bool:
    if name in _PACKAGES or name in _MODULES:
        return True
    parent, _, last = name.rpartition(".")
    return parent == "tinker.types" and last in {_snake(value) for value in _names("tinker.types")}


def _names(module: str) -> list[str]:
    """Return what a module offers."""
    if module in _MODULES:
        return _MODULES[module].split()
    if module == "tinker":
        return list(importlib.import_module("tinsmith").__all__)
    return [name for name in dir(importlib.import_module("tinsmith.types")) if not name.startswith("_")]


def _attribute(module: str, name: str) -> object:
    """Return `name` of a stand-in module; every module below `tinker.types` knows all values."""
    if f"{module}.{name}" in _PACKAGES or f"{module}.{name}" in _MODULES:
        return importlib.import_module(f"{module}.{name}")
    if name not in _names(module):
        raise AttributeError(f"module {module!r} has no attribute {name!r} in tinsmith.compat")
    if name == "AwaitableConcurrentFuture":
        name = "APIFuture"
    home = "tinsmith.types" if module.startswith("tinker.types") else "tinsmith"
    return getattr(importlib.import_module(home), name)


def _snake(name: str) -> str:
    """`UntypedAPIFuture` -> `untyped_api_future`: the module that holds a class in the official SDK."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
