"""What mkdocstrings does not see of our docstrings: the fields of attrs values, and examples with prompts.

Reads the source alone, as Griffe does; it imports nothing of Tinsmith.
"""

from __future__ import annotations

import re
from typing import Any

from griffe import (
    Class,
    DocstringAttribute,
    DocstringSectionAttributes,
    Expr,
    ExprCall,
    ExprKeyword,
    Extension,
    Object,
)

EXAMPLE = re.compile(r"^>>> .*\n?(?:.+\n?)*", re.MULTILINE)


class Fields(Extension):
    """Turns the fields of a value into a section of its docstring, and examples into blocks."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Fence the examples, which stand in the text without a heading."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(
                lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", obj.docstring.value
            )

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Move the described fields of an attrs class into a table."""
        if not any("attrs." in str(mark.value) for mark in cls.decorators) or cls.docstring is None:
            return
        fields = [
            member
            for name, member in cls.members.items()
            if member.is_attribute and not name.startswith("_") and member.docstring is not None
        ]
        if not fields:
            return
        cls.docstring.value = re.sub(r"\n+\* `\w+`: .*", "", cls.docstring.value, flags=re.DOTALL)
        rows = [
            DocstringAttribute(
                name=field.name,
                annotation=field.annotation,
                description=" ".join(field.docstring.value.split()),
                value=default(field.value),
            )
            for field in fields
        ]
        cls.docstring.parsed.append(DocstringSectionAttributes(rows))
        for field in fields:
            del cls.members[field.name]


def default(value: str | Expr | None) -> str | None:
    """Return the default of a field: what is assigned, or what `attrs.field` is told."""
    if not isinstance(value, ExprCall):
        return None if value is None else str(value)
    told = {one.name: str(one.value) for one in value.arguments if isinstance(one, ExprKeyword)}
    return told.get("default") or (f"{told['factory']}()" if "factory" in told else None)
