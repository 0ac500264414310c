# Written by codegen.sh from openapi/runtime/redaction.py. Do not edit.
"""Strikes secrets out of what is shown: a server may quote a key, and errors are printed.

Owns how a secret is found and written over, and which headers of others hold one. Which fields and headers of
the API do is the contract's word, in `operations`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import attrs

from .operations import SECRET_HEADERS

SHORTEST = 6
"""Characters of a secret that is worth hiding: a shorter one is a word that results are full of."""

STRUCK = "***"
"""What stands where a secret stood."""

_SECRET_NAME = re.compile(r"(?i)authorization|api-?key|secret|token|cookie|password")
"""What the names of headers with secrets hold, those of proxies and gateways too."""

_CHARACTER = re.compile(rb"\\u[0-9a-fA-F]{4}")
"""A character as JSON spells it by its number."""


@lru_cache(maxsize=256)
def is_secret_header(name: str) -> bool:
    """Tell whether nobody may see the value of a header."""
    return name.lower() in SECRET_HEADERS or _SECRET_NAME.search(name) is not None


def secrets_in_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets in the headers of a request; of `Bearer KEY` the key too."""
    values = (value for name, value in headers.items() if is_secret_header(name))
    return _worth_hiding(part for value in values for part in (value, value.rpartition(" ")[2]))


def secrets_in_value(value: Any) -> tuple[str, ...]:
    """Return the texts in the fields of a value that are in no repr: the contract marks them as secret."""
    if not attrs.has(type(value)):
        return ()
    fields = attrs.fields(type(value))
    return _worth_hiding(
        part for field in fields if not field.repr and isinstance(part := getattr(value, field.name), str)
    )


def _worth_hiding(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in found if len(each) >= SHORTEST))


def struck(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets, however JSON spells them."""
    for secret in secrets:
        text = text.replace(secret, STRUCK)
        if "\\" in text:
            text = _spellings(secret).sub(STRUCK, text)
    return text


def struck_bytes(content: bytes, secrets: Iterable[str]) -> bytes:
    """Return a body without the secrets; the body itself where it has none."""
    for secret in secrets:
        content = content.replace(secret.encode(), STRUCK.encode())
        if b"\\" in content and _may_spell(content, secret):
            shown = _spellings_in_bytes(secret).sub(STRUCK.encode(), content)
            content = content if shown == content else shown
    return content


def _may_spell(content: bytes, secret: str) -> bool:
    """Say whether a body may have the secret with backslashes in it; to search for its spellings is slow."""
    bare = secret.encode().replace(b"\\", b"")
    return bare in content.translate(None, b"\\") or _CHARACTER.search(content) is not None


@lru_cache(maxsize=64)
def _spellings(secret: str) -> re.Pattern[str]:
    """Match a secret in JSON: each character as itself, behind a backslash, or as its number.

    JSON within JSON doubles the backslashes.
    """
    spelt = (rf"(?:\\{{0,8}}{re.escape(each)}|\\{{1,8}}u(?i:{ord(each):04x}))" for each in secret)
    return re.compile("".join(spelt), re.DOTALL)


@lru_cache(maxsize=64)
def _spellings_in_bytes(secret: str) -> re.Pattern[bytes]:
    return re.compile(_spellings(secret).pattern.encode(), re.DOTALL)
