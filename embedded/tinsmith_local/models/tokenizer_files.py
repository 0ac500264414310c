"""Writes a tokenizer as the files of a Hugging Face directory, for clients that load such directories.

Owns the names of the files and the keys in them. It loads no tokenizer.
"""

import json
from pathlib import Path

from tinsmith_local.models.source import ModelFileError, ModelSource
from tinsmith_local.models.tensor_file import write_whole


def write_tokenizer(source: ModelSource, directory: Path) -> None:
    """Write `tokenizer.json`, `tokenizer_config.json` and the chat template of a model into `directory`.

    The directory is made if it is missing. Raise ModelFileError for a model without a tokenizer.
    """
    content = source.tokenizer_json
    if content is None:
        raise ModelFileError(source.origin, "brings no tokenizer")
    directory.mkdir(parents=True, exist_ok=True)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": source.config.max_context,
        "clean_up_tokenization_spaces": False,
        **source.tokenizer_config,
    }
    if source.chat_template is not None:
        settings["chat_template"] = source.chat_template
    write_whole(directory / "tokenizer.json", content)
    text = json.dumps(settings, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    write_whole(directory / "tokenizer_config.json", text.encode())
