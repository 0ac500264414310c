"""Libraries that may be missing: what each extra needs, and annotations that do not load them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from tinsmith.core.errors import MissingExtraError

_LOCAL = ("gguf", "jsonschema_rs", "ml_dtypes", "PIL", "safetensors", "starlette", "threadpoolctl", "uvicorn")

LIBRARIES = {"gateway": ("starlette", "uvicorn"), "local": _LOCAL}
"""Import names by extra, for the extras that are needed as a whole."""


def require_extra(what: str, extra: str) -> None:
    """Raise MissingExtraError unless every library of `extra` can be imported; `what` says who needs it."""
    if any(find_spec(library) is None for library in LIBRARIES[extra]):
        raise MissingExtraError(what, extra)


class Deferred:
    """A library as annotations name it: loaded when a name is looked up; `Any` if it is not installed."""

    def __init__(self, library: str) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(import_module(self._library), name)
        except ImportError:
            return Any
