"""The bytes of single tokens, for log-probabilities: a token may hold a part of a character.

Owns how the vocabularies write bytes. The text of several tokens is made by `gateway.decoding`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinsmith.core.tokenization import Tokenizer

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


@cache
def _bytes_by_letter() -> dict[str, int]:
    """Return which byte each letter of a byte-level vocabulary stands for (GPT-2's table)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in set(plain)]
    letters = {chr(byte): byte for byte in plain}
    return letters | {chr(0x100 + place): byte for place, byte in enumerate(others)}


class TokenTexts:
    """The bytes and the texts of the tokens of one vocabulary."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._added = set(tokenizer.added_tokens_decoder)
        self._known: dict[int, bytes] = {}

    def raw(self, token: int) -> bytes:
        """Return the bytes of a token."""
        found = self._known.get(token)
        if found is None:
            found = self._known[token] = self._read(token)
        return found

    def text(self, token: int) -> str:
        r"""Return the text of a token; what is no whole character is written as `bytes:\xe2\x82`."""
        raw = self.raw(token)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)

    def _read(self, token: int) -> bytes:
        piece = self._tokenizer.convert_ids_to_tokens(token)
        if piece is None:
            return b""
        if token in self._added:
            return piece.encode()
        letters = _bytes_by_letter()
        if all(letter in letters for letter in piece):
            raw = bytes(letters[letter] for letter in piece)
            if raw.decode(errors="replace") == self._tokenizer.decode(
                [token], clean_up_tokenization_spaces=False
            ):
                return raw
        if byte := _BYTE.fullmatch(piece):
            return bytes([int(byte[1], 16)])
        return piece.replace("\u2581", " ").encode()
