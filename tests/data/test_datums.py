"""Datums of chats and texts: what has weight, what is cut, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, cast

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith import Datum, InputError, ModelInput, SampledSequence
from tinsmith.core.tokenization import Tokenizer
from tinsmith.data import (
    Chat,
    Completion,
    DatumBuilder,
    Preference,
    TrainOn,
    WeightedTokens,
    datum_from_messages,
    datum_from_sample,
    datum_from_text,
)
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "data.json").read_text())
CHATML = GOLDEN["renderers"]["qwen3_instruct"]["template"]
QWEN3 = GOLDEN["renderers"]["qwen3"]["template"]
MARKED = GOLDEN["marked"]
STOP = "<|im_end|>"
COUNTING = (
    "{{ messages | length }} messages: {% for m in messages %}{{ m.role }} {{ m.content }};{% endfor %}"
)


def byte_level() -> Tokenizer:
    """Make a tokenizer with one token a byte, and those of ChatML."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Backend(models.BPE(vocab={letter: n for n, letter in enumerate(letters)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<|im_start|>", STOP])
    return Tokenizer.from_bytes(backend.to_str().encode(), config={"eos_token": STOP}, chat_template=CHATML)


BYTES = byte_level()


def turns(*texts: str) -> list[dict[str, Any]]:
    """Return a chat of a user and an assistant in turn."""
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


def spoken(datum: Datum, tokenizer: Tokenizer = BYTES) -> str:
    """Return what a datum trains on, as text."""
    targets, weights = (datum.loss_fn_inputs[name].data for name in ("target_tokens", "weights"))
    return tokenizer.decode([int(token) for token, weight in zip(targets, weights, strict=True) if weight])


FOUR = turns("Tin?", "Sn", "Lead?", "Pb")


@pytest.mark.parametrize("template", [CHATML, MARKED], ids=["prefixes", "blocks"])
@pytest.mark.parametrize(("train_on", "text"), [("assistant", f"Sn{STOP}Pb{STOP}"), ("last", f"Pb{STOP}")])
def test_the_assistants_words_have_weight(template: str, train_on: TrainOn, text: str) -> None:
    """With the token that ends the turn, by either way; what follows the last of them is left out."""
    datum = datum_from_messages(BYTES, [*FOUR, *turns("Gold?")], train_on, chat_template=template)
    assert spoken(datum) == text
    assert datum.loss_fn_inputs["weights"].data[-1] == 1.0
    whole = BYTES.apply_chat_template(FOUR, tokenize=False)
    assert BYTES.decode(datum.model_input.to_ints()) == whole.removesuffix(f"{STOP}\n")


def test_all_is_every_token() -> None:
    """Whoever speaks; the line end behind the last turn is no part of it."""
    datum = datum_from_messages(BYTES, turns("Tin?"), "all")
    assert spoken(datum) == f"user\nTin?{STOP}"  # behind the first token, which nothing predicts


def test_inputs_and_targets_are_shifted() -> None:
    """Each position predicts the token behind it, in the types of the loss."""
    datum = datum_from_text(BYTES, "a", "b")
    ids = [*BYTES.encode("ab"), BYTES.eos_token_id]
    assert datum.model_input.to_ints() == ids[:-1]
    assert datum.loss_fn_inputs["target_tokens"].data == ids[1:]
    assert datum.loss_fn_inputs["weights"].data == [1.0, 1.0]
    assert datum.loss_fn_inputs["target_tokens"].dtype == "int64"
    assert datum.loss_fn_inputs["weights"].dtype == "float32"


def test_a_prompt_has_no_weight() -> None:
    """An empty one leaves the whole text."""
    assert spoken(datum_from_text(BYTES, "Tin is ", "Sn")) == f"Sn{STOP}"
    assert spoken(datum_from_text(BYTES, "", "Tin is Sn")) == f"in is Sn{STOP}"


def test_a_tokenizer_without_an_end_token_adds_none() -> None:
    """There is nothing to add."""
    tokenizer = Tokenizer(BYTES.backend)
    assert spoken(datum_from_text(tokenizer, "a", "b"), tokenizer) == "b"


@pytest.mark.parametrize("template", [CHATML, MARKED], ids=["prefixes", "blocks"])
def test_a_turn_may_have_a_weight_of_its_own(template: str) -> None:
    """0 leaves it out; the blocks of a template know no weights, so that prefixes tell them."""
    weighed = [FOUR[0], {**FOUR[1], "weight": 0}, FOUR[2], {**FOUR[3], "weight": 0.5}]
    datum = datum_from_messages(BYTES, weighed, chat_template=template)
    assert spoken(datum) == f"Pb{STOP}"
    assert set(datum.loss_fn_inputs["weights"].data) == {0.0, 0.5}
    with pytest.raises(InputError, match="no turn of the assistant with a weight"):
        datum_from_messages(BYTES, weighed[:2], chat_template=template)


@pytest.mark.parametrize("template", [CHATML, MARKED], ids=["prefixes", "blocks"])
@pytest.mark.parametrize("train_on", ["assistant", "last"])
def test_a_chat_without_an_assistant_is_refused(template: str, train_on: TrainOn) -> None:
    """There is nothing to train on."""
    with pytest.raises(InputError, match="no turn of the assistant with a weight"):
        datum_from_messages(BYTES, turns("Tin?"), train_on, chat_template=template)


def test_messages_may_be_objects() -> None:
    """Of attrs, as of dataclasses and pydantic."""
    made = attrs.make_class("Made", ["role", "content"])
    messages = [made(**turn) for turn in FOUR]
    assert spoken(datum_from_messages(BYTES, messages, "last")) == f"Pb{STOP}"


def test_tools_may_be_an_iterator() -> None:
    """Although a chat is rendered several times."""
    template = "{{ tools | tojson }}" + CHATML
    tools = [{"type": "function", "function": {"name": "f"}}]
    datums = [
        datum_from_messages(BYTES, FOUR, tools=given, chat_template=template)
        for given in (tools, iter(tools))
    ]
    assert datums[0] == datums[1]


def test_an_empty_answer_without_an_end_is_refused() -> None:
    """The marker in front of it is no end of it, although it is a special token."""
    template = "{% for m in messages %}<|im_start|>\n{{ m.content }}{% endfor %}"
    template += "{% if add_generation_prompt %}<|im_start|>\n{% endif %}"
    with pytest.raises(InputError, match="has no token to train on"):
        datum_from_messages(BYTES, turns("Tin?", ""), chat_template=template)
    assert spoken(datum_from_messages(BYTES, turns("Tin?", "Sn"), chat_template=template)) == "Sn"


def test_an_unfaithful_template_is_refused() -> None:
    """Where the beginning changes with what follows, nobody can tell the tokens of a turn."""
    with pytest.raises(InputError, match=r"field 'messages\[1\]': is not rendered faithfully"):
        datum_from_messages(BYTES, FOUR, chat_template=COUNTING)
    assert spoken(datum_from_messages(BYTES, FOUR, "all", chat_template=COUNTING)).startswith(" messages")


def test_turns_that_change_as_history_are_datums_of_their_own() -> None:
    """Qwen3 drops the thoughts of earlier turns: each turn is shown as it was written."""
    tokenizer = Tokenizer.from_bytes(
        json.dumps(GOLDEN["families"]["qwen3"]["tokenizer"]).encode(), config={}, chat_template=QWEN3
    )
    chat = GOLDEN["chats"]["thoughts"]
    with pytest.raises(
        InputError, match=r"needs 2 datums, one for each turn.*train on 'last', or use DatumB"
    ):
        datum_from_messages(tokenizer, chat)
    said = [spoken(datum, tokenizer) for datum in DatumBuilder(tokenizer=tokenizer).from_messages(chat)]
    assert said == [
        f"<think>\nFrom {metal}.\n</think>\n\n{symbol}{STOP}"
        for metal, symbol in (("stannum", "Sn"), ("plumbum", "Pb"))
    ]
    assert spoken(datum_from_messages(tokenizer, chat, "last"), tokenizer) == said[1]


def test_a_tokenizer_that_puts_a_blank_in_front_keeps_its_tokens() -> None:
    """Its parts are not the text: a token over the edge of a turn counts with the turn."""
    pieces = ["▁", "u", ":", "a", "b", ":a", "▁u", "<unk>"]
    merges = [(":", "a"), ("▁", "u")]
    vocab = {piece: n for n, piece in enumerate(pieces)}
    backend = Backend(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    backend.decoder = decoders.Metaspace(prepend_scheme="never")
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    tokenizer = Tokenizer(backend, chat_template=template)
    datum = datum_from_messages(tokenizer, turns("u:", "ab"))
    assert spoken(datum, tokenizer) == ":ab"


@pytest.mark.parametrize(("truncation", "kept"), [("left", "d" + STOP), ("right", "abc")])
def test_a_long_text_is_cut_as_told(truncation: Literal["left", "right"], kept: str) -> None:
    """To its last or its first tokens."""
    limit = len(kept.replace(STOP, "x"))
    datum = datum_from_text(BYTES, "", "abcd", max_tokens=limit, truncation=truncation)
    assert (
        BYTES.decode([*datum.model_input.to_ints(), int(datum.loss_fn_inputs["target_tokens"].data[-1])])
        == kept
    )


def test_a_long_text_is_refused_or_dropped() -> None:
    """An error unless the caller chose; a text of just the limit is whole."""
    with pytest.raises(InputError, match="has 5 tokens, 4 are allowed; shorten it, or choose a truncation"):
        datum_from_text(BYTES, "", "abcd", max_tokens=4)
    assert datum_from_text(BYTES, "", "abcd", max_tokens=4, truncation="drop") is None
    assert datum_from_messages(BYTES, FOUR, max_tokens=4, truncation="drop") is None
    assert datum_from_text(BYTES, "", "abcd", max_tokens=5).model_input.length == 4


def test_a_cut_that_leaves_nothing_to_train_on_is_refused() -> None:
    """As is a text of no token."""
    with pytest.raises(InputError, match="has no token to train on in the 3 tokens that are left"):
        datum_from_text(BYTES, "a long prompt", "b", max_tokens=3, truncation="right")
    with pytest.raises(InputError, match="has no token to train on; remove it"):
        datum_from_text(Tokenizer(BYTES.backend), "a", "")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"train_on": "user"}, "field 'train_on': must be one of assistant, last, all, not 'user'"),
        ({"truncation": "middle"}, "field 'truncation': must be one of error, drop, left, right"),
        ({"max_tokens": 1}, "field 'max_tokens': must be at least 2"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    """When the builder is made, not at the first long record."""
    with pytest.raises(InputError, match=said):
        DatumBuilder(tokenizer=BYTES, **settings)


def test_records_make_datums() -> None:
    """Each kind its own; an error names the place of the record."""
    builder = DatumBuilder(tokenizer=BYTES, max_tokens=80)
    assert [spoken(datum) for datum in builder.datums(Chat(FOUR))] == [f"Sn{STOP}Pb{STOP}"]
    assert [spoken(datum) for datum in builder.datums(Completion("a", "b"))] == [f"b{STOP}"]
    with pytest.raises(InputError, match=r"a\.jsonl:7: is a pair of answers; make datums of its `chosen`"):
        builder.datums(Preference(Chat(FOUR), Chat(FOUR), "a.jsonl:7"))
    with pytest.raises(InputError, match=r"a\.jsonl:8: has 101 tokens, 80 are allowed"):
        builder.datums(Completion("", "a" * 100, "a.jsonl:8"))
    with pytest.raises(InputError, match=r"^field 'messages' of a\.jsonl:9: has no turn of the assistant"):
        builder.datums(Chat(turns("Hi"), None, "a.jsonl:9"))
    with pytest.raises(InputError, match=r"^has 101 tokens"):
        builder.datums(Completion("", "a" * 100))


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(lambda text: "<|im" not in text)
CHATS = st.lists(
    st.builds(
        lambda role, text: {"role": role, "content": text},
        st.sampled_from(["system", "user", "assistant"]),
        TEXTS,
    ),
    min_size=1,
    max_size=5,
)


@given(CHATS, st.sampled_from(["assistant", "last"]), st.sampled_from([CHATML, MARKED]))
def test_only_the_assistants_tokens_have_weight(
    chat: list[dict[str, Any]], train_on: TrainOn, template: str
) -> None:
    """All of them, whatever the texts are; tokens and weights are as many."""
    said = [turn["content"] + STOP for turn in chat if turn["role"] == "assistant"]
    builder = DatumBuilder(tokenizer=BYTES, train_on=train_on, chat_template=template)
    if not said:
        with pytest.raises(InputError, match="no turn of the assistant"):
            builder.weighted(Chat(chat))
        return
    (made,) = builder.weighted(Chat(chat))
    assert len(made.tokens) == len(made.weights)
    assert set(made.weights) <= {0.0, 1.0}
    trained = [token for token, weight in zip(made.tokens, made.weights, strict=True) if weight]
    assert trained == BYTES.encode("".join(said if train_on == "assistant" else said[-1:]))
    assert BYTES.apply_chat_template(chat).copy()[: len(made.tokens)] == made.tokens


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0.0, 1.0])), min_size=1), st.integers(2, 9))
def test_a_cut_keeps_what_it_says(pairs: list[tuple[int, float]], limit: int) -> None:
    """The first or the last tokens with their own weights, or an error where none of them counts."""
    text = WeightedTokens(*cast("tuple[list[int], list[float]]", map(list, zip(*pairs, strict=True))))
    for side, place in (("left", slice(-limit, None)), ("right", slice(limit))):
        kept = WeightedTokens(text.tokens[place], text.weights[place])
        if kept.trained:
            assert text.within(limit, cast("Any", side)) == kept
        else:
            with pytest.raises(InputError, match="no token to train on"):
                text.within(limit, cast("Any", side))


ASKED = [{"role": "user", "content": "Tin?"}]
ANSWER = {"role": "assistant", "content": "Sn"}


@pytest.mark.parametrize("record", [Chat(ASKED), Chat([*ASKED, ANSWER]), Completion("Tin is ", "Sn")])
def test_the_prompt_of_a_record(record: Chat | Completion) -> None:
    """It is what stands in front of the answer in training, and nothing of the answer."""
    builder = DatumBuilder(tokenizer=BYTES)
    prompt = BYTES.decode(builder.prompt(record).to_ints())
    if isinstance(record, Completion):
        assert prompt == "Tin is "
    else:
        assert prompt.endswith("<|im_start|>assistant\n")
        assert "Sn" not in prompt
    if record.answer:
        [datum] = builder.datums(record)
        assert datum.model_input.to_ints()[: len(BYTES.encode(prompt))] == BYTES.encode(prompt)


@pytest.mark.parametrize(
    ("record", "answer"),
    [
        (Chat(ASKED), None),
        (Chat([*ASKED, ANSWER]), "Sn"),
        (Chat([*ASKED, ANSWER, *ASKED]), None),
        (Chat([*ASKED, {"role": "assistant", "tool_calls": []}]), None),
        (Completion("Tin is ", "Sn"), "Sn"),
    ],
)
def test_the_answer_of_a_record(record: Chat | Completion, answer: str | None) -> None:
    """The words of a last turn of the assistant, or the completion."""
    assert record.answer == answer


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (Completion("", "Sn", "x.jsonl:1"), "x.jsonl:1: has no prompt to answer"),
        (Preference(Chat(ASKED), Chat(ASKED), "x.jsonl:2"), "x.jsonl:2: is a pair of answers"),
    ],
)
def test_records_without_a_prompt(record: Any, problem: str) -> None:
    """Their place is named."""
    with pytest.raises(InputError, match=problem):
        DatumBuilder(tokenizer=BYTES).prompt(record)


@pytest.mark.parametrize("advantages", [2.0, np.float32(2), [1.0, 2.0, 3.0], np.array([1, 2, 3])])
def test_a_datum_of_a_sample(advantages: Any) -> None:
    """Each position of the answer has its token, its logprob and its advantage; the prompt's have none."""
    answer = SampledSequence(stop_reason="stop", tokens=[7, 8, 9], logprobs=[-1.0, -2.0, -4.0])
    datum = datum_from_sample(ModelInput.from_ints([1, 2]), answer, advantages)
    assert datum.model_input.to_ints() == [1, 2, 7, 8]
    inputs = {name: tensor.tolist() for name, tensor in datum.loss_fn_inputs.items()}
    each = [2.0] * 3 if np.ndim(advantages) == 0 else [1.0, 2.0, 3.0]
    assert inputs["target_tokens"][1:] == [7, 8, 9]
    assert inputs["logprobs"] == [0, -1, -2, -4]
    assert inputs["advantages"] == [0, *each]


@pytest.mark.parametrize(
    ("answer", "advantages", "problem"),
    [
        (SampledSequence(stop_reason="stop", tokens=[]), 1.0, "has no tokens"),
        (SampledSequence(stop_reason="stop", tokens=[7]), 1.0, "has no logprobs"),
        (SampledSequence(stop_reason="stop", tokens=[7], logprobs=[-1.0]), [1.0, 2.0], "are 2 for an answer"),
    ],
)
def test_samples_that_make_no_datum(answer: SampledSequence, advantages: Any, problem: str) -> None:
    """What is missing is named."""
    with pytest.raises(InputError, match=problem):
        datum_from_sample(ModelInput.from_ints([1, 2]), answer, advantages)
