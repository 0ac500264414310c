"""Strikes the secrets of a request out of what comes back: a server may quote a key, and errors are printed.

It owns which headers are secret. It must not log.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tinsmith.io.http.messages import Answer

SECRET_HEADERS = frozenset(
    {
        b"x-api-key",
        b"authorization",
        b"proxy-authorization",
        b"cf-access-client-secret",
        b"x-tinker-weights-access-token",
    }
)
"""Headers whose values nobody may see."""

SHORTEST = 6
"""Characters of a secret that is worth hiding: a shorter one is a word that results are full of."""

LARGEST_BYTES = 256 * 1024
"""Bodies of success above this size are numbers, and are left alone."""


SECRET_FIELDS = ("weights_access_token",)
"""Fields of bodies whose values nobody may see."""


def secrets_in(fields: Mapping[str, object]) -> tuple[str, ...]:
    """Return the secrets that a body of these fields carries."""
    return tuple(value for name in SECRET_FIELDS if isinstance(value := fields.get(name), str))


def secrets_of(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, ...]:
    """Return the secrets that a request carries, of its headers as the wire has them."""
    return tuple(
        value.decode("latin-1")
        for name, value in headers
        if name.lower() in SECRET_HEADERS and len(value) >= SHORTEST
    )


def struck(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets, however JSON spells them."""
    for secret in secrets:
        text = text.replace(secret, "***")
        if "\\" in text:
            text = _spellings(secret).sub("***", text)
    return text


@lru_cache(maxsize=64)
def _spellings(secret: str) -> re.Pattern[str]:
    """Match a secret in JSON: each character as itself, behind a backslash, or as its number.

    JSON within JSON doubles the backslashes.
    """
    spelt = (rf"(?:\\{{0,8}}{re.escape(each)}|\\{{1,8}}u(?i:{ord(each):04x}))" for each in secret)
    return re.compile("".join(spelt), re.DOTALL)


@lru_cache(maxsize=64)
def _spellings_in_bytes(secret: str) -> re.Pattern[bytes]:
    return re.compile(_spellings(secret).pattern.encode("latin-1"), re.DOTALL)


def without_secrets(answer: Answer, secrets: Iterable[str]) -> Answer:
    """Return an answer that quotes no secret of its request."""
    body, headers = answer.body, answer.headers
    for secret in secrets:
        if not answer.ok or len(body) <= LARGEST_BYTES:
            body = body.replace(secret.encode("latin-1"), b"***")
            if b"\\" in body:
                body = _spellings_in_bytes(secret).sub(b"***", body)
        if any(secret in value for value in headers.values()):
            headers = {name: struck(value, [secret]) for name, value in headers.items()}
    if body is answer.body and headers is answer.headers:
        return answer
    return attrs.evolve(answer, body=body, headers=headers)
