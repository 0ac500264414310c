"""Errors of the exchange with the server: by status, by a lost connection, by an answer nobody can read."""

from __future__ import annotations

from typing import Any, Unpack

from tinsmith_api.errors import ErrorFacts, TinkerError


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
    """A promise did not move for the whole progress timeout; the future can be re-attached by its id."""
