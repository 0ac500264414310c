# Written by codegen.sh from openapi/runtime/limits.py. Do not edit.
"""Limits of the fields of requests, as the contract sets them. Owns how a value outside is refused."""

from __future__ import annotations

import re
from typing import Any

import attrs

from .errors import InputError


@attrs.frozen(kw_only=True)
class Limits:
    """The range of a number, or the length of a list: a validator of a field. None always passes."""

    minimum: float | None = None
    """The least number."""
    above: float | None = None
    """What a number is greater than."""
    maximum: float | None = None
    """The greatest number."""
    below: float | None = None
    """What a number is less than."""
    min_items: int | None = None
    """The least length."""
    max_items: int | None = None
    """The greatest length."""

    def __call__(self, made: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        """Refuse a value outside; the error names the field."""
        if value is None:
            return
        if isinstance(value, list):
            if self._holds(len(value), self.min_items, None, self.max_items, None):
                return
            problem = f"must have {self._length()} entries, not {len(value)}"
        elif not self._holds(value, self.minimum, self.above, self.maximum, self.below):
            problem = f"must be {self._range()}, not {value!r}"
        else:
            return
        raise InputError(problem, field=attribute.name, model=type(made).__name__)

    @staticmethod
    def _holds(
        value: float, minimum: float | None, above: float | None, maximum: float | None, below: float | None
    ) -> bool:
        return (
            (minimum is None or value >= minimum)
            and (above is None or value > above)
            and (maximum is None or value <= maximum)
            and (below is None or value < below)
        )

    def _range(self) -> str:
        least = self.minimum if self.above is None else self.above
        most = self.maximum if self.below is None else self.below
        if most is None:
            return f">{'=' if self.above is None else ''} {least}"
        if least is None:
            return f"<{'=' if self.below is None else ''} {most}"
        return f"in {'[' if self.above is None else '('}{least}, {most}{']' if self.below is None else ')'}"

    def _length(self) -> str:
        if self.max_items is None:
            return f"{self.min_items} or more"
        return f"{self.min_items or 0} to {self.max_items}"


def refuse(value: object, **fields: object) -> None:
    """Refuse a value all of whose fields named here have the values given for them."""
    if all(getattr(value, name) == part for name, part in fields.items()):
        *others, last = fields
        names = f"{', '.join(others)} and {last}"
        wanted = (
            "true" if not any(fields.values()) else f"other than {' and '.join(map(repr, fields.values()))}"
        )
        field = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", type(value).__name__).lower()
        raise InputError(f"at least one of {names} must be {wanted}", field=field)
