"""The tokenizer inside a GGUF file against llama.cpp, token by token, for every pre-tokenizer rule."""

import json
from pathlib import Path
from typing import Any

import pytest
from tinsmith_local.models.gguf_index import read_index
from tinsmith_local.models.gguf_tokenizer import end_token_ids, tokenizer_json
from tinsmith_local.models.pretokenizers import PRE_TOKENIZERS
from tinsmith_local.models.source import ModelFileError
from tokenizers import Tokenizer

from tests.embedded.models.conftest import GOLDEN

REFERENCE: dict[str, Any] = json.loads((GOLDEN / "tokenizers.json").read_text())
TEXTS: list[str] = REFERENCE["texts"]


def _tokenizer(path: Path, **changes: object) -> Tokenizer:
    metadata = {**read_index(path).metadata}
    metadata.update({f"tokenizer.ggml.{key}": value for key, value in changes.items()})
    return Tokenizer.from_str(tokenizer_json(metadata, path).decode())


@pytest.mark.parametrize("pre", sorted(REFERENCE["small"]))
def test_small_vocabulary(pre: str) -> None:
    """A vocabulary whose merges cross every boundary is cut as llama.cpp cuts it."""
    tokenizer = _tokenizer(GOLDEN / "small.gguf", pre=pre)
    for text, wanted in zip(TEXTS, REFERENCE["small"][pre], strict=True):
        assert tokenizer.encode(text, add_special_tokens=False).ids == wanted, (pre, text)


def test_the_texts_distinguish_the_rules() -> None:
    """No two distinct rules give the same tokens for all texts, so that a mix-up of names would show."""
    cuts = {name: json.dumps(ids) for name, ids in REFERENCE["small"].items()}
    assert len(set(cuts.values())) == len(cuts)


def test_every_rule_in_the_table_was_compared() -> None:
    """Each set of patterns in the table has a reference; names that share one are aliases."""
    compared = {PRE_TOKENIZERS[name].patterns for name in REFERENCE["small"]}
    assert {rules.patterns for rules in PRE_TOKENIZERS.values()} == compared


def test_smollm2(smollm2_file: Path) -> None:
    """SmolLM2's own vocabulary: the tokens of llama.cpp for all odd texts, and the texts back again."""
    tokenizer = _tokenizer(smollm2_file)
    for text, wanted in zip(TEXTS, REFERENCE["smollm2"], strict=True):
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert ids == wanted, text
        assert tokenizer.decode(ids, skip_special_tokens=False) == text


def test_each_digit_is_a_token_in_smollm(smollm2_file: Path) -> None:
    """The rule that transformers' conversion drops: every digit is a token of its own."""
    tokenizer = _tokenizer(smollm2_file)
    assert tokenizer.encode("12345", add_special_tokens=False).tokens == list("12345")


def test_bos_is_added_where_the_file_says_so() -> None:
    """`add_bos_token` puts the token in front of a text unless special tokens are switched off."""
    tokenizer = _tokenizer(GOLDEN / "small.gguf", add_bos_token=True)
    assert tokenizer.encode("a").ids[0] == 1
    assert tokenizer.encode("a").ids[1:] == tokenizer.encode("a", add_special_tokens=False).ids


def test_user_defined_tokens_are_kept_when_special_ones_are_dropped() -> None:
    """Type 4 is an ordinary added token, type 3 a special one."""
    metadata = dict(read_index(GOLDEN / "small.gguf").metadata)
    kinds = list(metadata["tokenizer.ggml.token_type"])  # type: ignore[call-overload]
    kinds[0] = 4
    tokenizer = _tokenizer(GOLDEN / "small.gguf", token_type=kinds)
    ids = tokenizer.encode("<|endoftext|>a<|im_end|>").ids
    assert ids[0] == 0
    assert tokenizer.decode(ids, skip_special_tokens=True) == "<|endoftext|>a"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pre": "who-knows"}, "unknown pre-tokenizer 'who-knows'"),
        ({"pre": None}, "unknown pre-tokenizer None"),
        ({"model": "llama"}, "tokenizer model 'llama'"),
        ({"tokens": ["a", "a"]}, "twice"),
        ({"tokens": 5}, "not a list of texts"),
        ({"merges": ["ab"]}, "without a blank"),
        ({"merges": ["qqq zzz"]}, "do not fit"),
    ],
)
def test_refused(changes: dict[str, object], reason: str) -> None:
    """A tokenizer that cannot be built right is an error with file and reason, never a guess."""
    with pytest.raises(ModelFileError, match=reason) as caught:
        _tokenizer(GOLDEN / "small.gguf", **changes)
    assert "small.gguf" in str(caught.value)


def test_end_tokens() -> None:
    """All ends that the metadata names count, once each."""
    metadata = {
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.eot_token_id": 5,
        "tokenizer.ggml.eom_token_id": 2,
    }
    assert end_token_ids(metadata) == (2, 5)
