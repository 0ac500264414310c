# Written by codegen.sh from openapi/runtime/paths.py. Do not edit.
"""Checks ids and `tinker://` paths before they are sent; only the server knows which checkpoints exist."""

from __future__ import annotations

import re

from .errors import InputError

SCHEME = "tinker://"
"""What the path of a checkpoint begins with."""

CONTROL = re.compile(r"[\x00-\x20\x7f]")
"""Characters that stand in no URL as they are."""


def check_segment(value: object, field: str) -> str:
    """Refuse an id or name that cannot stand in a URL path; return it."""
    if not isinstance(value, str) or not value:
        raise InputError("must be text, and not empty", field=field)
    if CONTROL.search(value) or any(c in value for c in "?#\\%"):
        raise InputError(f"{value!r} holds characters that cannot stand in a path", field=field)
    if any(part in ("", ".", "..") for part in value.split("/")):
        raise InputError(f"{value!r} holds an empty or relative part", field=field)
    return value


def check_tinker_path(path: object, field: str = "path") -> str:
    """Refuse what is no `tinker://` path; return it. Does not look at the number of segments."""
    if not isinstance(path, str) or not path.startswith(SCHEME):
        raise invalid_path(path, field)
    try:
        check_segment(path.removeprefix(SCHEME), field)
    except InputError as cause:
        raise invalid_path(path, field) from cause
    return path


def invalid_path(path: object, field: str = "path") -> InputError:
    """Build the error of what is no `tinker://` path."""
    return InputError(
        f"Invalid tinker path: {path!r}; expected tinker://<run>/weights/<name> or"
        " tinker://<run>/sampler_weights/<name>",
        field=field,
    )
