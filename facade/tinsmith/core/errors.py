"""The error tree. Owns every exception class of the package; builds none from a wire answer (see `failures`).

    TinkerError
      APIError
        APIResponseValidationError      the answer is not what the contract says
        APIStatusError                  4xx and 5xx: BadRequest, Authentication, Billing,
                                        PermissionDenied, NotFound, Conflict,
                                        UnprocessableEntity, RateLimit, InternalServer
        APIConnectionError              no answer: APITimeoutError, ProgressTimeoutError
      RequestFailedError                the promise ended in failure
      InputError (ValueError)           the caller's input, found before sending: BodyTooLarge
      SessionLostError, ModelLostError, ResultLostError
      PartialBatchError, ClientPoisonedError, ClosedError, UnsafeArchiveError
      MissingExtraError (ImportError), MissingModelError
    ServerWarning (UserWarning)         what a user should know of a server before it matters

Every error carries `request_id, model_id, seq_id, attempts, elapsed_s, applied`, and pickles.
"""

from __future__ import annotations

from typing import Any, Unpack

from tinsmith_api.errors import Applied as Applied
from tinsmith_api.errors import ErrorFacts as ErrorFacts
from tinsmith_api.errors import InputError as InputError
from tinsmith_api.errors import OutcomeFacts as OutcomeFacts
from tinsmith_api.errors import RequestErrorCategory as RequestErrorCategory
from tinsmith_api.errors import RequestFailedError as RequestFailedError
from tinsmith_api.errors import TinkerError as TinkerError


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

    status_code: int = 0
    """The status; the classes of single statuses have it too."""

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
        if status_code is None:
            status_code = getattr(response, "status_code", None)
        if status_code is not None:
            self.status_code = status_code
        self.retry_after_s = retry_after_s
        """Seconds that the server asked to wait, if it did."""


class BadRequestError(APIStatusError):
    """400."""

    status_code: int = 400


class AuthenticationError(APIStatusError):
    """401: the key is missing or wrong."""

    status_code: int = 401


class BillingError(APIStatusError):
    """402: the account cannot pay at the moment."""

    status_code: int = 402


class PermissionDeniedError(APIStatusError):
    """403."""

    status_code: int = 403


class NotFoundError(APIStatusError):
    """404."""

    status_code: int = 404


class ConflictError(APIStatusError):
    """409."""

    status_code: int = 409


class UnprocessableEntityError(APIStatusError):
    """422."""

    status_code: int = 422


class RateLimitError(APIStatusError):
    """429."""

    status_code: int = 429


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
    """A promise made no progress for the whole progress timeout; `from_request_id` attaches to it again."""


class BodyTooLargeError(InputError):
    """A compressed body holds more than the reader allows."""

    def __init__(self, limit_bytes: int, **facts: Unpack[ErrorFacts]) -> None:
        super().__init__(f"holds more than {limit_bytes} bytes", field="body", **facts)
        self.limit_bytes = limit_bytes
        """How many bytes the reader allows."""


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
    """The request was applied, but its result is lost."""


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
    """A downloaded archive is damaged, or has entries that no checkpoint has; nothing of it was kept."""


class MissingExtraError(TinkerError, ImportError):
    """An optional dependency is not installed; the message names the extra."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra tinsmith[{extra}]; in a checkout: pip install '.[{extra}]'")
        self.extra = extra


class MissingModelError(TinkerError):
    """A base model is known but its files are not here; the message names the command that brings them."""


class ServerWarning(UserWarning):
    """What a user should know of a server before it matters; shown without logging being configured."""
