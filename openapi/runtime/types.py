"""What the operations share beside values: the segments of paths, and the names of errors that they raise."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .errors import InputError, InvalidBody, UnexpectedStatus, first_part


def path_segment(name: str, value: Any) -> str:
    """Return `value` as one segment of a path. `:` stays as it is: run ids hold it, and servers expect it so.

    Raises InputError for None, and for what could change the path: nothing, dots alone, a slash, a backslash,
    a control character.
    """
    if value is None:
        raise InputError("is missing", field=name)
    text = str(value)
    if text in ("", ".", "..") or any(c in "/\\" or not c.isprintable() for c in text):
        raise InputError(f"cannot stand in a path: {text!r}", field=name)
    return quote(text, safe=":")


__all__ = ["InvalidBody", "UnexpectedStatus", "first_part", "path_segment"]
