"""A tokenizer written as files: what transformers looks for is there."""

import json
from pathlib import Path

import pytest
from attrs import evolve
from tinsmith_local.models.hugging_face import write_tokenizer
from tinsmith_local.models.source import ModelFileError
from tinsmith_local.models.tiny import open_tiny
from tokenizers import Tokenizer


def test_the_files(tmp_path: Path) -> None:
    """The tokenizer reads back, and the configuration has the template and the special tokens."""
    write_tokenizer(open_tiny(), tmp_path / "a" / "b")
    tokenizer = Tokenizer.from_file(str(tmp_path / "a" / "b" / "tokenizer.json"))
    assert tokenizer.encode("Az").ids == [65, 122]
    settings = json.loads((tmp_path / "a" / "b" / "tokenizer_config.json").read_text())
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert settings["model_max_length"] == 4096
    assert settings["eos_token"] == "<|im_end|>"
    assert "add_generation_prompt" in settings["chat_template"]


def test_a_model_without_one(tmp_path: Path) -> None:
    """It is an error that names the model, and writes nothing."""
    source = evolve(open_tiny(), read_tokenizer=lambda: None)
    with pytest.raises(ModelFileError, match="tinsmith/tiny: brings no tokenizer"):
        write_tokenizer(source, tmp_path / "x")
    assert not (tmp_path / "x").exists()
