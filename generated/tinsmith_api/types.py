# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""What the models and the operations share."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote


class Unset:
    """The type of a field that is not there, which differs from null."""

    __slots__ = ()

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Unset = Unset()

FIRST_PART = 500
"""Characters of a body that an error shows."""


class UnexpectedStatus(Exception):
    """The status is no success of the operation."""

    def __init__(
        self,
        operation: str,
        status_code: int,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        parsed: Any = None,
    ) -> None:
        super().__init__(operation, status_code, content, headers, parsed)
        self.operation = operation
        self.status_code = status_code
        self.content = content
        """The body as it came."""
        self.headers = headers or {}
        """The headers of the answer."""
        self.parsed = parsed
        """The body as the contract's type of an error; None where it is something else, such as a proxy's page."""

    def __str__(self) -> str:
        said = f": {first_part(self.content)}" if self.content.strip() else ""
        return f"{self.operation}: status {self.status_code} is not a success of this operation{said}"


class InvalidBody(ValueError):
    """The body of a success does not have the shape that the contract gives it."""

    def __init__(self, operation: str, status_code: int, problem: str) -> None:
        super().__init__(operation, status_code, problem)
        self.operation = operation
        self.status_code = status_code
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.operation}: the body of the {self.status_code} answer does not fit the contract: {self.problem}"


def invalid_body(operation: str, status_code: int, cause: Exception) -> InvalidBody:
    """Say in words what a failed parse found."""
    problem = (
        f"field {cause.args[0]!r} is missing" if isinstance(cause, KeyError) and cause.args else str(cause)
    )
    return InvalidBody(operation, status_code, problem)


def first_part(content: bytes) -> str:
    """Return the beginning of a body as a line of text that steers no terminal."""
    text = content[: 4 * FIRST_PART].decode("utf-8", "replace")
    cut = len(content) > 4 * FIRST_PART or len(text) > FIRST_PART
    line = "".join(c if c.isprintable() else " " for c in text[:FIRST_PART])
    return " ".join(line.split()) + (" ..." if cut else "")


def path_segment(name: str, value: Any) -> str:
    """Return `value` as one segment of a path. `:` stays as it is, since run ids hold it and servers expect it so.

    Raises ValueError for None, and for what could change the path: nothing, dots alone, a slash, a backslash, a control character.
    """
    if value is None:
        raise ValueError(f"{name} is missing")
    text = str(value)
    if text in ("", ".", "..") or any(c in "/\\" or not c.isprintable() for c in text):
        raise ValueError(f"{name} cannot stand in a path: {text!r}")
    return quote(text, safe=":")


__all__ = ["UNSET", "InvalidBody", "UnexpectedStatus", "Unset", "first_part", "invalid_body", "path_segment"]
