"""The root of the error tree, the facts that every error carries, and the errors of values and answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from enum import StrEnum
from typing import Any, Literal, Self, TypedDict, Unpack

Applied = Literal["no", "yes", "unknown"]
"""Whether the server applied the request that the error is about."""


LONGEST_TEXT = 2048
"""Bytes that an error shows, its ids included: servers and libraries quote what they could not read."""

LONGEST_ID = 200
"""Characters of an id that an error shows; real ones are shorter."""

FIRST_PART = 500
"""Characters of a body that an error shows."""

MISSING = "is missing"
"""What is wrong with a field that an answer must have and has not."""

_CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)


def printable(text: str, *, lines: bool = False) -> str:
    """Return a text in which what steers a terminal, or has no form in UTF-8, is written as its escape.

    `lines` keeps the line ends, for texts of our own; what a server says stays on one line.
    """
    text = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
    return text if lines else text.replace("\n", "\\n")


def shortened(text: str, most_bytes: int) -> str:
    """Return a text that takes at most so many bytes; what was left out is said at its end."""
    if len(text) * 4 <= most_bytes or len(whole := text.encode("utf-8", "replace")) <= most_bytes:
        return text
    left_out = f" ... ({len(whole)} bytes in all)"
    return whole[: max(0, most_bytes - len(left_out))].decode("utf-8", "ignore") + left_out


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
    """Anything that this package raises on purpose.

    Applied: set if the error is about a request, otherwise None.
    Do: catch it where every failure is handled alike, and one of its classes where they differ.
    """

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

    def __init__(self, message: str = "", *more: object, **facts: Unpack[ErrorFacts]) -> None:
        message = shortened(printable(str(message), lines=True), LONGEST_TEXT)
        super().__init__(message, *more)
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
            f"{label}={printable(str(value)[:LONGEST_ID])}"
            for label, value in (
                ("request", self.request_id),
                ("model", self.model_id),
                ("seq_id", self.seq_id),
                ("attempts", self.attempts),
                ("applied", self.applied),
            )
            if value is not None
        ]
        if not named:
            return self.message
        ids = f" [{', '.join(named)}]"
        return shortened(self.message, LONGEST_TEXT - len(ids.encode("utf-8", "replace"))) + ids

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self._state())

    def _state(self) -> dict[str, Any]:
        """Return what a pickle keeps: everything but live objects of other libraries."""
        return dict(self.__dict__)


class InputError(TinkerError, ValueError):
    """The caller's input is wrong; found before anything was sent.

    Applied: `no`.
    Do: correct the datum and the field that the message names.
    """

    def __init__(
        self,
        message: str,
        *,
        datum: int | None = None,
        field: str | None = None,
        model: str | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        named = f"field {field!r}{f' of {model}' if model else ''}" if field else ""
        where = ", ".join(part for part in (f"datum {datum}" if datum is not None else "", named) if part)
        facts.setdefault("applied", "no")
        super().__init__(f"{where}: {message}" if where else message, **facts)
        self.problem = message
        """What is wrong, without where."""
        self.datum = datum
        self.field = field
        """Path of the field; None where it is about no field."""

    def within(self, model: str, field: str) -> InputError:
        """Return the error as the value that has the wrong part in a field reports it."""
        return InputError(self.problem, datum=self.datum, field=_joined(field, self.field), model=model)

    def __str__(self) -> str:
        return self.message


class RequestFailedError(TinkerError):
    """The server accepted the request and then failed to carry it out. `category` says whose fault it was.

    Applied: `no`, unless the answer leaves a doubt: `unknown`.
    Do: with `category` `user` correct the request, otherwise call again; the message quotes the server.
    """

    def __init__(
        self,
        message: str,
        request_id: str | None = None,
        category: RequestErrorCategory = RequestErrorCategory.Unknown,
        *,
        status_code: int | None = None,
        **facts: Unpack[OutcomeFacts],
    ) -> None:
        super().__init__(message, request_id=request_id, **facts)
        self.category = category
        self.status_code = status_code
        """HTTP status, for servers that report a failed promise by one; else None."""


class PromiseTimeoutError(TinkerError, TimeoutError):
    """The time to wait for a promise is over. The work may go on. Only the generated client raises it.

    Applied: None: the wait ended, and not the request.
    Do: wait again for the same promise.
    """

    def __init__(self, message: str, *, last: str, **facts: Unpack[ErrorFacts]) -> None:
        super().__init__(message, **facts)
        self.last = last
        """What came back when the server was asked last."""


class InvalidBody(TinkerError, ValueError):  # noqa: N818  # the name is public
    """A JSON body does not have the shape that the contract gives it. Only the generated client raises it.

    Applied: `yes` if it answered a request that was not a GET; otherwise None.
    Do: compare the server with the contract: `tinsmith contract check`.
    """

    def __init__(
        self, problem: str, *, model: str = "", field: str = "", operation: str = "", status_code: int = 0
    ) -> None:
        what = problem if not field else f"field {field!r}{'' if problem == MISSING else ':'} {problem}"
        shape = f"is no {model}: {what}" if model else f"does not fit the contract: {what}"
        whose = f"{operation}: the body of the {status_code} answer" if operation else "the body"
        super().__init__(f"{whose} {shape}")
        self.problem = problem
        """What is wrong."""
        self.model = model
        """The class that was to be read; empty where it is not that far."""
        self.field = field
        """Path of the field in which it was found; empty for the body itself."""
        self.operation = operation
        """The operation that was answered so; empty where no answer is read."""
        self.status_code = status_code
        """The HTTP status of the answer; 0 where no answer is read."""

    def within(self, model: str, field: str) -> InvalidBody:
        """Return the error as the reader of the value that holds this one reports it."""
        return InvalidBody(self.problem, model=model, field=_joined(field, self.field))

    def answered(self, operation: str, status_code: int) -> InvalidBody:
        """Return the error as the operation reports it whose answer this was."""
        return InvalidBody(
            self.problem, model=self.model, field=self.field, operation=operation, status_code=status_code
        )


class UnexpectedStatus(TinkerError):  # noqa: N818  # the name that users of the generator know
    """The status is no success of the operation. Only the generated client raises it.

    Applied: None: the generated client does not judge.
    Do: read `status_code` and `parsed`.
    """

    def __init__(
        self,
        operation: str,
        status_code: int,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        parsed: Any = None,
    ) -> None:
        said = f": {first_part(content)}" if content.strip() else ""
        super().__init__(f"{operation}: status {status_code} is not a success of this operation{said}")
        self.operation = operation
        self.status_code = status_code
        self.content = content
        """The body as it came."""
        self.headers = headers or {}
        """The headers of the answer."""
        self.parsed = parsed
        """The body as the contract's type of an error; None for something else, such as a proxy's page."""


def _joined(field: str, inner: str | None) -> str:
    """Return the path of a part within a field."""
    return field + ("" if not inner else inner if inner.startswith("[") else f".{inner}")


def first_part(content: bytes) -> str:
    """Return the beginning of a body as a line of text; errors escape in it what steers a terminal."""
    text = content[: 4 * FIRST_PART].decode("utf-8", "replace")
    cut = len(content) > 4 * FIRST_PART or len(text) > FIRST_PART
    return " ".join(text[:FIRST_PART].split()) + (" ..." if cut else "")
