"""The tokenizer's own rules: settable roles, added tokens, batches, templates, errors, pickles."""

from __future__ import annotations

import json
import pickle
import sys
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest
import tokenizers
from tinsmith.core.errors import InputError, MissingExtraError
from tinsmith.core.tokenization import NO_LIMIT, Tokenizer
from tokenizers import decoders, models, pre_tokenizers, processors

from tests.core.rendering import render

CHATML = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<a>{% endif %}"
)


def tokenizer_json() -> bytes:
    """Make a byte-level tokenizer without merges that puts <s> before every text."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<s>": 0, "</s>": 1, **{letter: i + 2 for i, letter in enumerate(letters)}}
    backend = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 0)]
    )
    backend.add_special_tokens(["<s>", "</s>"])
    backend.enable_padding(length=50)
    backend.enable_truncation(3)
    return backend.to_str().encode()


CONFIG: dict[str, Any] = {
    "bos_token": "<s>",
    "eos_token": {"content": "</s>", "lstrip": False},
    "unk_token": None,
    "additional_special_tokens": ["<tool>"],
    "added_tokens_decoder": {
        "301": {"content": "<late>", "special": False, "normalized": False},
        "300": {"content": "<early>", "special": True},
        "0": {"content": "<s>"},
    },
    "chat_template": CHATML,
    "model_max_length": 1e9,
}


def make(**changes: Any) -> Tokenizer:
    """Build with the config above, some of it changed."""
    return Tokenizer.from_bytes(tokenizer_json(), config={**CONFIG, **changes}, name="tiny")


def test_saved_padding_and_truncation_are_ignored() -> None:
    """A file that was saved while training pads nothing here."""
    assert len(make().encode("hello")) == 6
    assert repr(make()) == "Tokenizer('tiny', 261 tokens)"


def test_tokens_of_the_config_are_added_in_the_order_of_their_ids() -> None:
    """Those missing in the file, then special ones that nobody listed."""
    tokenizer = make()
    assert tokenizer.convert_tokens_to_ids(["<early>", "<late>", "<tool>"]) == [258, 259, 260]
    assert (tokenizer.vocab_size, len(tokenizer), len(tokenizer.vocab)) == (258, 261, 261)
    assert tokenizer.encode("a<late>b", add_special_tokens=False)[1] == 259
    assert tokenizer.decode([258, 259], skip_special_tokens=True) == "<late>"
    assert tokenizer.special_tokens_map == {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "additional_special_tokens": ["<tool>"],
    }
    assert tokenizer.all_special_tokens == ["<s>", "</s>", "<tool>"]
    named = make(additional_special_tokens=None, extra_special_tokens={"image": "<img>"})
    assert named.all_special_tokens[-1] == "<img>"


def test_roles_can_be_set() -> None:
    """Training code sets pad_token, by token or by id, and takes it back."""
    tokenizer = make()
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == (None, None)
    tokenizer.pad_token = tokenizer.eos_token
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == 1
    tokenizer.pad_token_id = 0
    assert tokenizer.pad_token == "<s>"
    tokenizer.pad_token_id = None
    assert tokenizer.pad_token is None
    with pytest.raises(InputError, match="not in the vocabulary"):
        tokenizer.pad_token = "<none>"
    with pytest.raises(InputError, match="999999"):
        tokenizer.pad_token_id = 999_999
    assert Tokenizer.bos_token is None
    assert Tokenizer.bos_token_id is None


def test_one_text_or_many() -> None:
    """Lists for one, lists of lists for many; attributes and items alike."""
    tokenizer = make()
    one = tokenizer("ab", return_offsets_mapping=True)
    assert one.input_ids == one["input_ids"] == tokenizer.encode("ab")
    assert one.offset_mapping == [(0, 0), (0, 1), (1, 2)]
    assert "attention_mask" not in tokenizer("ab", return_attention_mask=False)
    many = tokenizer(["a", "bcd"])
    assert [len(ids) for ids in many.input_ids] == [2, 4]
    assert tokenizer("a", "b").input_ids == tokenizer.encode("a", "b")
    assert tokenizer.encode("a", "b").count(0) == 2
    with pytest.raises(AttributeError, match="token_type_ids"):
        _ = many.token_type_ids
    with pytest.raises(InputError, match="is a int, not a text"):
        tokenizer(cast("Any", [3]))


def test_padding_takes_either_side() -> None:
    """Rows of equal length, with masks; a width; no pad token is an error."""
    tokenizer = make()
    with pytest.raises(InputError, match="pad_token"):
        tokenizer(["a"], padding=True)
    tokenizer.pad_token = "</s>"
    right = tokenizer(["a", "bcd"], padding=True)
    assert right.input_ids[0][-2:] == [1, 1]
    assert right.attention_mask == [[1, 1, 0, 0], [1, 1, 1, 1]]
    tokenizer.padding_side = "left"
    left = tokenizer(["a"], padding="max_length", max_length=5, return_offsets_mapping=True)
    assert left.attention_mask == [[0, 0, 0, 1, 1]]
    assert left.offset_mapping[0][0] == (0, 0)
    assert tokenizer([], padding=True).input_ids == []


def test_truncation_leaves_room_for_special_tokens() -> None:
    """The limit counts them; pairs are refused."""
    tokenizer = make()
    assert tokenizer.encode("abcdef", truncation=True, max_length=3) == tokenizer.encode("ab")
    assert len(tokenizer.encode("abcdef", None, False, truncation=True, max_length=3)) == 3
    assert tokenizer.encode("a", truncation=True, max_length=30) == tokenizer.encode("a")
    assert tokenizer.encode("abc", truncation=True, max_length=0) == [0]
    assert tokenizer.encode("abc", truncation=True) == tokenizer.encode("abc")
    with pytest.raises(InputError, match="pairs"):
        tokenizer.encode("a", "b", truncation=True, max_length=3)


def test_tensors_come_as_arrays_or_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacked rows; unequal ones, an unknown kind, and a missing torch say so."""
    tokenizer = make()
    arrays = tokenizer(["ab", "cd"], return_tensors="np")
    assert arrays.input_ids.shape == (2, 3)
    assert arrays.input_ids.dtype == np.int64
    assert tokenizer("ab", return_tensors="np").input_ids.shape == (1, 3)
    with pytest.raises(InputError, match="padding=True"):
        tokenizer(["a", "bc"], return_tensors="np")
    with pytest.raises(InputError, match="'np' or 'pt'"):
        tokenizer("a", return_tensors=cast("Any", "tf"))
    torch = ModuleType("torch")
    vars(torch)["from_numpy"] = lambda array: ("tensor", array)
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert tokenizer("a", return_tensors="pt").input_ids[0] == "tensor"
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="torch"):
        tokenizer("a", return_tensors="pt")


def test_decoding_takes_any_ids() -> None:
    """An int, a list, an array; several sequences at once."""
    tokenizer = make()
    ids = tokenizer.encode("hey")
    assert tokenizer.decode(ids) == "<s>hey"
    assert tokenizer.decode(np.array(ids), skip_special_tokens=True) == "hey"
    assert tokenizer.decode(ids[1]) == "h"
    assert tokenizer.decode(cast("Any", np.int64(ids[1]))) == "h"
    assert tokenizer.batch_decode([ids, ids[:2]], skip_special_tokens=True) == ["hey", "h"]
    assert tokenizer.convert_ids_to_tokens(0) == "<s>"
    assert tokenizer.convert_ids_to_tokens(ids, skip_special_tokens=True) == ["h", "e", "y"]


@pytest.mark.parametrize("ids", [[-1], -1, [2**32], [1.5], None, "ab", [None]])
def test_ids_that_are_none_are_refused(ids: Any) -> None:
    """What no vocabulary can hold is named, and never rounded."""
    with pytest.raises(InputError, match="token_ids"):
        make().decode(ids)


def test_text_that_is_none_is_refused() -> None:
    """Half of a surrogate pair has no bytes; the place is named."""
    tokenizer = make()
    for call in (tokenizer.encode, tokenizer.tokenize, tokenizer, lambda text: tokenizer.encode("a", text)):
        with pytest.raises(InputError, match="surrogate pair at character 1"):
            call("a\ud800")


def test_spaces_before_punctuation_go_if_the_config_says_so() -> None:
    """Off by default, on by config, and by the call."""
    tokenizer = make(clean_up_tokenization_spaces=True)
    ids = tokenizer.encode("it 's here , do n't", add_special_tokens=False)
    assert tokenizer.decode(ids) == "it's here, don't"
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == "it 's here , do n't"
    assert make().decode(ids) == "it 's here , do n't"


def test_a_backend_without_decoder_joins_by_spaces() -> None:
    """Word-level models have none."""
    words = Tokenizer(tokenizers.Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a")))
    assert words.convert_tokens_to_string(["a", "b"]) == "a b"
    assert (words.model_max_length, words.convert_tokens_to_ids("zzz")) == (NO_LIMIT, None)
    words.unk_token = "a"
    assert words.convert_tokens_to_ids("zzz") == 0


def test_what_is_no_tokenizer_is_refused() -> None:
    """The error names the file."""
    with pytest.raises(InputError, match=r"there is no tokenizer\.json"):
        Tokenizer.from_bytes(b"{}", name="there")


def test_a_tokenizer_pickles() -> None:
    """With its settings, for worker processes."""
    tokenizer = make()
    tokenizer.pad_token = "</s>"
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert copy.encode("x<late>") == tokenizer.encode("x<late>")
    assert (copy.pad_token_id, copy.name_or_path) == (1, "tiny")
    with pytest.raises(InputError, match="clock"):
        copy.apply_chat_template([], chat_template="{{ strftime_now('%Y') }}", tokenize=False)


TURNS = [{"role": "u", "content": "hi"}, {"role": "a", "content": "yo"}]


def test_a_conversation_is_rendered_and_encoded() -> None:
    """Text or ids, one or many, a list or a batch; special tokens are the template's own affair."""
    tokenizer = make()
    assert tokenizer.apply_chat_template(TURNS, tokenize=False) == "<u>hi<a>yo"
    ids = tokenizer.apply_chat_template(TURNS)
    assert ids == tokenizer.encode("<u>hi<a>yo", add_special_tokens=False)
    assert tokenizer.apply_chat_template([TURNS, TURNS]) == [ids, ids]
    assert tokenizer.apply_chat_template([TURNS], tokenize=False) == ["<u>hi<a>yo"]
    assert tokenizer.apply_chat_template([], tokenize=False, add_generation_prompt=True) == "<a>"
    batch = tokenizer.apply_chat_template(TURNS, return_dict=True, return_tensors="np")
    assert batch["attention_mask"].shape == (1, len(ids))
    given = tokenizer.apply_chat_template(
        TURNS, chat_template="{{ bos_token }}{{ extra }}", tokenize=False, extra="!"
    )
    assert given == "<s>!"


def test_named_templates() -> None:
    """A list in the config; tools choose `tool_use`; a name or a text can be given."""
    listed = [{"name": "default", "template": "D"}, {"name": "tool_use", "template": "T"}]
    tokenizer = make(chat_template=listed)
    assert tokenizer.apply_chat_template(TURNS, tokenize=False) == "D"
    assert tokenizer.apply_chat_template(TURNS, tools=[{}], tokenize=False) == "T"
    assert tokenizer.apply_chat_template(TURNS, chat_template="tool_use", tokenize=False) == "T"
    assert tokenizer.apply_chat_template(TURNS, chat_template="X", tokenize=False) == "X"
    with pytest.raises(InputError, match="tiny has no chat template"):
        make(chat_template=None).apply_chat_template(TURNS)


def test_the_last_message_can_be_continued() -> None:
    """The text ends where the last message does."""
    tokenizer = make(chat_template="{% for m in messages %}[{{ m.content }}]{% endfor %}")
    assert tokenizer.apply_chat_template(TURNS, continue_final_message=True, tokenize=False) == "[hi][yo"
    for arguments, problem in (
        ({"add_generation_prompt": True}, "excludes"),
        ({"chat_template": "nothing"}, "drops"),
    ):
        with pytest.raises(InputError, match=problem):
            tokenizer.apply_chat_template(TURNS, continue_final_message=True, **cast("Any", arguments))
    for turns in ([], [{"role": "a", "content": [{"type": "text"}]}]):
        with pytest.raises(InputError, match="last message"):
            render("", cast("Any", turns), continue_final_message=True)


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{% for %}", "refuses"),
        ("{{ messages.append(1) }}", "refuses"),
        ("{{ ''.__class__.__mro__ }}", "refuses"),
        ("{{ 1 + 'a' }}", "refuses"),
    ],
)
def test_a_template_that_refuses_says_why(template: str, problem: str) -> None:
    """Its own words, its mistakes, and what the sandbox forbids."""
    with pytest.raises(InputError, match=problem):
        render(template, TURNS)


def test_a_template_may_ask_for_the_date() -> None:
    """The clock is given from outside."""

    def now() -> datetime:
        return datetime(2026, 2, 3, tzinfo=UTC)

    tokenizer = Tokenizer.from_bytes(tokenizer_json(), now=now)
    text = tokenizer.apply_chat_template(
        TURNS, chat_template="{{ strftime_now('%d %b %Y') }}", tokenize=False
    )
    assert text == "03 Feb 2026"


def test_json_in_templates_is_not_escaped_for_html() -> None:
    """Models were trained on plain JSON."""
    value = {"b": "<é>", "a": [1]}
    assert render("{{ value | tojson }}", [], value=value) == json.dumps(value, ensure_ascii=False)
    dense = "{{ value | tojson(separators=(',', ':'), sort_keys=true, ensure_ascii=true) }}"
    assert render(dense, [], value=value) == '{"a":[1],"b":"<\\u00e9>"}'
