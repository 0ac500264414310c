"""Error answers: what their text says, what a 409 proves, and the error that is built of them.

Servers say only in sentences, each in its own words, that a model is gone, a route is missing or a name is
taken. Owns the patterns and the texts of errors; does not decide what follows. Shows no secret, and at most
200 bytes of a body that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Unpack

import attrs
import orjson
from tinsmith_api.errors import printable, shortened

from tinsmith.core import errors
from tinsmith.core.errors import Applied

if TYPE_CHECKING:
    from tinsmith.core.errors import ErrorFacts

EXCERPT_BYTES = 200
"""Bytes of an unreadable body that an error may show; enough to see whether it is a proxy's page."""

DETAIL_BYTES = 1500
"""Bytes of a server's sentence that an error shows; the rest of its 2 kB is for our own text and the ids."""

MAX_LOCATION = 300
"""Characters of a redirect's target that an error shows."""

_USER = re.compile(r"//[^/@]*@")
_PAGE = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_UNREAD = re.compile(
    r"<(script|style)\b.*?(?:</\1>|$)|<!--.*?(?:-->|$)|<[^>]*(?:>|$)", re.IGNORECASE | re.DOTALL
)
_PAGE_BYTES = 4096
"""Bytes of a page that are searched for its first line."""

_SECRET = re.compile(r"(?:tml-|eyJ)[\w.+/=-]{4,}|(?<=[?&])[^\s&=\"']+=[^\s&\"']+")

_BY_STATUS = {cls.status_code: cls for cls in errors.APIStatusError.__subclasses__() if cls.status_code}
"""Classes of the statuses that have one of their own."""


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
    retry_after_s: float | None = None,
    said: str | None = None,
    **facts: Unpack[ErrorFacts],
) -> errors.APIStatusError:
    """Build the error of an HTTP status; the class follows the official tree.

    `said` replaces the text of the body in its message.
    """
    decoded = parse_body(body) if isinstance(body, bytes) else body
    cls = _BY_STATUS.get(status)
    if cls is None:
        cls = errors.InternalServerError if status >= 500 else errors.APIStatusError
    text = detail_text(decoded) if decoded not in ("", None) else "(empty body)"
    message = f"Error code: {status} - {said or text}"
    if retry_after_s is not None:
        message += f" (the server asks to wait {retry_after_s:g} s)"
    return cls(message, body=decoded, status_code=status, retry_after_s=retry_after_s, **facts)


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


class TextSource(StrEnum):
    """Where an error answer comes from, by its form."""

    TEXT = "text"
    """A JSON object whose `detail` or `error` is a text: the server says something about the request."""
    FIELDS = "fields"
    """A JSON object whose `detail` is a list: the server refuses the body of this very request."""
    OBJECT = "object"
    """Another JSON object, such as a gateway's `message`."""
    NOTHING = "nothing"
    """No body."""
    UNREADABLE = "unreadable"
    """Anything else, such as a page."""


class Topic(StrEnum):
    """What a text is about."""

    MODEL_GONE = "model gone"
    """The server no longer has the model, or the session that it belongs to."""
    CHECKPOINT = "checkpoint"
    """A checkpoint or a file."""
    ROUTE = "route"
    """The server has no such operation."""
    OTHER = "other"
    """Something else."""


@attrs.frozen
class ErrorText:
    """The text of an error answer, and where it comes from."""

    source: TextSource
    """Where it comes from."""
    text: str = ""
    """The sentence; empty where there is none."""

    @property
    def topic(self) -> Topic:
        """What the sentence is about."""
        return topic_of(self.text) if self.source is TextSource.TEXT else Topic.OTHER


def read_error_text(body: bytes) -> ErrorText:
    """Read the body of an error answer."""
    if not body.strip():
        return ErrorText(TextSource.NOTHING)
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ErrorText(TextSource.UNREADABLE)
    if not isinstance(payload, Mapping):
        return ErrorText(TextSource.UNREADABLE)
    for key in ("detail", "error"):
        text = payload.get(key)
        if isinstance(text, str) and text.strip():
            return ErrorText(TextSource.TEXT, text.strip())
        if key == "detail" and isinstance(text, list) and text:
            return ErrorText(TextSource.FIELDS)
    return ErrorText(TextSource.OBJECT)


SHORT_BYTES = 200
"""Bytes up to which a body without JSON may be a framework's sentence."""

_THING = r"(?:(?!checkpoint|weights|file|adapter|tokenizer|config|promise|future).)"
_GONE = (
    r"(?:not found|unknown|not loaded|unloaded|does ?n[o']t exist|is gone|no longer"
    r"|terminated|expired|closed|ended|finished)"
)
_MODEL_GONE = re.compile(
    rf"\b(?:unknown|no such) (?:model|session)\b|\bnot loaded\b"
    rf"|(?<!base )\b(?:model|session)\b{_THING}{{0,120}}?\b{_GONE}",
    re.IGNORECASE | re.DOTALL,
)
_CHECKPOINT = re.compile(
    r"\bcheckpoints?\b|\bfiles?\b|\b(?:tinker|file)://|\b(?:sampler_)?weights/|\.safetensors\b", re.IGNORECASE
)
_MODEL = re.compile(r"\bmodels?\b", re.IGNORECASE)
_ROUTE = re.compile(
    r"(?:404[: ]*)?(?:page |route |endpoint )?not found[.!]?|method not allowed[.!]?"
    r"|no such (?:route|endpoint|operation)\b.*|cannot (?:get|post|put|delete) /.*",
    re.IGNORECASE | re.DOTALL,
)
_EXPECTED = re.compile(
    r"\bexpect(?:ed|s|ing)?\b\D{0,40}?(\d{1,18})\b|\b(\d{1,18}) (?:is|was) expected\b"
    r"|\bnext number\D{1,10}(\d{1,18})\b",
    re.IGNORECASE,
)
_OF_A_NUMBER = re.compile(
    r"\bseq(?:_?id|uence)?\b|\bnumber\b|\bduplicate\b"
    r"|\brequest (?:id|exists|already|is already|was already)\b",
    re.IGNORECASE,
)
_OF_A_NAME = re.compile(
    r"\bexists?\b|\btaken\b|\bin use\b|\bname[ds]?\b|\bcheckpoints?\b|\bpath\b"
    r"|\balready (?:public|published|saved)\b|\bpublic already\b|\bmade by another\b",
    re.IGNORECASE,
)


def topic_of(text: str) -> Topic:
    """Say what a sentence is about; a model that is gone comes before the checkpoint to restore it from."""
    if _ROUTE.fullmatch(text.strip()):
        return Topic.ROUTE
    if _MODEL_GONE.search(text):
        return Topic.MODEL_GONE
    return Topic.CHECKPOINT if _CHECKPOINT.search(text) else Topic.OTHER


def is_missing_route(status: int, body: bytes) -> bool:
    """Say whether a refusal is a framework's: it knows no such path, or not with this method."""
    if status not in (404, 405):
        return False
    words = read_error_text(body)
    if words.source is TextSource.UNREADABLE and len(body) <= SHORT_BYTES:
        return bool(_ROUTE.fullmatch(body.decode("utf-8", "replace").strip()))
    return words.topic is Topic.ROUTE


def names_what_is_missing(text: str) -> bool:
    """Say whether a sentence names a checkpoint, a file or a model, and so why nothing could be done."""
    return bool(_CHECKPOINT.search(text) or _MODEL.search(text))


def expected_number(text: str) -> int | None:
    """Return the sequence number that a sentence says is expected; None if it names none."""
    found = _EXPECTED.search(text)
    return int(found[1] or found[2] or found[3]) if found else None


def is_about_a_name(text: str) -> bool:
    """Say whether a sentence is about the name of a thing, and not about the number of a request."""
    return not _OF_A_NUMBER.search(text) and bool(_OF_A_NAME.search(text))


Kind = Literal["name", "next number", "counted", "counts differently", "known", "unclear"]
"""What a 409 means; `read_conflict` says when."""


@attrs.frozen
class Conflict:
    """What a 409 means."""

    kind: Kind
    """The kind of conflict."""
    applied: Applied
    """Whether the request was applied."""


def gives_a_name(operation: str) -> bool:
    """Say whether an operation gives a name that may be taken."""
    return operation.startswith(("save_", "create_", "copy_", "publish_"))


def read_conflict(
    words: ErrorText,
    operation: str,
    *,
    seq_id: int | None = None,
    highest_sent: int = 0,
    resent: bool = False,
    reused: bool = False,
) -> Conflict:
    """Say what a 409 to a request means, on its submission or on a poll.

    `resent` says that it was sent again after an unknown outcome, `reused` that its number was given back by
    a request before it, which the server may have counted all the same.
    """
    expected = expected_number(words.text)
    if expected is not None and seq_id is not None:
        if reused and not resent and expected == seq_id + 1:
            return Conflict("next number", "no")
        if seq_id < expected <= max(highest_sent, seq_id) + 1:
            return Conflict("counted", "yes")
        return Conflict("counts differently", "unknown")
    if words.source is TextSource.TEXT and is_about_a_name(words.text):
        if gives_a_name(operation) and not resent:
            return Conflict("name", "no")
        return Conflict("name", "unknown")
    if resent:
        mine = not reused and words.source is not TextSource.UNREADABLE
        return Conflict("known", "yes") if mine else Conflict("unclear", "unknown")
    if reused and words.source is not TextSource.UNREADABLE:
        return Conflict("next number", "no")
    return Conflict("unclear", "unknown")
