"""Reads the fields of a request body, each once, with the refusals of the OpenAI API.

Owns what a number, a flag or a text is. What a field means is its reader's business.
"""

from __future__ import annotations

import math
from typing import Any

from tinsmith.gateway.refusals import GatewayRefusal


class Fields:
    """A JSON object of which nothing may be left over: a field that nobody read is refused by its name."""

    def __init__(self, values: Any, where: str = "") -> None:
        if not isinstance(values, dict):
            raise GatewayRefusal(
                f"{where or 'the body'} must be a JSON object", param=where or None, code="invalid_type"
            )
        self._values = {name: value for name, value in values.items() if value is not None}
        self._where = where

    def name(self, field: str) -> str:
        """Return the name of a field as errors have it."""
        return f"{self._where}.{field}" if self._where else field

    def refuse(self, field: str, problem: str, code: str | None = None) -> GatewayRefusal:
        """Build the refusal of one field."""
        name = self.name(field)
        return GatewayRefusal(f"{name}: {problem}", param=name, code=code or "invalid_value")

    def take(self, field: str) -> Any:
        """Return the value of a field, None where it is absent or null."""
        return self._values.pop(field, None)

    def required(self, field: str) -> Any:
        """Return the value of a field that must be there."""
        value = self.take(field)
        if value is None:
            raise self.refuse(field, "is required", "missing_required_parameter")
        return value

    def text(self, field: str) -> str | None:
        """Return a text."""
        value = self.take(field)
        if value is not None and not isinstance(value, str):
            raise self.refuse(field, "must be a text", "invalid_type")
        return value

    def flag(self, field: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self.take(field)
        if value is not None and not isinstance(value, bool):
            raise self.refuse(field, "must be true or false", "invalid_type")
        return default if value is None else value

    def whole(self, field: str, least: int, most: int) -> int | None:
        """Return a whole number between two bounds."""
        value = self.take(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.refuse(field, "must be a whole number", "invalid_type")
        return int(self._bounded(field, value, least, most))

    def number(self, field: str, least: float, most: float, default: float) -> float:
        """Return a number between two bounds."""
        value = self.take(field)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.refuse(field, "must be a number", "invalid_type")
        return self._bounded(field, value, least, most)

    def _bounded(self, field: str, value: float, least: float, most: float) -> float:
        if not (math.isfinite(value) and least <= value <= most):
            raise self.refuse(field, f"must be from {least} to {most}, not {value}")
        return value

    def objects(self, field: str) -> list[dict[str, Any]] | None:
        """Return a list of objects."""
        value = self.take(field)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.refuse(field, "must be a list of objects", "invalid_type")
        return value

    def nested(self, field: str) -> Fields:
        """Return the fields of an object, none where it is absent."""
        return Fields(self.take(field) or {}, self.name(field))

    def only(self, field: str, *harmless: Any) -> None:
        """Refuse a parameter that is not supported, unless its value asks for what happens anyway."""
        value = self.take(field)
        if value is not None and not any(value == one and type(value) is type(one) for one in harmless):
            raise self.refuse(field, "is not supported by this server", "unsupported_parameter")

    def ignore(self, *fields: str) -> None:
        """Drop parameters that do not change the answer."""
        for field in fields:
            self.take(field)

    def rest(self) -> dict[str, Any]:
        """Return the fields that nobody read, and take them as read."""
        values, self._values = self._values, {}
        return values

    def finish(self) -> None:
        """Refuse what nobody read."""
        for field in self._values:
            raise self.refuse(field[:200], "is no parameter of this server", "unknown_parameter")
