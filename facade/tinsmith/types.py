"""The public namespace of values: what users build and what they get back. Each is loaded on first use.

Owns no class itself; the names are those of `tinsmith.core.values`, and a few that live beside them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinsmith.core.addresses import ParsedCheckpointTinkerPath as ParsedCheckpointTinkerPath
    from tinsmith.core.errors import RequestErrorCategory as RequestErrorCategory
    from tinsmith.core.values import *  # noqa: F403

_BESIDE = {
    "ParsedCheckpointTinkerPath": "tinsmith.core.addresses",
    "RequestErrorCategory": "tinsmith.core.errors",
}


if not TYPE_CHECKING:  # a checker takes the names from above, and refuses all others

    def __getattr__(name: str) -> object:
        """Load a value when it is first asked for."""
        if name.startswith("__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            value = getattr(import_module(_BESIDE.get(name, "tinsmith.core.values")), name)
        except AttributeError:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
        if hasattr(value, "__attrs_attrs__"):
            import_module("tinsmith.core.field_texts").show_fields(value)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*dir(import_module("tinsmith.core.values")), *_BESIDE])
