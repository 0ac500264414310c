"""Make a tiny Qwen3 with random weights, and a tokenizer trained on the standard library's sources.

`python make_model.py DIR`, with a Python that has torch and transformers. Needs no network, and makes the
same files each time.
"""

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

VOCABULARY = 768
"""Entries of the tokenizer: all bytes and some 500 merges."""
HIDDEN, LAYERS, HEADS, KEY_HEADS = 64, 2, 4, 2
"""Shape of the model: some 170,000 parameters, so that a step takes milliseconds."""
CONTEXT = 2048
"""Longest sequence in tokens."""
TEXT_BYTES = 60_000
"""What is read of each source file."""
SOURCES = (
    *(
        "argparse",
        "asyncio",
        "collections",
        "datetime",
        "decimal",
        "difflib",
        "functools",
        "heapq",
        "inspect",
    ),
    *("io", "json", "logging", "os", "pathlib", "pickle", "random", "re", "shutil", "socket", "statistics"),
    *("string", "subprocess", "tarfile", "threading", "typing", "unittest"),
)
"""Modules that every Python has."""
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""The chat template, of the family's shape."""


def texts() -> list[str]:
    """Return the start of each source."""
    found = []
    for name in SOURCES:
        with contextlib.suppress(AttributeError, OSError, TypeError):  # a module may be built in
            place = importlib.import_module(name).__file__
            found.append(Path(str(place)).read_text(encoding="utf-8")[:TEXT_BYTES])
    return found


def write_tokenizer(folder: Path) -> Any:
    """Train the tokenizer and write its files; the tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(texts(), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained,
        eos_token="<|im_end|>",  # a token of text
        pad_token="<|endoftext|>",  # a token of text
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        model_max_length=CONTEXT,
    )
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    # transformers 5 writes a class that 4.x cannot read
    change(folder / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    return tokenizer


def write_model(folder: Path, vocabulary: int, end_token: int) -> None:
    """Draw the weights and write them."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=HIDDEN,
        intermediate_size=HIDDEN * 2,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        head_dim=HIDDEN // HEADS,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-6,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=end_token,
        pad_token_id=0,
        initializer_range=0.05,
    )
    Qwen3ForCausalLM(config).to(torch.float32).save_pretrained(folder, safe_serialization=True)
    # what readers of transformers 4 and 5 look for
    change(folder / "config.json", rope_theta=10000.0, torch_dtype="float32", dtype="float32")


def change(path: Path, **fields: Any) -> None:
    """Set fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}, indent=1))


def main(folder: Path) -> None:
    """Write tokenizer and model."""
    tokenizer = write_tokenizer(folder)
    write_model(folder, len(tokenizer), tokenizer.convert_tokens_to_ids("<|im_end|>"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
