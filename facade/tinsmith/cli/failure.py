"""What a person and a script learn from a failure: one line on stderr and an exit code."""

from __future__ import annotations

import sys
import traceback

from tinsmith.core import errors

FAILURE, USAGE, NOT_FOUND, AUTHENTICATION = 1, 2, 3, 4


class KeyRefusedError(errors.TinkerError):
    """There is no usable key, which is found before anything is sent."""


_CODES: tuple[tuple[type[Exception], str, int], ...] = (
    (KeyRefusedError, "No usable API key", AUTHENTICATION),
    (errors.AuthenticationError, "Authentication failed", AUTHENTICATION),
    (errors.PermissionDeniedError, "Permission denied", AUTHENTICATION),
    (errors.NotFoundError, "Resource not found", NOT_FOUND),
    (errors.InputError, "Invalid input", USAGE),
    (errors.BadRequestError, "Invalid request", FAILURE),
    (errors.UnprocessableEntityError, "Invalid data provided", FAILURE),
    (errors.RateLimitError, "Rate limit exceeded", FAILURE),
    (errors.InternalServerError, "Internal server error", FAILURE),
    (errors.APITimeoutError, "Request timeout", FAILURE),
    (errors.APIConnectionError, "Connection failed", FAILURE),
    (errors.MissingExtraError, "Not installed", FAILURE),
    (errors.TinkerError, "Failed", FAILURE),
    (OSError, "Input or output failed", FAILURE),
)
"""Error -> its headline and exit code; the first that fits."""


def describe(error: BaseException) -> tuple[str, int]:
    """Return the line to print, and the exit code."""
    for kind, headline, code in _CODES:
        if isinstance(error, kind):
            return f"Error: {headline}: {error}", code
    return f"Error: Unexpected error occurred: {type(error).__name__}: {error}", FAILURE


def report(error: BaseException) -> int:
    """Print the error on stderr and return the exit code; a traceback only for our own mistakes."""
    line, code = describe(error)
    expected = isinstance(error, tuple(kind for kind, _, _ in _CODES))
    if not expected and sys.stderr.isatty():
        traceback.print_exception(error)
    sys.stderr.write(line + "\n")
    return code
