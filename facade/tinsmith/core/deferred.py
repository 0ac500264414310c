"""Libraries that annotations name and that are loaded only when somebody reads the annotations.

`typing.get_type_hints` looks names up in the module, where numpy, httpx or torch must not be loaded for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Deferred:
    """Stands for a library in annotations; what is not installed is `Any`."""

    def __init__(self, library: str) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(import_module(self._library), name)
        except ImportError:
            return Any
