"""What the gateway answers when it does not do what it was asked, in the shape of the OpenAI API.

Owns which status, type and code each error of the library gets. Says nothing of the server's key or address.
"""

from __future__ import annotations

from typing import Any

from tinsmith.core import errors

RETRY_AFTER_S = 1.0
"""Seconds that a client is asked to wait where the server did not say how long."""


class GatewayRefusal(Exception):  # noqa: N818
    """A request that is answered with an error."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        """The HTTP status."""
        self.param = param
        """The parameter that is wrong."""
        self.code = code
        """The word by which programs tell one error from another."""
        self.retry_after_s = retry_after_s
        """Seconds after which the same request may succeed."""

    @property
    def document(self) -> dict[str, Any]:
        """The body of the answer."""
        kind = _TYPES.get(self.status, "invalid_request_error" if self.status < 500 else "server_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        found = {"WWW-Authenticate": "Bearer"} if self.status == 401 else {}
        if self.retry_after_s is not None:
            found["Retry-After"] = f"{max(1, round(self.retry_after_s))}"
        return found


_TYPES = {401: "authentication_error", 429: "rate_limit_error"}


def unknown_model(name: str) -> GatewayRefusal:
    """Return the refusal of a model that is neither an alias, nor a base model, nor a checkpoint."""
    shown = name if len(name) <= 200 else f"{name[:200]}..."
    return GatewayRefusal(
        f"The model {shown!r} does not exist: GET /v1/models lists aliases and base models, and a checkpoint"
        " is named by its tinker:// path",
        status=404,
        param="model",
        code="model_not_found",
    )


def too_busy(retry_after_s: float | None = None, reason: str = "too many requests wait") -> GatewayRefusal:
    """Return the refusal of a request for which there is no room now."""
    wait_s = RETRY_AFTER_S if retry_after_s is None else retry_after_s
    return GatewayRefusal(
        f"{reason}; try again later", status=429, code="rate_limit_exceeded", retry_after_s=wait_s
    )


def refusal_of(error: errors.TinkerError) -> GatewayRefusal:
    """Return how an error of the library is answered: as the server's refusal, 429, or 502 and above."""
    if isinstance(error, errors.InputError):
        return GatewayRefusal(str(error), param=error.field)
    if isinstance(error, errors.RateLimitError):
        return too_busy(error.retry_after_s, "the server takes no more requests for now")
    if isinstance(error, errors.BillingError):
        return GatewayRefusal(error.message, status=429, code="insufficient_quota")
    if isinstance(error, errors.NotFoundError):
        return GatewayRefusal(error.message, status=404, code="not_found")
    if isinstance(error, (errors.BadRequestError, errors.UnprocessableEntityError)):
        return GatewayRefusal(error.message)
    if isinstance(error, errors.RequestFailedError) and error.category == errors.RequestErrorCategory.User:
        return GatewayRefusal(error.message)
    if isinstance(error, (errors.AuthenticationError, errors.PermissionDeniedError)):
        return GatewayRefusal("the server refuses the key of the gateway", status=502, code="upstream_key")
    if isinstance(error, errors.APITimeoutError):
        return GatewayRefusal(error.message, status=504, code="upstream_timeout")
    if isinstance(error, (errors.ClosedError, errors.SessionLostError)):
        return GatewayRefusal("the gateway has lost its session; start it again", status=503, code="closed")
    return GatewayRefusal(error.message, status=502, code="upstream_error")
