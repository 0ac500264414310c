"""Which libraries an optional part needs. Owns the lists; imports none of the libraries."""

from __future__ import annotations

from importlib.util import find_spec

from tinsmith.core.errors import MissingExtraError

LIBRARIES = {
    "local": (
        "gguf",
        "jsonschema_rs",
        "ml_dtypes",
        "PIL",
        "safetensors",
        "starlette",
        "threadpoolctl",
        "uvicorn",
    ),
}
"""Import names by extra, for the extras that are needed as a whole."""


def require_extra(what: str, extra: str) -> None:
    """Raise MissingExtraError unless every library of `extra` can be imported; `what` says who needs it."""
    if any(find_spec(library) is None for library in LIBRARIES[extra]):
        raise MissingExtraError(what, extra)
