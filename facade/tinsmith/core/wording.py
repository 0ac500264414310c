"""What the text of an answer speaks of: a model that is gone, a checkpoint, a route, a number, a name.

Servers tell these by sentences alone, each in its own words. Owns the patterns; decides nothing about what
follows. Whatever is no JSON object with a text of its own is not the server's word but that of something on
the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import attrs
import orjson


class Source(StrEnum):
    """Whose word an error answer is, by its form."""

    TEXT = "text"
    """A JSON object whose `detail` or `error` is a text: the server speaks of what was asked."""
    FIELDS = "fields"
    """A JSON object whose `detail` is a list: the server refuses the request that carried the question."""
    OBJECT = "object"
    """Another JSON object, such as a gateway's `message`."""
    NOTHING = "nothing"
    """No body."""
    UNREADABLE = "unreadable"
    """Anything else, such as a page."""


class Topic(StrEnum):
    """What a text speaks of."""

    MODEL_GONE = "model gone"
    """The server no longer has the model, or the session that it belongs to."""
    CHECKPOINT = "checkpoint"
    """A checkpoint or a file."""
    ROUTE = "route"
    """The server has no such operation."""
    OTHER = "other"
    """Something else."""


@attrs.frozen
class Words:
    """An error answer as far as it is understood."""

    source: Source
    """Whose word it is."""
    text: str = ""
    """The sentence; empty where there is none."""

    @property
    def topic(self) -> Topic:
        """What the sentence speaks of."""
        return topic_of(self.text) if self.source is Source.TEXT else Topic.OTHER


def read_words(body: bytes) -> Words:
    """Understand the body of an error answer."""
    if not body.strip():
        return Words(Source.NOTHING)
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Words(Source.UNREADABLE)
    if not isinstance(payload, Mapping):
        return Words(Source.UNREADABLE)
    for key in ("detail", "error"):
        text = payload.get(key)
        if isinstance(text, str) and text.strip():
            return Words(Source.TEXT, text.strip())
        if key == "detail" and isinstance(text, list) and text:
            return Words(Source.FIELDS)
    return Words(Source.OBJECT)


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
    """Say what a sentence speaks of; a model that is gone comes before the checkpoint to restore it from."""
    if _ROUTE.fullmatch(text.strip()):
        return Topic.ROUTE
    if _MODEL_GONE.search(text):
        return Topic.MODEL_GONE
    return Topic.CHECKPOINT if _CHECKPOINT.search(text) else Topic.OTHER


def is_missing_route(status: int, body: bytes) -> bool:
    """Say whether a refusal is a framework's: it knows no such path, or not with this method."""
    if status not in (404, 405):
        return False
    words = read_words(body)
    if words.source is Source.UNREADABLE and len(body) <= SHORT_BYTES:
        return bool(_ROUTE.fullmatch(body.decode("utf-8", "replace").strip()))
    return words.topic is Topic.ROUTE


def names_what_is_missing(text: str) -> bool:
    """Say whether a sentence names a checkpoint, a file or a model, and so why nothing could be done."""
    return bool(_CHECKPOINT.search(text) or _MODEL.search(text))


def expected_number(text: str) -> int | None:
    """Return the sequence number that a sentence says is expected; None if it speaks of none."""
    found = _EXPECTED.search(text)
    return int(found[1] or found[2] or found[3]) if found else None


def speaks_of_a_name(text: str) -> bool:
    """Say whether a sentence is about the name of a thing, and not about the number of a request."""
    return not _OF_A_NUMBER.search(text) and bool(_OF_A_NAME.search(text))
