"""What a person and a script learn from a failure: a sentence on stderr and an exit code.

Owns the words: the library's errors name its arguments, these name the options and variables of the command
line. Builds no error itself but the one that is found before anything is sent.
"""

from __future__ import annotations

import re
import sys
import traceback

from tinsmith.cli.output import note
from tinsmith.core import errors
from tinsmith.core.whole_files import explained

FAILURE, USAGE, NOT_FOUND, AUTHENTICATION = 1, 2, 3, 4


class KeyRefusedError(errors.TinkerError):
    """There is no usable key, which is found before anything is sent."""


_CODES: tuple[tuple[type[Exception], str, int], ...] = (
    (KeyRefusedError, "No usable API key", AUTHENTICATION),
    (errors.AuthenticationError, "Authentication failed", AUTHENTICATION),
    (errors.BillingError, "Payment required", FAILURE),
    (errors.PermissionDeniedError, "Permission denied", AUTHENTICATION),
    (errors.NotFoundError, "Resource not found", NOT_FOUND),
    (errors.InputError, "Invalid input", USAGE),
    (errors.BadRequestError, "Invalid request", FAILURE),
    (errors.ConflictError, "Conflict", FAILURE),
    (errors.UnprocessableEntityError, "Invalid data provided", FAILURE),
    (errors.RateLimitError, "Rate limit exceeded", FAILURE),
    (errors.InternalServerError, "Internal server error", FAILURE),
    (errors.APITimeoutError, "Request timeout", FAILURE),
    (errors.APIConnectionError, "Connection failed", FAILURE),
    (errors.MissingExtraError, "Not installed", FAILURE),
    (errors.TinkerError, "Failed", FAILURE),
    (FileExistsError, "Already there", FAILURE),
    (OSError, "Input or output failed", FAILURE),
)
"""Error -> its headline and exit code; the first that fits."""

_OUR_WORDS = {
    "no API key: ": "",
    "field 'X-API-Key': ": "",
    "field 'messages': the chat template": "the chat template",
    "from api_key= or TINKER_API_KEY or the file": "from TINKER_API_KEY or the file",
    "pass api_key=, set ": "set ",
    "base_url='local:' needs none": "--base-url local:PATH needs none",
    "pass require_key_prefix=False": "give --any-key",
    "pass insecure=True": "give --insecure",
    "from base_url= or TINKER_BASE_URL": "from --base-url or TINKER_BASE_URL",
    "field 'base_url'": "--base-url or TINKER_BASE_URL",
    "field 'ttl_seconds'": "--ttl",
    "field 'path': ": "",
    "field 'starting_on'": "START",
    "field 'ending_before'": "END",
    "field 'day'": "--day",
    "field 'format'": "--input-format",
    "field 'prices': ": "",
    "field 'records'": "the file",
    "evaluate without the loss": "give --no-loss",
    " is there already; pass overwrite=True to replace it": " (--overwrite replaces it)",
    "public=True allows": "--public allows",
    "(export_merged)": "(--to merged)",
    "without=['lm_head']": "--without lm_head",
    "dtype='float32'": "--dtype float32",
    "with base=": "with --base",
    "(base=)": "(--base)",
}
"""What the library says -> what the command line says."""

_OPTIONS = (
    "base_model batch_items batch_tokens checkpoint_every epochs evaluate_every held_out learning_rate limit"
    " max_tokens model_path num_samples offset rank schedule score seed steps stop temperature top_k top_p"
    " warmup_steps without"
)
_FIELD = re.compile(rf"field '({_OPTIONS.replace(' ', '|')})'")
_TWICE = re.compile(r"\b(\w+): field '\1'")
_STATUS = re.compile(r"^Error code: \d+ - ")


def describe(error: BaseException) -> tuple[str, int]:
    """Return the line to print, and the exit code."""
    for kind, headline, code in _CODES:
        if isinstance(error, kind):
            return f"Error: {headline}: {sentence(error)}", code
    return f"Error: Unexpected error occurred: {type(error).__name__}: {error}", FAILURE


def sentence(error: BaseException) -> str:
    """Return what an error says, in the words of the command line, with the facts that help to find it."""
    if isinstance(error, OSError) and error.errno and not isinstance(error, errors.TinkerError):
        said = explained(error)
        return said if error.filename is None else f"{error.filename}: {said}"
    if not isinstance(error, errors.TinkerError):
        return worded(str(error))
    text = worded(_TWICE.sub(r"\1", _STATUS.sub("", error.message)))
    facts = _facts(error)
    return f"{text} ({', '.join(facts)})" if facts else text


def worded(text: str) -> str:
    """Return what the library says in the words of the command line."""
    for theirs, ours in _OUR_WORDS.items():
        text = text.replace(theirs, ours)
    return _FIELD.sub(lambda field: "--" + field[1].replace("_", "-"), text)


def _facts(error: errors.TinkerError) -> list[str]:
    status = getattr(error, "status_code", None)
    return [
        fact
        for fact, known in (
            (f"status {status}", status and error.attempts and str(status) not in error.message[15:]),
            (f"{error.attempts} attempts", error.attempts and error.attempts > 1),
            (f"request {error.request_id}", error.request_id),
            ("it may have been applied", error.applied == "unknown"),
        )
        if known
    ]


def report(error: BaseException) -> int:
    """Print the error on stderr and return the exit code; a traceback only for our own mistakes."""
    line, code = describe(error)
    expected = isinstance(error, tuple(kind for kind, _, _ in _CODES))
    if not expected and sys.stderr.isatty():
        traceback.print_exception(error)
    note(line)
    return code
