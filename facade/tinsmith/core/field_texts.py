"""The texts under the fields of a class, as `help()` shows them: those of generated values are in theirs.

Owns how they are found. They are read from the source when somebody asks, so that no text stands twice.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

import attrs

WIDTH = 98
"""Columns of a text in `help()`, as the generated values have it."""


def show_fields(cls: Any) -> None:
    """Have `help()` of a class by hand list its fields; the texts of generated classes do so already."""
    about = vars(cls).get("__doc__")
    if cls.__module__.startswith("tinsmith.") and isinstance(about, str):
        cls.__doc__ = _WithFields(about)


class _WithFields:
    """The `__doc__` of a class: its own text, and below it one entry a field."""

    def __init__(self, about: str) -> None:
        self._about = about

    def __get__(self, value: object, cls: type) -> str:
        entries = [
            textwrap.fill(f"* `{name}`: {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
            for name, text in field_texts(cls).items()
        ]
        return "\n".join([inspect.cleandoc(self._about), "", *entries]).rstrip()


def field_texts(cls: Any) -> dict[str, str]:
    """Return the text under each public field of a class; none where the source is not there."""
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):
        return {}
    names = {field.name: field.alias for field in attrs.fields(cls) if not field.name.startswith("_")}
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ) if name in names:
                found[names[name]] = " ".join(text.split())
    return found
