"""Text that comes in pieces: characters stay whole, and no part of a stop text is ever shown."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import tinsmith
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.tokenization import Tokenizer
from tinsmith.gateway.decoding import BROKEN, ChoiceText, HeldBack, TextOfTokens
from tinsmith.gateway.token_texts import TokenTexts
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECES = ["▁Hello", "▁wor", "ld", "▁", "é", *(f"<0x{byte:02X}>" for byte in range(256)), "</s>"]


@cache
def by_bytes() -> Tokenizer:
    """Return the tokenizer of the tiny model, with a token for each byte."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        return service.create_sampling_client(base_model="tinsmith/tiny").get_tokenizer()


@cache
def by_pieces() -> Tokenizer:
    """Return a tokenizer as Llama 2 has it: leading spaces belong to words, and bytes are a last resort."""
    model = models.BPE({piece: number for number, piece in enumerate(PIECES)}, [], byte_fallback=True)
    backend = Backend(model)
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    made = Tokenizer(backend)
    backend.add_special_tokens(["</s>"])
    return made


def cut(tokens: list[int], places: list[int]) -> Iterator[list[int]]:
    """Cut a list at places."""
    bounds = [0, *sorted(place % (len(tokens) + 1) for place in places), len(tokens)]
    for start, end in pairwise(bounds):
        yield tokens[start:end]


@given(st.text(max_size=12), st.binary(max_size=6), st.lists(st.integers(0, 100), max_size=30))
def test_pieces_joined_are_the_text(text: str, noise: bytes, places: list[int]) -> None:
    """However tokens come, the text is that of all of them; a piece never ends within a character."""
    tokens = list(text.encode() + noise)
    reader = TextOfTokens(by_bytes())
    pieces = [reader.feed(part) for part in cut(tokens, places)]
    assert not any(piece.endswith(BROKEN) for piece in pieces)
    assert "".join(pieces) + reader.end() == by_bytes().decode(tokens)


@given(st.lists(st.integers(0, 5), max_size=10), st.lists(st.integers(0, 100), max_size=10))
def test_spaces_between_words_stay(words: list[int], places: list[int]) -> None:
    """A token that reads with a space only behind another one does so across pieces too."""
    tokens = [token for word in words for token in (PIECES.index("<0xE2>") + word if word > 4 else word,)]
    reader = TextOfTokens(by_pieces())
    pieces = [reader.feed(part) for part in cut(tokens, places)]
    assert "".join(pieces) + reader.end() == by_pieces().decode(tokens)


MARKS = st.lists(st.text("ab#", min_size=1, max_size=4), max_size=3)


@given(st.text("ab#", max_size=20), MARKS, st.lists(st.integers(0, 100), max_size=10))
def test_a_mark_is_never_shown(text: str, marks: list[str], places: list[int]) -> None:
    """The shown text ends before the mark that is whole first, and is the same however the text comes."""
    at_once, by_letters = HeldBack(marks), HeldBack(marks)
    shown = [at_once.feed(text), "".join(by_letters.feed(letter) for letter in text)]
    assert at_once.found == by_letters.found
    rests = [at_once.end(), by_letters.end()]
    if at_once.found is None:
        assert not any(mark in text for mark in marks)
        assert [head + rest for head, rest in zip(shown, rests, strict=True)] == [text, text]
    else:
        assert shown[0] == shown[1]
        assert not any(mark in shown[0] for mark in marks)
        assert text.startswith(shown[0] + at_once.found)


@given(st.lists(st.sampled_from([*b"ab#", 256]), max_size=20), st.lists(st.integers(0, 100), max_size=10))
def test_a_choice_ends_at_what_comes_first(tokens: list[int], places: list[int]) -> None:
    """An end token and a stop text both end it, and neither is in its text."""
    pieces = ChoiceText(by_bytes(), ends=[256], stop=["b#"])
    text = "".join([*[pieces.feed(part) for part in cut(tokens, places)], pieces.end()])
    before = tokens[: tokens.index(256)] if 256 in tokens else tokens
    wanted, stop, _ = bytes(before).decode().partition("b#")
    assert text == wanted
    reason = "stop" if stop or 256 in tokens else "length"
    assert pieces.finish_reason("length") == reason


def test_bytes_of_tokens() -> None:
    """A token is the bytes that it stands for, in each kind of vocabulary."""
    bytes_ = TokenTexts(by_bytes())
    assert [bytes_.raw(number) for number in (0, 32, 65, 255)] == [b"\0", b" ", b"A", b"\xff"]
    assert (bytes_.text(65), bytes_.text(0xE2)) == ("A", "bytes:\\xe2")
    end = by_bytes().eos_token_id
    assert end is not None
    assert bytes_.text(end) == "<|im_end|>"
    assert bytes_.raw(1 << 30) == b""
    pieces = TokenTexts(by_pieces())
    assert pieces.raw(PIECES.index("▁Hello")) == b" Hello"
    assert pieces.raw(PIECES.index("<0xE2>")) == b"\xe2"
    assert pieces.text(PIECES.index("é")) == "é"
    assert pieces.text(PIECES.index("</s>")) == "</s>"
