# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""What the models and the operations share."""

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


class UnexpectedStatus(Exception):
    """The status is no success of this operation. Judging errors is the transport's business."""

    def __init__(self, operation: str, status_code: int) -> None:
        super().__init__(operation, status_code)
        self.operation = operation
        self.status_code = status_code

    def __str__(self) -> str:
        return f"{self.operation}: status {self.status_code} is not a success of this operation"


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


__all__ = ["UNSET", "InvalidBody", "UnexpectedStatus", "Unset", "invalid_body", "path_segment"]
