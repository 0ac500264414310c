"""A conversation with a model: its turns, how answers are drawn, and how much room is left.

Owns the messages and their tokens. Prints nothing, and knows no terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import orjson

from tinsmith.core.answer_ends import answer_ends, chat_stop
from tinsmith.core.errors import InputError, TinkerError
from tinsmith.core.negotiation import context_tokens
from tinsmith.core.values import ModelInput, SamplingParams
from tinsmith.gateway.decoding import ChoiceText

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tinsmith.clients.sampling import SamplingClient
    from tinsmith.clients.service import ServiceClient
    from tinsmith.io.queues.sample_stream import SampleStream


class ContextFullError(TinkerError):
    """The conversation leaves no room for an answer."""


@attrs.frozen(kw_only=True)
class ChatParams:
    """How answers are drawn."""

    temperature: float = 0.7
    """How random the text is; 0 always takes the likeliest token."""
    top_p: float = 1.0
    """Draws from the likeliest tokens that together have this probability."""
    max_tokens: int = 1024
    """Largest number of tokens of an answer."""
    seed: int | None = None
    """The same seed draws the same answer to the same conversation; None draws anew each time."""

    def __attrs_post_init__(self) -> None:
        SamplingParams(
            temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens, seed=self.seed
        )

    def __str__(self) -> str:
        values = attrs.asdict(self).items()
        return ", ".join(f"{name} {'none' if value is None else value}" for name, value in values)

    def changed(self, words: list[str]) -> ChatParams:
        """Return them with others, such as `temperature 0.2 seed none`; InputError says what is wrong."""
        names = [field.name for field in attrs.fields(ChatParams)]
        given = [part for word in words for part in word.split("=") if part]
        if len(given) % 2:
            raise InputError(f"give names and values, such as temperature 0.2; names are {', '.join(names)}")
        changes: dict[str, Any] = {}
        for name, value in zip(given[::2], given[1::2], strict=True):
            if name not in names:
                raise InputError(f"there is no {name}; names are {', '.join(names)}")
            kind = float if name in ("temperature", "top_p") else int
            try:
                changes[name] = None if name == "seed" and value == "none" else kind(value)
            except ValueError:
                what = "a whole number" if kind is int else "a number"
                raise InputError(f"{name} must be {what}, not {value}") from None
        return attrs.evolve(self, **changes)


class ChatAnswer:
    """One answer while it is drawn: an iterator of its text, in pieces of whole characters."""

    def __init__(self, stream: SampleStream, text: ChoiceText, prompt_tokens: int, room: int | None) -> None:
        self._stream, self._text, self._room = stream, text, room
        self.prompt_tokens = prompt_tokens
        """Tokens of the conversation before it."""
        self.content = ""
        """What has come of its text."""
        self.stop_reason: str | None = None
        """`stop`, or `length` where it was cut; None before the end, and where it was stopped."""

    @property
    def tokens(self) -> int:
        """Tokens of it that were drawn."""
        return self._text.tokens

    @property
    def fills_context(self) -> bool:
        """Whether it was cut since the context of the model is full, and not by `max_tokens`."""
        return self.stop_reason == "length" and self._room is not None and self.tokens >= self._room

    def __iter__(self) -> Iterator[str]:
        with self._stream:
            for piece in self._stream:
                yield from self._shown(self._text.feed(piece.tokens))
                if piece.stop_reason is not None:
                    yield from self._shown(self._text.end())
                    self.stop_reason = self._text.finish_reason(piece.stop_reason)

    def _shown(self, text: str) -> Iterator[str]:
        if text:
            self.content += text
            yield text

    def stop(self) -> None:
        """Stop drawing, at the server too."""
        self._stream.close()


class Dialogue:
    """A conversation with one model."""

    def __init__(self, sampler: SamplingClient, context_tokens: int | None, system: str | None) -> None:
        self._sampler = sampler
        self._tokenizer = sampler.get_tokenizer()
        self._context_tokens = context_tokens
        self._turns: list[dict[str, str]] = []
        self.system = system
        """The system message; None for that of the chat template."""
        self.params = ChatParams()
        """How answers are drawn."""
        self.model = sampler.get_base_model()
        """The base model."""
        self._tokenizer.get_chat_template()  # before anything is said: InputError where there is none
        self._ends, self._stop = answer_ends(self._tokenizer), chat_stop(self._tokenizer)

    @classmethod
    def with_model(
        cls, service: ServiceClient, sampler: SamplingClient, system: str | None = None
    ) -> Dialogue:
        """Begin a conversation with the model of a sampler."""
        models = service.get_server_capabilities().supported_models
        names = (sampler.get_base_model(), sampler.get_tokenizer().name_or_path)
        return cls(sampler, context_tokens(models, *names), system)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The messages so far."""
        system = [{"role": "system", "content": self.system}] if self.system is not None else []
        return [*system, *self._turns]

    @property
    def questions(self) -> int:
        """How many turns the user has had."""
        return sum(turn["role"] == "user" for turn in self._turns)

    def ask(self, text: str) -> ChatAnswer:
        """Add a turn of the user, and begin the answer; ContextFullError where there is no room for it."""
        turn = {"role": "user", "content": text}
        try:
            prompt = list(
                self._tokenizer.apply_chat_template(
                    [*self.messages, turn], tokenize=True, add_generation_prompt=True
                )
            )
        except InputError as refused:
            if self.system is None:
                raise
            raise InputError(f"{refused.problem}; /system - leaves out the system message") from refused
        room = None if self._context_tokens is None else self._context_tokens - len(prompt)
        if room is not None and room < 1:
            raise ContextFullError(
                f"the context of {self.model}, {self._context_tokens} tokens, is full: with this turn the"
                f" conversation has {len(prompt)}. {WHAT_TO_DO}"
            )
        params = SamplingParams(
            max_tokens=self.params.max_tokens if room is None else min(self.params.max_tokens, room),
            temperature=self.params.temperature,
            top_p=self.params.top_p,
            seed=self.params.seed,
            stop=self._stop,
        )
        stream = self._sampler.stream(ModelInput.from_ints(prompt), params)
        self._turns.append(turn)
        return ChatAnswer(stream, ChoiceText(self._tokenizer, ends=self._ends, stop=()), len(prompt), room)

    def keep(self, answer: ChatAnswer) -> bool:
        """End an answer. Return whether it is kept: one of which nothing came is dropped, with its turn."""
        answer.stop()
        if answer.content or answer.stop_reason is not None:
            self._turns.append({"role": "assistant", "content": answer.content})
            return True
        self._turns.pop()
        return False

    def undo(self) -> bool:
        """Drop the last question and its answer; return whether there was one."""
        kept = self._turns[:-2]
        changed, self._turns = len(kept) != len(self._turns), kept
        return changed

    def clear(self) -> None:
        """Drop all turns."""
        self._turns = []

    def save(self, path: Path) -> None:
        """Add the conversation to a file of chats, as a line of JSON."""
        line = orjson.dumps({"messages": self.messages}) + b"\n"
        with path.expanduser().open("ab") as file:
            file.write(line)


WHAT_TO_DO = "/undo drops the last turn, /clear all of them; /save FILE keeps the conversation first."
"""What helps where the context is full."""
