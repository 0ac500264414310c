"""The records of training data: a chat, a prompt with its completion, a pair of which one is preferred."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from tinsmith.core.errors import InputError

Message = dict[str, Any]
"""One turn: `role`, `content` (a text), and where it has them `tool_calls` and `reasoning_content`.

`weight` says how much an assistant's turn counts in the loss: 0 leaves it out, absent is 1.
"""


@attrs.frozen
class Chat:
    """A conversation, with the tools that the assistant could call."""

    messages: list[Message]
    """The turns, in their order."""
    tools: list[dict[str, Any]] | None = None
    """Tools as the OpenAI API describes them."""
    where: str = attrs.field(default="", eq=False)
    """Place in the file, for errors: `chats.jsonl:7`."""

    @property
    def asked(self) -> list[Message]:
        """The turns in front of the answer: all, but for a last one of the assistant."""
        is_answered = bool(self.messages) and self.messages[-1]["role"] == "assistant"
        return self.messages[:-1] if is_answered else self.messages

    @property
    def answer(self) -> str | None:
        """The words of a last turn of the assistant; None where there are none."""
        is_answered = len(self.asked) < len(self.messages)
        return self.messages[-1].get("content") or None if is_answered else None


@attrs.frozen
class Completion:
    """A text to write, and the text in front of it."""

    prompt: str
    """What is not trained on; empty where all of a text is."""
    completion: str
    """What is trained on."""
    where: str = attrs.field(default="", eq=False)
    """Place in the file, for errors."""

    @property
    def answer(self) -> str:
        """The completion."""
        return self.completion


@attrs.frozen
class Preference:
    """Two records with the same beginning, the better answer and the worse one; only these have weight."""

    chosen: Chat | Completion
    """The better one."""
    rejected: Chat | Completion
    """The worse one."""
    where: str = attrs.field(default="", eq=False)
    """Place in the file, for errors."""


Record = Chat | Completion | Preference
"""What one row of a file holds."""


def read_text(value: Any, field: str) -> str:
    """Return a text, or the texts of a list of text parts as one."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise InputError(f"must be a text, not {_kind(value)}", field=field)
    texts = []
    for place, part in enumerate(value):
        fields = read_mapping(part, f"{field}[{place}]")
        if not isinstance(fields.get("text"), str):
            kind = fields.get("type", "unknown")
            raise InputError(f"is a part of kind {kind!r}; only texts are read", field=f"{field}[{place}]")
        texts.append(fields["text"])
    return "".join(texts)


def read_mapping(value: Any, field: str) -> Mapping[str, Any]:
    """Return an object with named fields."""
    if not isinstance(value, Mapping):
        raise InputError(f"must be an object, not {_kind(value)}", field=field)
    return value


def read_list(value: Any, field: str) -> Sequence[Any]:
    """Return a list that holds something."""
    if not isinstance(value, list) or not value:
        what = "is empty" if value == [] else f"must be a list, not {_kind(value)}"
        raise InputError(f"{what}; give at least one entry, or remove the record", field=field)
    return value


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return kinds.get(type(value), "a number")


def check_choice(field: str, value: object, choices: Iterable[str]) -> None:
    """Raise InputError for `field` unless its value is one of some words."""
    if value not in (known := tuple(choices)):
        raise InputError(f"must be one of {', '.join(known)}, not {value!r}", field=field)
