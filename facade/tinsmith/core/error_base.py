"""The root of the error tree and the facts that every error carries. Builds no error itself."""

from __future__ import annotations

from copy import copy
from enum import StrEnum
from typing import Any, Literal, Self, TypedDict, Unpack

Applied = Literal["no", "yes", "unknown"]
"""Whether the server applied the request that the error is about."""


class RequestErrorCategory(StrEnum):
    """Who is to blame for a failed promise."""

    Unknown = "unknown"
    Server = "server"
    User = "user"

    @classmethod
    def _missing_(cls, value: object) -> RequestErrorCategory:
        return cls.Unknown


class OutcomeFacts(TypedDict, total=False):
    """The facts about an outcome that every error can carry; each may be absent."""

    model_id: str | None
    seq_id: int | None
    attempts: int | None
    elapsed_s: float | None
    applied: Applied | None


class ErrorFacts(OutcomeFacts, total=False):
    """All facts that an error can carry."""

    request_id: str | None


def _restore(cls: type[TinkerError], args: tuple[object, ...], state: dict[str, Any]) -> TinkerError:
    """Rebuild a pickled error without its constructor, whose signature differs from class to class."""
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class TinkerError(Exception):
    """Anything that this package raises on purpose."""

    request_id: str | None = None
    """Id of the promise, once the server gave one."""
    model_id: str | None = None
    """Model that the request was for."""
    seq_id: int | None = None
    """Number of the request on its model; None if none was drawn."""
    attempts: int | None = None
    """How many times the request was sent."""
    elapsed_s: float | None = None
    """Seconds from the first try to the error, on a monotonic clock."""
    applied: Applied | None = None
    """Whether the server applied the request; None where the question has no meaning."""

    def __init__(self, message: str = "", **facts: Unpack[ErrorFacts]) -> None:
        super().__init__(message)
        self.message = message
        self.adding(**facts)

    def adding(self, **facts: Unpack[ErrorFacts]) -> Self:
        """Fill in facts that are still unknown, and return the error itself."""
        for name, value in facts.items():
            if value is not None and getattr(self, name) is None:
                setattr(self, name, value)
        return self

    def again(self, applied: Applied | None) -> Self:
        """Return a copy with the same cause for somebody else, and what it says of that one's request."""
        own = copy(self)
        own.__cause__, own.applied = self.__cause__, applied
        return own

    def __str__(self) -> str:
        named = [
            f"{label}={value}"
            for label, value in (
                ("request", self.request_id),
                ("model", self.model_id),
                ("seq_id", self.seq_id),
                ("attempts", self.attempts),
                ("applied", self.applied),
            )
            if value is not None
        ]
        return f"{self.message} [{', '.join(named)}]" if named else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self._state())

    def _state(self) -> dict[str, Any]:
        """Return what a pickle keeps: everything but live objects of other libraries."""
        return dict(self.__dict__)
