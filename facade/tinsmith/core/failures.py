"""Builds errors from wire answers, in one place.

Decides nothing about retrying; shows no secret and at most 200 bytes of a body that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Unpack

import orjson
from tinsmith_api.errors import printable, shortened

from tinsmith.core import errors

if TYPE_CHECKING:
    from tinsmith.core.errors import ErrorFacts

EXCERPT_BYTES = 200
"""How much of an unreadable body an error may show; enough to tell a proxy's page from a cut answer."""

DETAIL_BYTES = 1500
"""How much of a server's sentence an error shows; the rest of its 2 kB is for our own words and the ids."""

MAX_LOCATION = 300
"""Characters of a redirect's target that an error shows."""

_USER = re.compile(r"//[^/@]*@")
_PAGE = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_UNREAD = re.compile(
    r"<(script|style)\b.*?(?:</\1>|$)|<!--.*?(?:-->|$)|<[^>]*(?:>|$)", re.IGNORECASE | re.DOTALL
)
_PAGE_BYTES = 4096
"""How much of a page is searched for its first line."""

_SECRET = re.compile(r"(?:tml-|eyJ)[\w.+/=-]{4,}|(?<=[?&])[^\s&=\"']+=[^\s&\"']+")

_BY_STATUS: dict[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    402: errors.BillingError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
}


def excerpt(body: bytes) -> str:
    """Return at most 200 bytes of a body as printable text, keys and query values struck out.

    Of a web page, which a proxy sends in place of an answer, it is the first line that a browser would show.
    """
    text = body[:_PAGE_BYTES].decode("utf-8", "replace")
    text = _first_line(text) if _PAGE.match(text) else text[: EXCERPT_BYTES * 2]
    text = "".join(c if c.isprintable() else " " for c in _SECRET.sub("***", text))
    return text.encode()[:EXCERPT_BYTES].decode("utf-8", "ignore")


def _first_line(page: str) -> str:
    from html import unescape  # only a proxy's page needs it

    lines = (" ".join(line.split()) for line in unescape(_UNREAD.sub("\n", page)).splitlines())
    return next((line for line in lines if line), "(a web page without text)")


def parse_body(body: bytes) -> Any:
    """Decode JSON, or give the redacted text where it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return excerpt(body)


def detail_text(body: object) -> str:
    """Find the sentence for a person: `detail` as text or list, `error`, `message`, or the whole.

    It stays on one line and is bounded, whatever a server says.
    """
    return shortened(printable(_sentence(body)), DETAIL_BYTES)


def _sentence(body: object) -> str:
    if isinstance(body, Mapping):
        for key in ("detail", "error", "message"):
            if body.get(key):
                return _sentence(body[key])
        return orjson.dumps(body, default=str).decode()[:1000]
    if isinstance(body, list):
        return "; ".join(_field_problem(item) for item in body[:5])
    return str(body)


def _field_problem(item: object) -> str:
    if isinstance(item, Mapping) and "msg" in item:
        loc = item.get("loc")
        parts = loc if isinstance(loc, list) else [] if loc is None else [loc]
        where = ".".join(str(part) for part in parts if part != "body")
        return f"{where}: {item['msg']}" if where else str(item["msg"])
    return _sentence(item)


def no_such_operation(operation: str) -> str:
    """Say that a server lacks an operation; frameworks say so by a bare "Not Found"."""
    return f"this server has no such operation: {operation}"


def error_from_status(
    status: int,
    body: bytes | object,
    *,
    response: object = None,
    retry_after_s: float | None = None,
    said: str | None = None,
    **facts: Unpack[ErrorFacts],
) -> errors.APIStatusError:
    """Build the error of an HTTP status; the class follows the official tree.

    `said` stands in its text for what the body says.
    """
    decoded = parse_body(body) if isinstance(body, bytes) else body
    cls = _BY_STATUS.get(status)
    if cls is None:
        cls = errors.InternalServerError if status >= 500 else errors.APIStatusError
    text = detail_text(decoded) if decoded not in ("", None) else "(empty body)"
    message = f"Error code: {status} - {said or text}"
    if retry_after_s is not None:
        message += f" (the server asks to wait {retry_after_s:g} s)"
    return cls(
        message, response=response, body=decoded, status_code=status, retry_after_s=retry_after_s, **facts
    )


def error_of_redirect(
    status: int, base_url: str, where: str, **facts: Unpack[ErrorFacts]
) -> errors.APIStatusError:
    """Build the error of a redirect that was not followed; its query, a permission perhaps, is not shown."""
    target = printable(_USER.sub("//", where.partition("?")[0])[:MAX_LOCATION])
    return errors.APIStatusError(
        f"Error code: {status} - the server {base_url} points to {target}, and requests with a key are not"
        " sent on; pass the address that answers as base_url= or TINKER_BASE_URL",
        status_code=status,
        **facts,
    )


def broken_answer(
    status: int, body: bytes, what: str, **facts: Unpack[ErrorFacts]
) -> errors.APIResponseValidationError:
    """Build the error of an answer that cannot be read."""
    shown = excerpt(body)
    return errors.APIResponseValidationError(
        body=shown,
        status_code=status,
        message=f"The server answered {status} with {what}: {shown!r}",
        **facts,
    )
