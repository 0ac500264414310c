"""Write tokenizers.json and small.gguf: what llama.cpp makes of odd text, for every rule in our table.

Run in the golden environment (needs llama-cpp-python and gguf): python make_tokenizers.py SMOLLM2.gguf
"""

from __future__ import annotations

import json
import sys
import tempfile
import unicodedata
from pathlib import Path

import gguf
from llama_cpp import Llama
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
RULES = ["smollm", "gpt-2", "llama-bpe", "dbrx", "qwen2", "stablelm2", "deepseek-coder", "deepseek-v3"]
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

SOURCE = json.loads((HERE / "texts.json").read_text())
TEXTS: list[str] = SOURCE["texts"]


def small_vocabulary() -> tuple[list[str], list[str]]:
    """Train merges that cross every boundary a pre-tokenizer could draw, so that a wrong cut shows."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        min_frequency=1,
        initial_alphabet=alphabet,
        special_tokens=SPECIALS,
        max_token_length=9,
        show_progress=False,
    )
    tokenizer.train_from_iterator(SOURCE["training"], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    tokens.append("zqxj")  # reached by no merge: only rules that take whole pieces find it
    return tokens, [" ".join(pair) for pair in model["merges"]]


def write_vocabulary(path: Path, pre: str, tokens: list[str], merges: list[str], kinds: list[int]) -> None:
    """Write a GGUF that holds a tokenizer and no tensor."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(8)
    writer.add_block_count(1)
    writer.add_feed_forward_length(8)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def reference(path: Path, nfc: bool) -> list[list[int]]:
    """Tokenise every text by llama.cpp, special tokens recognised."""
    model = Llama(model_path=str(path), vocab_only=True, verbose=False)
    texts = [unicodedata.normalize("NFC", text) if nfc else text for text in TEXTS]
    return [model.tokenize(text.encode(), add_bos=False, special=True) if text else [] for text in texts]


def main() -> None:
    """Write both files beside this script."""
    tokens, merges = small_vocabulary()
    kinds = [3 if token in SPECIALS else 1 for token in tokens]
    write_vocabulary(HERE / "small.gguf", "smollm", tokens, merges, kinds)
    small = {}
    with tempfile.TemporaryDirectory() as folder:
        for rule in RULES:
            path = Path(folder) / f"{rule}.gguf"
            write_vocabulary(path, rule, tokens, merges, kinds)
            small[rule] = reference(path, nfc=rule == "qwen2")
    golden = {"texts": TEXTS, "small": small, "smollm2": reference(Path(sys.argv[1]), nfc=False)}
    (HERE / "tokenizers.json").write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
