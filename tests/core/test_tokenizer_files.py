"""The files of a tokenizer: read together, written so that they read back, refused by name; odd batches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from tinsmith.core.errors import InputError, TinkerError
from tinsmith.core.tokenization import NO_LIMIT, Tokenizer
from tinsmith.core.tokenizer_files import FILES, TokenizerId, read_settings, tokenizer_id

from tests.core.test_tokenizer import make, tokenizer_json

if TYPE_CHECKING:
    from pathlib import Path


def dump(value: Any) -> bytes:
    """Write JSON."""
    return json.dumps(value).encode()


def test_templates_in_files_come_before_those_in_the_config() -> None:
    """One alone is a text; several have names."""
    files = {
        "tokenizer_config.json": b'\xef\xbb\xbf{"chat_template": "C"}',
        "chat_template.jinja": b"\xef\xbb\xbfF",
    }
    settings = read_settings(files, "x")
    assert (settings.config["chat_template"], settings.chat_template) == ("C", "F")
    files["additional_chat_templates/tool_use.jinja"] = b"T"
    assert read_settings(files, "x").chat_template == {"default": "F", "tool_use": "T"}
    assert read_settings({}, "x").chat_template is None
    made = Tokenizer.from_bytes(
        tokenizer_json(), config=settings.config, chat_template=read_settings(files, "x").chat_template
    )
    assert made.apply_chat_template([], tools=[{}], tokenize=False) == "T"


def test_older_files_count_where_the_config_is_silent() -> None:
    """Nulls change nothing; a config with `added_tokens_decoder` has the last word."""
    old = {
        "special_tokens_map.json": dump({"eos_token": "<e>", "bos_token": None}),
        "added_tokens.json": dump({"<b>": 8, "<a>": 7}),
    }
    config = read_settings({"tokenizer_config.json": dump({"bos_token": "<s>"}), **old}, "x").config
    assert (config["bos_token"], config["eos_token"]) == ("<s>", "<e>")
    assert {key: one["content"] for key, one in config["added_tokens_decoder"].items()} == {
        "7": "<a>",
        "8": "<b>",
    }
    new = {"tokenizer_config.json": dump({"added_tokens_decoder": {}}), **old}
    assert read_settings(new, "x").config == {"added_tokens_decoder": {}}


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("tokenizer_config.json", b"{", "tokenizer_config.json of x is no JSON"),
        ("tokenizer_config.json", b"[]", "holds a list, not an object"),
        ("special_tokens_map.json", b"\xff", "special_tokens_map.json of x is no JSON"),
        ("added_tokens.json", b'{"a": "b"}', "does not give each token an id of its own"),
        ("added_tokens.json", b'{"a": 1, "b": 1}', "does not give each token an id of its own"),
        ("chat_template.jinja", b"\xff", "chat_template.jinja of x is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(name: str, content: bytes, problem: str) -> None:
    """With whose it is."""
    with pytest.raises(InputError, match=problem):
        read_settings({name: content}, "x")


@pytest.mark.parametrize(
    ("decoder", "problem"),
    [
        ([], None),
        (["<a>"], "is a list, not an object"),
        ({"a": {"content": "<a>"}}, "has 'a' for a token id"),
        ({"7": {}}, "tells no content of token 7"),
        ({"7": "<a>"}, "tells no content of token 7"),
    ],
)
def test_added_tokens_of_another_shape(decoder: Any, problem: str | None) -> None:
    """They are refused by what is wrong."""
    if problem is None:
        assert len(make(added_tokens_decoder=decoder)) == 259
        return
    with pytest.raises(InputError, match=problem):
        make(added_tokens_decoder=decoder)


def test_a_pointer_of_git_lfs_is_called_that() -> None:
    """It is what a clone without git-lfs has in the file's place."""
    with pytest.raises(InputError, match=r"tokenizer\.json of x is a Git LFS pointer"):
        Tokenizer.from_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", name="x")


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        ({"model_max_length": 77}, 77),
        ({"model_max_length": 1e30}, NO_LIMIT),
        ({"max_len": 12}, 12),
        ({"model_max_length": float("inf")}, NO_LIMIT),
        ({"model_max_length": "77"}, NO_LIMIT),
        ({"model_max_length": 0}, NO_LIMIT),
        ({}, NO_LIMIT),
    ],
)
def test_the_models_limit(config: dict[str, Any], limit: int) -> None:
    """From the config, under either name; what is no number of tokens is none."""
    assert Tokenizer.from_bytes(tokenizer_json(), config=config).model_max_length == limit


def test_a_saved_tokenizer_reads_back(tmp_path: Path) -> None:
    """Everything that was set is in the files; what another tokenizer left there is gone."""
    tokenizer = make(
        padding_side="left", truncation_side="left", model_max_length=99, own="kept", image_token="<i>"
    )
    tokenizer.pad_token = "</s>"
    tokenizer.chat_template = {"default": "D", "tool_use": "T"}
    folder = tmp_path / "deep" / "er"
    (folder / "additional_chat_templates").mkdir(parents=True)
    (folder / "additional_chat_templates" / "old.jinja").write_text("old")
    (folder / "special_tokens_map.json").write_text('{"eos_token": "<old>"}')
    (folder / "weights.bin").write_text("left alone")
    paths = tokenizer.save_pretrained(folder)
    names = [
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "additional_chat_templates/tool_use.jinja",
    ]
    assert paths == tuple(str(folder / name) for name in names)
    assert not (folder / "special_tokens_map.json").exists()
    assert (folder / "weights.bin").exists()
    there = {name: (folder / name).read_bytes() for name in names}
    settings = read_settings(there, "x")
    again = Tokenizer.from_bytes(
        there["tokenizer.json"], config=settings.config, chat_template=settings.chat_template
    )
    assert settings.config["own"] == "kept"
    assert again.get_vocab() == tokenizer.get_vocab()
    assert again.special == tokenizer.special
    assert again.added_tokens_encoder == tokenizer.added_tokens_encoder
    for name in ("chat_template", "padding_side", "truncation_side", "model_max_length"):
        assert getattr(again, name) == getattr(tokenizer, name)
    text = "a<late>b<early></s>"
    assert again.decode(again.encode(text), skip_special_tokens=True) == "a<late>b"
    without = make(chat_template=None, additional_special_tokens=None)
    assert len(without.save_pretrained(str(folder))) == 2
    assert sorted(path.name for path in folder.iterdir() if path.name in FILES) == sorted(names[:2])


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a\\b", "C:x", ".hidden"])
def test_a_template_whose_name_leaves_the_folder_is_not_written(name: str, tmp_path: Path) -> None:
    """Names come from files of strangers."""
    tokenizer = make(chat_template=[{"name": name, "template": "x"}])
    with pytest.raises(InputError, match="cannot be the name of a file"):
        tokenizer.save_pretrained(tmp_path / "in")
    assert not (tmp_path / "in").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file in its place, for one."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(TinkerError, match=r"cannot be written to .*file"):
        make().save_pretrained(tmp_path / "file")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"padding": "longer"}, "'padding': must be one of"),
        ({"truncation": "shortest"}, "'truncation': must be one of"),
        ({"max_length": -1}, "'max_length': must be a whole number >= 0"),
        ({"max_length": 1.5}, "'max_length': must be a whole number"),
        ({"pad_to_multiple_of": 0}, "'pad_to_multiple_of': must be a whole number >= 1"),
        ({"padding_side": "top"}, "'padding_side': must be 'left' or 'right'"),
    ],
)
def test_lengths_and_sides_that_make_no_sense(arguments: dict[str, Any], problem: str) -> None:
    """They are named before anything is encoded."""
    with pytest.raises(InputError, match=problem):
        make()("a", **arguments)


def test_padding_to_the_models_limit() -> None:
    """Where it has one; else nothing is filled up."""
    tokenizer = make(model_max_length=5)
    tokenizer.pad_token = "</s>"
    assert len(tokenizer("a", padding="max_length").input_ids) == 5
    tokenizer.model_max_length = NO_LIMIT
    assert len(tokenizer("a", padding="max_length").input_ids) == 2
    assert tokenizer.encode("a", padding="max_length", max_length=4, return_tensors="np").shape == (1, 4)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "needs encoded texts"),
        ("text", "needs encoded texts"),
        (3, "needs encoded texts"),
        ([[1, 2]], "needs encoded texts"),
        ([{"input_ids": [1]}, {"ids": [1]}], "with the same fields each"),
        ({"ids": [1]}, r"no 'input_ids' among \['ids'\]"),
        ({"input_ids": 3}, "holds a int where rows belong"),
        ({"input_ids": "abc"}, "holds a str where rows belong"),
        ({"input_ids": [[1], [2]], "labels": [1]}, "'labels' has another number of rows"),
    ],
)
def test_what_cannot_be_padded(given: Any, problem: str) -> None:
    """It is said what it lacks."""
    tokenizer = make()
    tokenizer.pad_token = "</s>"
    with pytest.raises(InputError, match=problem):
        tokenizer.pad(given)


def test_padding_of_arrays_and_into_arrays() -> None:
    """Rows as arrays or tuples; labels that differ in length are named, single ones are stacked."""
    tokenizer = make()
    tokenizer.pad_token = "</s>"
    rows: list[dict[str, Any]] = [{"input_ids": np.array([5, 6]), "n": 1}, {"input_ids": (7,), "n": 2}]
    batch = tokenizer.pad(rows, return_tensors="np")
    assert batch.input_ids.tolist() == [[5, 6], [7, 1]]
    assert batch.n.tolist() == [1, 2]
    assert "attention_mask" not in tokenizer.pad({"input_ids": [[5]]}, return_attention_mask=False)
    assert tokenizer.pad({"input_ids": []}) == {"input_ids": [], "attention_mask": []}
    uneven = {"input_ids": [[5, 6], [7]], "labels": [[1, 2], [3]]}
    with pytest.raises(InputError, match="field 'labels' is not padded"):
        tokenizer.pad(uneven, return_tensors="np")
    with pytest.raises(InputError, match="no whole number"):
        tokenizer.pad({"input_ids": [[5]], "texts": [["a"]]}, return_tensors="np")
    assert cast("Any", tokenizer.added_tokens_decoder[0]).special


@pytest.mark.parametrize(
    ("model", "named", "expected"),
    [
        ("Qwen/Qwen3-8B", None, TokenizerId("Qwen/Qwen3-8B")),
        ("Qwen/Qwen3-8B", "other/tok", TokenizerId("other/tok")),
        ("a/b/c", None, TokenizerId("a/b")),
        (
            "meta-llama/Llama-3.1-8B",
            None,
            TokenizerId("thinkingmachineslabinc/meta-llama-3-instruct-tokenizer"),
        ),
        ("meta-llama/Llama-3.1-8B", "own/tok", TokenizerId("own/tok")),
        ("meta-llama/Llama-2-7b", None, TokenizerId("meta-llama/Llama-2-7b")),
        (
            "moonshotai/Kimi-K2-Thinking",
            None,
            TokenizerId("moonshotai/Kimi-K2-Thinking", "612681931a8c906ddb349f8ad0f582cb552189cd", True),
        ),
        (
            "moonshotai/Kimi-K2-Thinking/variant",
            None,
            TokenizerId("moonshotai/Kimi-K2-Thinking", "612681931a8c906ddb349f8ad0f582cb552189cd", True),
        ),
        ("tinsmith/tiny", None, TokenizerId("tinsmith/tiny")),
        ("Qwen/Qwen3-8B:peft:131072", None, TokenizerId("Qwen/Qwen3-8B")),
        (
            "meta-llama/Llama-3.2-1B:peft:131072",
            None,
            TokenizerId("thinkingmachineslabinc/meta-llama-3-instruct-tokenizer"),
        ),
        ("a/b/c:d/e", None, TokenizerId("a/b")),
        ("Qwen/Qwen3-8B-Text-Only", None, TokenizerId("Qwen/Qwen3-8B")),
        ("x", "Qwen/Qwen3-8B-Text-Only", TokenizerId("Qwen/Qwen3-8B")),
        *(
            (name, named, TokenizerId(f"moonshotai/{kind}", commit, True))
            for kind, commit in (
                ("Kimi-K2.5", "4d01dfe0332d63057c186e0b262165819efb6611"),
                ("Kimi-K2.6", "b5aabbfb20227ed42becbf5541dbffd213942c58"),
                ("Kimi-K3", "f831ab66814297da540d832a5235f8e904f29d06"),
            )
            for name, named in (
                (f"moonshotai/{kind}", None),
                (f"moonshotai/{kind}:peft:131072", None),
                (f"moonshotai/{kind}-Text-Only", None),
                ("other/name", f"moonshotai/{kind}"),
            )
        ),
    ],
)
def test_the_tokenizer_of_a_model(model: str, named: str | None, expected: TokenizerId) -> None:
    """What the server named, Llama 3, variants, Kimi, and the plain name; never the kind of serving."""
    assert tokenizer_id(model, named) == expected


@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("thinkingmachines/Inkling", None),
        ("thinkingmachines/Inkling:peft:131072", None),
        ("x", "thinkingmachines/Inkling"),
        ("TML/Inkling", None),
    ],
)
def test_a_tokenizer_that_no_repository_has(model: str, named: str | None) -> None:
    """The error says what stands in its place."""
    with pytest.raises(InputError, match=r"Inkling is in no repository: .*tml-renderers"):
        tokenizer_id(model, named)
