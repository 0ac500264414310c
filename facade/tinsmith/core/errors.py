"""The error tree. Owns every exception class of the package; builds none from a wire answer (see `failures`).

    TinkerError
      APIError
        APIResponseValidationError      the answer is not what the contract says
        APIStatusError                  4xx and 5xx: BadRequest, Authentication, Billing,
                                        PermissionDenied, NotFound, Conflict,
                                        UnprocessableEntity, RateLimit, InternalServer
        APIConnectionError              no answer: APITimeoutError, ProgressTimeoutError
      RequestFailedError                the promise ended in failure
      InputError (ValueError)           the caller's input, found before sending
      SessionLostError, ModelLostError, ResultLostError
      PartialBatchError, ClientPoisonedError, ClosedError, UnsafeArchiveError
      MissingExtraError (ImportError), MissingModelError

Every error carries `request_id, model_id, seq_id, attempts, elapsed_s, applied`, and pickles.
"""

from __future__ import annotations

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


class APIError(TinkerError):
    """The exchange with the server went wrong."""

    def __init__(
        self, message: str, request: object = None, *, body: object = None, **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(message, **facts)
        self.request = request
        self.body = body

    def _state(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state["request"] = None
        if "response" in state:
            state["response"] = None
        return state


class APIResponseValidationError(APIError):
    """An answer that is not what the contract promises: broken JSON, HTML, a missing field."""

    def __init__(
        self,
        response: object = None,
        body: object = None,
        *,
        message: str = "The server's answer is not valid.",
        status_code: int | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        super().__init__(message, body=body, **facts)
        self.response = response
        self.status_code = status_code if status_code is not None else getattr(response, "status_code", 0)


class APIStatusError(APIError):
    """The server answered with an error status."""

    def __init__(
        self,
        message: str,
        *,
        response: object = None,
        body: object = None,
        status_code: int | None = None,
        retry_after_s: float | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        super().__init__(message, getattr(response, "request", None), body=body, **facts)
        self.response = response
        self.status_code: int = (
            status_code if status_code is not None else getattr(response, "status_code", 0)
        )
        self.retry_after_s = retry_after_s
        """Seconds that the server asked to wait, if it did."""


class BadRequestError(APIStatusError):
    """400."""


class AuthenticationError(APIStatusError):
    """401: the key is missing or wrong."""


class BillingError(APIStatusError):
    """402: the account cannot pay at the moment."""


class PermissionDeniedError(APIStatusError):
    """403."""


class NotFoundError(APIStatusError):
    """404."""


class ConflictError(APIStatusError):
    """409."""


class UnprocessableEntityError(APIStatusError):
    """422."""


class RateLimitError(APIStatusError):
    """429."""


class InternalServerError(APIStatusError):
    """500 and above."""


class APIConnectionError(APIError):
    """No answer came: refused, reset, name not found, TLS."""

    def __init__(
        self, message: str = "Connection error.", *, request: object = None, **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(message, request, **facts)


class APITimeoutError(APIConnectionError):
    """No answer came in time."""

    def __init__(
        self, request: object = None, *, message: str = "Request timed out.", **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(message, request=request, **facts)


class ProgressTimeoutError(APIConnectionError):
    """Nothing on the client moved for the whole progress timeout; the future can be re-attached by its id."""


class RequestFailedError(TinkerError):
    """The server accepted the request and then failed to carry it out."""

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


class InputError(TinkerError, ValueError):
    """The caller's input is wrong; found before anything was sent."""

    def __init__(
        self,
        message: str,
        *,
        datum: int | None = None,
        field: str | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        where = ", ".join(
            part
            for part in (f"datum {datum}" if datum is not None else "", f"field {field!r}" if field else "")
            if part
        )
        facts.setdefault("applied", "no")
        super().__init__(f"{where}: {message}" if where else message, **facts)
        self.datum = datum
        self.field = field

    def __str__(self) -> str:
        return self.message


class SessionLostError(TinkerError):
    """The server no longer knows the session. Make a new ServiceClient, and load from a checkpoint."""


class ModelLostError(TinkerError):
    """The server no longer knows the model, or counts its requests differently."""

    def __init__(self, message: str, *, checkpoint: str | None = None, **facts: Unpack[ErrorFacts]) -> None:
        hint = f" Restore from {checkpoint}." if checkpoint else " No checkpoint was saved by this client."
        super().__init__(message + hint, **facts)
        self.checkpoint = checkpoint
        """The last checkpoint that this client saved or loaded."""


class ResultLostError(TinkerError):
    """The request was applied, but its result cannot be had any more."""


class PartialBatchError(TinkerError):
    """Some chunks of a batch were applied and some were not."""

    def __init__(
        self,
        message: str,
        *,
        chunks_applied: tuple[int, ...] = (),
        chunks_failed: tuple[int, ...] = (),
        **facts: Unpack[ErrorFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.chunks_applied = chunks_applied
        """Positions of the chunks, from 0, whose gradients are on the server."""
        self.chunks_failed = chunks_failed
        """Positions of the chunks, from 0, that failed or were never sent."""


class ClientPoisonedError(TinkerError):
    """An earlier request left the model in an unknown state, so this client sends nothing more."""


class ClosedError(TinkerError):
    """The client was closed, or the process was forked after the client was made."""


class UnsafeArchiveError(TinkerError):
    """A downloaded archive holds what no checkpoint holds, or cannot be read; nothing of it was kept."""


class MissingExtraError(TinkerError, ImportError):
    """An optional dependency is not installed; the message names the extra."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional dependency: pip install 'tinsmith[{extra}]'")
        self.extra = extra


class MissingModelError(TinkerError):
    """A base model is known but its files are not here; the message names the command that brings them."""
