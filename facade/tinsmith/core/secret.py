"""Secret: a string that does not show itself. Owns redaction; knows nothing of what the secret is for."""

from __future__ import annotations

import hmac
from typing import Any, NoReturn


class Secret:
    """A value whose repr, str and format are `***`, and which refuses to pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None:
        """Wrap a string; let a Secret or None through."""
        return cls(value) if isinstance(value, str) else value

    def reveal(self) -> str:
        """Return the value, for the one header that carries it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret does not pickle; set TINKER_API_KEY where it is needed")
