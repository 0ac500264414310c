"""Makes datums for the loss `cross_entropy` from chats and texts: token ids, and a weight for each.

The chat template decides what the model reads. Which of it the assistant wrote is told by the template's own
`{% generation %}` blocks, or else by rendering the beginnings of the chat. Prompts of records and datums of
sampled answers are made here too. Reads no file.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, overload

import attrs

from tinsmith.core.chat_template import marks_generation, plain
from tinsmith.core.errors import InputError
from tinsmith.core.optional_deps import Deferred
from tinsmith.core.values import Datum, EncodedTextChunk, ModelInput, SampledSequence
from tinsmith.data.files import located
from tinsmith.data.records import Chat, Completion, Record, check_choice

if TYPE_CHECKING:
    import numpy.typing as npt
else:  # annotations can be read without numpy
    npt = Deferred("numpy.typing")

TrainOn = Literal["assistant", "last", "all"]
"""Which tokens of a chat are trained on: every turn of the assistant, its last one, or all."""

Truncation = Literal["error", "drop", "left", "right"]
"""What is done with a text that is too long: an InputError is raised, it is left out, or its last or first
tokens are kept."""


class ChatTokenizer(Protocol):
    """What is needed of a tokenizer: `tinsmith.Tokenizer` has it, as have the fast ones of transformers."""

    eos_token_id: Any
    """Id of the token that ends a text."""

    @property
    def added_tokens_decoder(self) -> Mapping[int, Any]:
        """Added tokens by their ids."""

    def __call__(self, text: Any, *, add_special_tokens: bool, return_offsets_mapping: bool) -> Any:
        """Return `input_ids` and `offset_mapping` of a text."""

    def encode(self, text: str) -> list[int]:
        """Return token ids, special tokens in front."""

    def decode(self, token_ids: Any) -> Any:
        """Return the text of token ids."""

    def apply_chat_template(self, conversation: Any, **arguments: Any) -> Any:
        """Render a chat."""

    def get_chat_template(self, chat_template: str | None = None, tools: Any = None) -> str:
        """Return the template that is used."""


@attrs.frozen
class WeightedTokens:
    """A text as the model reads it, with the weight of each token in the loss."""

    tokens: list[int]
    """Token ids."""
    weights: list[float]
    """One for each token. That of the first has no effect: nothing predicts it."""

    @property
    def trained(self) -> int:
        """Number of tokens that are trained on."""
        return sum(weight != 0 for weight in self.weights[1:])

    def within(self, max_tokens: int | None, truncation: Truncation) -> WeightedTokens | None:
        """Return the text cut to `max_tokens` as `truncation` says; None where that drops it.

        InputError if it is too long and may not be cut, and if nothing to train on would be left.
        """
        if max_tokens is None or len(self.tokens) <= max_tokens:
            kept = self
        elif truncation == "error":
            raise InputError(
                f"has {len(self.tokens)} tokens, {max_tokens} are allowed; shorten it, or choose a"
                " truncation: left, right or drop"
            )
        elif truncation == "drop":
            return None
        else:
            place = slice(-max_tokens, None) if truncation == "left" else slice(max_tokens)
            kept = WeightedTokens(self.tokens[place], self.weights[place])
        if not kept.trained:
            cut = f" in the {max_tokens} tokens that are left" if kept is not self else ""
            raise InputError(
                f"has no token to train on{cut}; remove it, or choose another truncation or train_on"
            )
        return kept

    def datum(self) -> Datum:
        """Return the datum: each position predicts the token behind it."""
        import numpy as np

        return Datum(
            model_input=ModelInput.from_ints(self.tokens[:-1]),
            loss_fn_inputs={
                "target_tokens": np.asarray(self.tokens[1:], np.int64),
                "weights": np.asarray(self.weights[1:], np.float32),
            },
        )


@attrs.frozen(kw_only=True)
class DatumBuilder:
    """Makes datums of records, all in the same way.

    >>> import tinsmith
    >>> from tinsmith.data import DatumBuilder
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     tokenizer = service.create_sampling_client(base_model="tinsmith/tiny").get_tokenizer()
    >>> builder = DatumBuilder(tokenizer=tokenizer, max_tokens=64, truncation="left")
    >>> [datum.model_input.length for datum in builder.from_text("Tin is ", "Sn")]
    [9]
    """

    tokenizer: ChatTokenizer = attrs.field(repr=False)
    """The tokenizer of the model that is trained."""
    train_on: TrainOn = attrs.field(default="assistant")
    """Which tokens of a chat are trained on."""
    max_tokens: int | None = attrs.field(default=None)
    """Largest number of tokens of a text, the last one included; None is no limit."""
    truncation: Truncation = attrs.field(default="error")
    """What is done with a longer text."""
    chat_template: str | None = attrs.field(default=None, repr=False)
    """Template, or the name of one of the tokenizer's; None is the tokenizer's own."""
    switches: Mapping[str, Any] = attrs.field(factory=dict)
    """What the template reads besides, such as `{"enable_thinking": False}`."""

    @train_on.validator
    def _check_train_on(self, _: object, value: str) -> None:
        check_choice("train_on", value, get_args(TrainOn))

    @truncation.validator
    def _check_truncation(self, _: object, value: str) -> None:
        check_choice("truncation", value, get_args(Truncation))

    @max_tokens.validator
    def _check_max_tokens(self, _: object, value: int | None) -> None:
        if value is not None and value < 2:
            raise InputError(f"must be at least 2, not {value}", field="max_tokens")

    def datums(self, record: Record) -> list[Datum]:
        """Return the datums of a record; InputError, with the record's place, where it has none.

        A text and most chats make one, a chat that the template writes differently turn by turn makes one for
        each turn. What is dropped as too long makes none.
        """
        try:
            return self._cut(self.weighted(record))
        except InputError as error:
            raise located(error, record.where) if record.where else error from error

    def from_messages(self, messages: Iterable[Any], tools: Iterable[Any] | None = None) -> list[Datum]:
        """Return the datums of a chat, as `datums` does."""
        return self._cut(self._of_chat(messages, tools))

    def from_text(self, prompt: str, completion: str) -> list[Datum]:
        """Return the datum of a prompt and its completion; none if it is dropped as too long."""
        return self._cut([self._of_text(prompt, completion)])

    def prompt(self, record: Chat | Completion) -> ModelInput:
        """Return what the model gets when it is to write the answer of a record, as in training.

        InputError, with the record's place, for a text without a prompt, and for a pair of answers.
        """
        match record:
            case Chat(_, tools):
                tokens = self.tokenizer.apply_chat_template(
                    [plain(message) for message in record.asked],
                    tools=tools,
                    chat_template=self.chat_template,
                    add_generation_prompt=True,
                    **self.switches,
                )
            case Completion(prompt):
                tokens = self.tokenizer.encode(prompt) if prompt else []
            case _:
                raise located(InputError("is a pair of answers; take its `chosen`"), record.where)
        if not tokens:
            raise located(InputError("has no prompt to answer"), record.where)
        return ModelInput.from_ints(list(tokens))

    def weighted(self, record: Record) -> list[WeightedTokens]:
        """Return the texts of a record before they are cut."""
        match record:
            case Chat(messages, tools):
                return self._of_chat(messages, tools)
            case Completion(prompt, completion):
                return [self._of_text(prompt, completion)]
        raise InputError("is a pair of answers; make datums of its `chosen` and its `rejected`")

    def _cut(self, texts: Sequence[WeightedTokens]) -> list[Datum]:
        kept = (text.within(self.max_tokens, self.truncation) for text in texts)
        return [text.datum() for text in kept if text is not None]

    def _of_text(self, prompt: str, completion: str) -> WeightedTokens:
        asked = self.tokenizer.encode(prompt)
        said = list(
            self.tokenizer(completion, add_special_tokens=False, return_offsets_mapping=False)["input_ids"]
        )
        if self.tokenizer.eos_token_id is not None:
            said.append(self.tokenizer.eos_token_id)
        return WeightedTokens([*asked, *said], [0.0] * len(asked) + [1.0] * len(said))

    def _of_chat(self, messages: Iterable[Any], tools: Iterable[Any] | None) -> list[WeightedTokens]:
        turns = [plain(message) for message in messages]
        tools = None if tools is None else list(tools)  # a chat is rendered more than once
        if self.train_on == "all":
            text = self._rendered(turns, tools)
            tokens = list(self._encoded(text[: self._end(text)])["input_ids"])
            return [WeightedTokens(tokens, [1.0] * len(tokens))]
        weights = _weights(turns)
        template = self.tokenizer.get_chat_template(self.chat_template, tools)
        if marks_generation(template) and all(weight == 1 for weight in weights.values()):
            return [self._marked(turns, tools)]
        places = list(weights) if self.train_on == "assistant" else list(weights)[-1:]
        spoken = [self._spoken(turns, place, weights[place], tools) for place in places if weights[place]]
        if not spoken:
            raise _nothing_to_train_on()
        if all(later.before.startswith(turn.whole) for turn, later in pairwise(spoken)):
            return [self._weighted(spoken)]
        return [self._weighted([turn]) for turn in spoken]

    def _spoken(
        self, turns: Sequence[Any], place: int, weight: float, tools: Iterable[Any] | None
    ) -> _Spoken:
        """Render a chat up to a turn of the assistant, without it and with it."""
        before = self._rendered(turns[:place], tools, add_generation_prompt=True)
        whole = self._rendered(turns[: place + 1], tools)
        if not whole.startswith(before):
            raise InputError(
                "is not rendered faithfully: the template writes it behind another text than the one that the"
                " model gets when it is to write it, so nobody can tell its tokens; use a chat template with"
                " {% generation %} blocks, or train on 'all'",
                field=f"messages[{place}]",
            )
        return _Spoken(before, whole, max(len(before), self._end(whole)), weight)

    def _rendered(self, messages: Sequence[Any], tools: Iterable[Any] | None, **arguments: Any) -> str:
        text: str = self.tokenizer.apply_chat_template(
            messages,
            tools=tools,
            chat_template=self.chat_template,
            tokenize=False,
            **arguments,
            **self.switches,
        )
        return text

    def _marked(self, messages: Sequence[Any], tools: Iterable[Any] | None) -> WeightedTokens:
        """Take the mask that the template's own blocks make, up to its end."""
        marked = self.tokenizer.apply_chat_template(
            messages,
            tools=tools,
            chat_template=self.chat_template,
            tokenize=True,
            return_dict=True,
            return_assistant_tokens_mask=True,
            **self.switches,
        )
        mask = [float(weight) for weight in marked["assistant_masks"]]
        if 1.0 not in mask:
            raise _nothing_to_train_on()
        end = len(mask) - mask[::-1].index(1.0)
        if self.train_on == "last":
            start = end - next((n for n, weight in enumerate(mask[:end][::-1]) if not weight), end)
            mask[:start] = [0.0] * start
        return WeightedTokens(list(marked["input_ids"])[:end], mask[:end])

    @cached_property
    def _stops(self) -> tuple[str, ...]:
        return tuple(str(token) for token in self.tokenizer.added_tokens_decoder.values())

    def _end(self, whole: str) -> int:
        """Return where a turn ends: behind the token that ends it, not behind the line end that follows."""
        trimmed = whole.rstrip()
        return len(trimmed if self._stops and trimmed.endswith(self._stops) else whole)

    def _weighted(self, spoken: Sequence[_Spoken]) -> WeightedTokens:
        """Encode a chat up to the end of the last of some turns, which have their weights.

        Where a token would reach over the edge of a turn, the parts are encoded one by one: the model that
        answers gets the first of them whole. That is no way for a tokenizer that writes a blank in front of
        every text: its parts are not the text.
        """
        text = spoken[-1].whole[: spoken[-1].end]
        encoded = self._encoded(text)
        tokens = list(encoded["input_ids"])
        starts = [start for start, _ in encoded["offset_mapping"]]
        ends = [end for _, end in encoded["offset_mapping"]]
        edges = [edge for turn in spoken for edge in (len(turn.before), turn.end)]
        if any(bisect_left(starts, edge) > bisect_right(ends, edge) for edge in edges):
            parts = [self._encoded(text[at:end])["input_ids"] for at, end in pairwise([0, *edges])]
            apart = [token for part in parts for token in part]
            if self.tokenizer.decode(apart) == self.tokenizer.decode(tokens):
                of_parts = [weight for turn in spoken for weight in (0.0, turn.weight)]
                repeated = zip(parts, of_parts, strict=True)
                return WeightedTokens(apart, [weight for part, weight in repeated for _ in part])
        weights = [0.0] * len(tokens)
        for turn in spoken:
            first, behind = bisect_right(ends, len(turn.before)), bisect_left(starts, turn.end)
            weights[first:behind] = [turn.weight] * (behind - first)
        return WeightedTokens(tokens, weights)

    def _encoded(self, text: str) -> Any:
        return self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)


@attrs.frozen
class _Spoken:
    """A turn of the assistant in the text of its chat."""

    before: str
    """What the model gets when it is to write the turn."""
    whole: str
    """That, and the turn."""
    end: int
    """Where the turn ends in `whole`."""
    weight: float


def _weights(turns: Sequence[Any]) -> dict[int, float]:
    """Return the places of the assistant's turns, and the weight of each."""
    spoken = ((place, turn) for place, turn in enumerate(turns) if isinstance(turn, dict))
    return {place: float(turn.get("weight", 1)) for place, turn in spoken if turn.get("role") == "assistant"}


def _nothing_to_train_on() -> InputError:
    return InputError(
        "has no turn of the assistant with a weight; there is nothing to train on", field="messages"
    )


@overload
def datum_from_messages(
    tokenizer: ChatTokenizer,
    messages: Iterable[Any],
    train_on: TrainOn = "assistant",
    *,
    tools: Iterable[Any] | None = None,
    max_tokens: int | None = None,
    truncation: Literal["error", "left", "right"] = "error",
    chat_template: str | None = None,
    switches: Mapping[str, Any] | None = None,
) -> Datum: ...
@overload
def datum_from_messages(
    tokenizer: ChatTokenizer,
    messages: Iterable[Any],
    train_on: TrainOn = "assistant",
    *,
    tools: Iterable[Any] | None = None,
    max_tokens: int | None = None,
    truncation: Truncation,
    chat_template: str | None = None,
    switches: Mapping[str, Any] | None = None,
) -> Datum | None: ...
def datum_from_messages(
    tokenizer: ChatTokenizer,
    messages: Iterable[Any],
    train_on: TrainOn = "assistant",
    *,
    tools: Iterable[Any] | None = None,
    max_tokens: int | None = None,
    truncation: Truncation = "error",
    chat_template: str | None = None,
    switches: Mapping[str, Any] | None = None,
) -> Datum | None:
    """Make the datum of a chat; None if it is too long and `truncation` is "drop".

    `train_on` says what has weight: every turn of the assistant, its last one, or every token. The mask is
    that of the template's `{% generation %}` blocks; a template without them is rendered up to each turn,
    without it and with it. The datum ends with the last token that has weight: what follows cannot change the
    loss.

    Raises InputError for a chat without a turn to train on, for one that is too long, and where the template
    writes a turn differently as soon as others follow (Qwen3 drops its thoughts): then train on "last", or
    make a datum for each turn with `DatumBuilder.from_messages`.

    >>> import tinsmith
    >>> from tinsmith.data import datum_from_messages
    >>> chat = [{"role": "user", "content": "Tin?"}, {"role": "assistant", "content": "Sn"}]
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     tokenizer = service.create_sampling_client(base_model="tinsmith/tiny").get_tokenizer()
    >>> datum = datum_from_messages(tokenizer, chat)
    >>> weights = datum.loss_fn_inputs["weights"].data
    >>> targets = datum.loss_fn_inputs["target_tokens"].data
    >>> tokenizer.decode([token for token, weight in zip(targets, weights) if weight])
    'Sn<|im_end|>'
    """
    builder = DatumBuilder(
        tokenizer=tokenizer,
        train_on=train_on,
        max_tokens=max_tokens,
        truncation=truncation,
        chat_template=chat_template,
        switches=switches or {},
    )
    datums = builder.from_messages(messages, tools)
    if len(datums) > 1:
        raise InputError(
            f"needs {len(datums)} datums, one for each turn of the assistant: this chat template writes a"
            " turn differently as soon as others follow; train on 'last', or use DatumBuilder.from_messages",
            field="messages",
        )
    return datums[0] if datums else None


@overload
def datum_from_text(
    tokenizer: ChatTokenizer,
    prompt: str,
    completion: str,
    *,
    max_tokens: int | None = None,
    truncation: Literal["error", "left", "right"] = "error",
) -> Datum: ...
@overload
def datum_from_text(
    tokenizer: ChatTokenizer,
    prompt: str,
    completion: str,
    *,
    max_tokens: int | None = None,
    truncation: Truncation,
) -> Datum | None: ...
def datum_from_text(
    tokenizer: ChatTokenizer,
    prompt: str,
    completion: str,
    *,
    max_tokens: int | None = None,
    truncation: Truncation = "error",
) -> Datum | None:
    """Make the datum of a prompt and its completion, which alone has weight; None if it is dropped.

    The tokenizer's special tokens stand in front of the prompt as in sampling, and its end token behind the
    completion. An empty prompt trains on the whole text. Raises InputError for a text that is too long.
    """
    builder = DatumBuilder(tokenizer=tokenizer, max_tokens=max_tokens, truncation=truncation)
    datums = builder.from_text(prompt, completion)
    return datums[0] if datums else None


def datum_from_sample(
    prompt: ModelInput, sequence: SampledSequence, advantages: float | Sequence[float] | npt.NDArray[Any]
) -> Datum:
    """Make the datum of a sampled answer, for the losses `importance_sampling`, `ppo` and `cispo`.

    `prompt` is what the sampler got, `sequence` what it answered, with logprobs. `advantages` is one number
    for all tokens of the answer, or one for each. The positions of the prompt have advantage 0, and targets
    without a meaning. Raises InputError for an answer without tokens or logprobs, and for another number of
    advantages than it has tokens.

    >>> from tinsmith import ModelInput, SampledSequence
    >>> from tinsmith.data import datum_from_sample
    >>> answer = SampledSequence(stop_reason="stop", tokens=[7, 8], logprobs=[-0.5, -0.25])
    >>> datum = datum_from_sample(ModelInput.from_ints([1, 2, 3]), answer, 1.5)
    >>> datum.model_input.to_ints(), datum.loss_fn_inputs["advantages"].tolist()
    ([1, 2, 3, 7], [0.0, 0.0, 1.5, 1.5])
    """
    import numpy as np

    tokens, logprobs = sequence.tokens, sequence.logprobs
    if not tokens or logprobs is None:
        raise InputError(f"has no {'logprobs' if tokens else 'tokens'}", field="sequence")
    each = np.asarray(advantages) if np.ndim(advantages) else np.full(len(tokens), advantages)
    if len(each) != len(tokens):
        raise InputError(f"are {len(each)} for an answer of {len(tokens)} tokens", field="advantages")
    masked = np.zeros(prompt.length - 1)
    answered = [EncodedTextChunk(tokens=tokens[:-1])] if len(tokens) > 1 else []
    return Datum(
        model_input=ModelInput(chunks=[*prompt.chunks, *answered]),
        loss_fn_inputs={
            "target_tokens": np.concatenate([masked, tokens]).astype(np.int64),
            "logprobs": np.concatenate([masked, logprobs]).astype(np.float32),
            "advantages": np.concatenate([masked, each]).astype(np.float32),
        },
    )
