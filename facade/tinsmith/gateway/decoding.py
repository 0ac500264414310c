"""Text of tokens that come one after the other: whole characters, and nothing behind a stop text.

Owns what may be shown already. Knows neither requests nor answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tinsmith.core.tokenization import Tokenizer

BROKEN = "\ufffd"
"""What stands for bytes that are no character; at the end of a text the rest of it may follow."""


class TextOfTokens:
    """Tokens to text, piece by piece; the pieces joined are the text of all tokens.

    A piece is held back while it ends within a character. What a token reads as may depend on the one before
    it, such as a leading space: each step decodes the tokens of the step before as well.
    """

    def __init__(self, tokenizer: Tokenizer, *, skip_special: bool = True) -> None:
        self._tokenizer, self._skip = tokenizer, skip_special
        self._before: list[int] = []
        self._new: list[int] = []

    def feed(self, tokens: Iterable[int]) -> str:
        """Take tokens, and return what of their text is whole."""
        self._new += tokens
        text = self._text()
        return "" if text.endswith(BROKEN) else self._shown(text)

    def end(self) -> str:
        """Return what was held back."""
        return self._shown(self._text())

    def _text(self) -> str:
        both = self._decode(self._before + self._new)
        return both[len(self._decode(self._before)) :] if self._before else both

    def _shown(self, text: str) -> str:
        if text:
            self._before, self._new = self._new, []
        return text

    def _decode(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.decode(
            tokens, skip_special_tokens=self._skip, clean_up_tokenization_spaces=False
        )


class HeldBack:
    """A text that comes in pieces, up to the first of some marks; a piece of a mark is never let out."""

    def __init__(self, marks: Sequence[str]) -> None:
        self._marks = [mark for mark in marks if mark]
        self._kept = ""
        self.found: str | None = None
        """The mark that ended the text."""

    def feed(self, piece: str) -> str:
        """Take a piece, and return what cannot belong to a mark."""
        if self.found is not None:
            return ""
        text = self._kept + piece
        places = [(text.find(mark) + len(mark), -len(mark), mark) for mark in self._marks if mark in text]
        if places:  # the one that is whole first, however the text came
            end, _, self.found = min(places)
            self._kept = text[end:]
            return text[: end - len(self.found)]
        keep = max((_overlap(text, mark) for mark in self._marks), default=0)
        self._kept = text[len(text) - keep :]
        return text[: len(text) - keep]

    def end(self) -> str:
        """Return what was held back: the text behind the mark, or what only began like one."""
        kept, self._kept = self._kept, ""
        return kept


def _overlap(text: str, mark: str) -> int:
    """Return how much of the end of a text is the beginning of a mark."""
    for size in range(min(len(text), len(mark) - 1), 0, -1):
        if text.endswith(mark[:size]):
            return size
    return 0


class ChoiceText:
    """The text of one sampled sequence, as an answer shows it."""

    def __init__(
        self, tokenizer: Tokenizer, *, ends: Iterable[int], stop: Sequence[str], skip_special: bool = True
    ) -> None:
        self._text = TextOfTokens(tokenizer, skip_special=skip_special)
        self._ends, self._stop = frozenset(ends), HeldBack(stop)
        self.tokens = 0
        """Tokens that were sampled for it."""
        self.is_over = False
        """Whether nothing that comes later belongs to the text."""
        self._ended = False

    def feed(self, tokens: Sequence[int]) -> str:
        """Take sampled tokens, and return the text that may be shown."""
        if self.is_over:
            return ""
        place = next((at for at, token in enumerate(tokens) if token in self._ends), None)
        self.tokens += len(tokens) if place is None else place + 1
        piece = self._stop.feed(self._text.feed(tokens[:place]))
        if place is not None and self._stop.found is None:
            piece += self.end()
        self.is_over = self._ended = place is not None or self._stop.found is not None
        return piece

    def end(self) -> str:
        """Return what is left to show once no more tokens come."""
        if self.is_over:
            return ""
        rest = self._stop.feed(self._text.end())
        self.is_over, self._ended = True, self._stop.found is not None
        return rest if self._stop.found is not None else rest + self._stop.end()

    def finish_reason(self, stop_reason: str | None) -> str:
        """Return why the text ended: at an end or a stop text, or because it got too long."""
        return "stop" if self._ended or stop_reason == "stop" else "length"
