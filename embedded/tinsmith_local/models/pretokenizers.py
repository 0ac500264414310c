"""The pre-tokenizers that GGUF files name, as the splitting rules of the model that introduced each.

Owns the rules alone. A GGUF holds only a name: a wrong guess gives plausible but wrong tokens, so an
unknown name is an error and never a default. Checked against llama.cpp, token by token.
"""

from __future__ import annotations

import attrs

_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + _REST
_QWEN2 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + _REST
_CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
_DEEPSEEK_V3 = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@attrs.frozen
class PreTokenizer:
    """How text is cut before byte-pair merges, and the two switches that go with it."""

    patterns: tuple[str, ...]
    """Regular expressions, applied one after the other: matches and the gaps between them are pieces."""
    ignore_merges: bool = False
    """Whether a piece that is a whole vocabulary entry is taken without merging."""
    add_bos: bool = False
    """Whether a text begins with the bos token when the file does not say."""
    normalize_nfc: bool = False
    """Whether the original model composes Unicode characters first."""


_SMOLLM = PreTokenizer(patterns=(r"\p{N}", _GPT2))
_LLAMA_BPE = PreTokenizer(patterns=(_LLAMA3,), ignore_merges=True, add_bos=True)
_PLAIN_GPT2 = PreTokenizer(patterns=(_GPT2,))

PRE_TOKENIZERS: dict[str, PreTokenizer] = {
    "smollm": _SMOLLM,
    "starcoder": _SMOLLM,
    "refact": _SMOLLM,
    "command-r": _SMOLLM,
    "codeshell": _SMOLLM,
    "exaone": _SMOLLM,
    "gpt-2": _PLAIN_GPT2,
    "phi-2": _PLAIN_GPT2,
    "mpt": _PLAIN_GPT2,
    "olmo": _PLAIN_GPT2,
    "jais": _PLAIN_GPT2,
    "llama-bpe": _LLAMA_BPE,
    "llama3": _LLAMA_BPE,
    "llama-v3": _LLAMA_BPE,
    "dbrx": PreTokenizer(patterns=(_LLAMA3,)),
    "qwen2": PreTokenizer(patterns=(_QWEN2,), normalize_nfc=True),
    "deepseek-r1-qwen": PreTokenizer(patterns=(_QWEN2,), normalize_nfc=True),
    "stablelm2": PreTokenizer(patterns=(_QWEN2,)),
    "deepseek-coder": PreTokenizer(patterns=(r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _CJK, r"\p{N}")),
    "deepseek-v3": PreTokenizer(
        patterns=(r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+", _DEEPSEEK_V3)
    ),
}
"""`tokenizer.ggml.pre` -> rules."""
