"""Tokens that end an answer: the end of sequence, and the token with which a chat template ends a turn.

A model that was trained with a template ends its answers as the template does, which may be by another token
than the end of sequence, at which servers stop by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinsmith.core.errors import TinkerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tinsmith.core.tokenization import Tokenizer


def answer_ends(tokenizer: Tokenizer, chat_template: str | None = None) -> tuple[int, ...]:
    """Return the tokens that end an answer and are not part of it: at most two, the end of sequence first."""
    known = (tokenizer.eos_token_id, turn_end(tokenizer, chat_template))
    return tuple(dict.fromkeys(token for token in known if token is not None))


def chat_stop(tokenizer: Tokenizer, chat_template: str | None = None) -> list[int] | None:
    """Return the `stop` with which a chat's answer is sampled; None where the server stops rightly by itself.

    A stop rule replaces the end of sequence on the server, so that it is among the tokens.
    """
    ends = list(answer_ends(tokenizer, chat_template))
    return None if ends in ([], [tokenizer.eos_token_id]) else ends


def stop_of_chat(tokenizer: Tokenizer, texts: Sequence[str]) -> list[str] | list[int] | None:
    """Return the `stop` of a chat's answer that also ends at some texts.

    A stop rule holds either texts or tokens: beside texts, the ends are named by their texts.
    """
    if not texts:
        return chat_stop(tokenizer)
    ends = [tokenizer.decode([token], skip_special_tokens=False) for token in answer_ends(tokenizer)]
    return [*texts, *(end for end in ends if end not in texts)]


def turn_end(tokenizer: Tokenizer, chat_template: str | None = None) -> int | None:
    """Return the token with which the chat template ends an answer; None where it ends with none.

    `chat_template` is one in place of the tokenizer's own.
    """
    answer = "\ue000answer\ue000"
    turns = [{"role": "user", "content": "question"}, {"role": "assistant", "content": answer}]
    try:
        text = tokenizer.apply_chat_template(turns, chat_template=chat_template, tokenize=False)
    except TinkerError:
        return None
    _, found, tail = str(text).rpartition(answer)
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    after = tokenizer.encode(tail.lstrip(), add_special_tokens=False) if found else []
    return after[0] if after and after[0] in special else None
