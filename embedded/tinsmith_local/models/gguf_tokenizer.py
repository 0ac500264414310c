"""Builds the tokenizer that a GGUF file carries.

Owns the way from GGUF metadata to the `tokenizer.json` format. It reads no file and knows no architecture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tinsmith_local.models.pretokenizers import PRE_TOKENIZERS, PreTokenizer
from tinsmith_local.models.source import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tokenizers import Tokenizer

_CONTROL, _USER_DEFINED = 3, 4
_ROLES = {"bos": "bos_token", "eos": "eos_token", "unknown": "unk_token", "padding": "pad_token"}
_END_KEYS = ("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id")


def tokenizer_json(metadata: Mapping[str, object], path: Path) -> bytes:
    """Return the tokenizer of the file at `path` as `tokenizer.json` bytes.

    Raise ModelFileError for a vocabulary that is not byte-level BPE and for an unknown pre-tokenizer name.
    """
    rules = _rules(metadata, path)
    tokens = _texts(metadata, "tokenizer.ggml.tokens", path)
    return _build(metadata, rules, tokens, path).to_str().encode()


def check_tokenizer(metadata: Mapping[str, object], path: Path) -> None:
    """Raise ModelFileError if the tokenizer is of a kind that `tokenizer_json` cannot build right."""
    _rules(metadata, path)


def special_tokens(metadata: Mapping[str, object]) -> dict[str, str]:
    """Return role -> token text for the roles that the metadata names."""
    tokens = metadata.get("tokenizer.ggml.tokens")
    found: dict[str, str] = {}
    for key, role in _ROLES.items():
        number = metadata.get(f"tokenizer.ggml.{key}_token_id")
        if isinstance(tokens, list) and isinstance(number, int) and 0 <= number < len(tokens):
            found[role] = str(tokens[number])
    return found


def end_token_ids(metadata: Mapping[str, object]) -> tuple[int, ...]:
    """Return the ids that end a sequence, without repeats, in the order eos, end of turn, end of message."""
    numbers = [metadata[key] for key in _END_KEYS if key in metadata]
    return tuple(dict.fromkeys(number for number in numbers if isinstance(number, int)))


def _rules(metadata: Mapping[str, object], path: Path) -> PreTokenizer:
    kind = metadata.get("tokenizer.ggml.model")
    if kind != "gpt2":
        raise ModelFileError(
            path, f"tokenizer model {kind!r} is not supported, only 'gpt2' (byte-level BPE) is"
        )
    name = metadata.get("tokenizer.ggml.pre")
    if name not in PRE_TOKENIZERS:
        known = ", ".join(sorted(PRE_TOKENIZERS))
        raise ModelFileError(path, f"unknown pre-tokenizer {name!r}; known are {known}")
    return PRE_TOKENIZERS[name]


def _texts(metadata: Mapping[str, object], key: str, path: Path) -> list[str]:
    values = metadata.get(key)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ModelFileError(path, f"metadata {key} is missing or not a list of texts")
    return cast("list[str]", values)


def _merges(metadata: Mapping[str, object], path: Path) -> list[tuple[str, str]]:
    pairs = [text.split(" ", 1) for text in _texts(metadata, "tokenizer.ggml.merges", path)]
    if any(len(pair) != 2 for pair in pairs):
        raise ModelFileError(path, "metadata tokenizer.ggml.merges has an entry without a blank")
    return [(left, right) for left, right in pairs]


def _build(metadata: Mapping[str, object], rules: PreTokenizer, tokens: list[str], path: Path) -> Tokenizer:
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    vocabulary = {text: number for number, text in enumerate(tokens)}
    if len(vocabulary) != len(tokens):
        raise ModelFileError(path, "metadata tokenizer.ggml.tokens names a token twice")
    try:
        model = models.BPE(
            vocab=vocabulary,
            merges=_merges(metadata, path),
            ignore_merges=rules.ignore_merges,
            fuse_unk=False,
        )
    except Exception as error:  # the library raises bare Exception
        raise ModelFileError(path, f"vocabulary and merges do not fit: {error}") from error
    tokenizer = Tokenizer(model)
    if rules.normalize_nfc:
        tokenizer.normalizer = normalizers.NFC()
    steps: list[pre_tokenizers.PreTokenizer] = [
        pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in rules.patterns
    ]
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    kinds = metadata.get("tokenizer.ggml.token_type")
    kinds = kinds if isinstance(kinds, list) else []
    for added, special in ((_CONTROL, True), (_USER_DEFINED, False)):
        texts = [text for text, kind in zip(tokens, kinds, strict=False) if kind == added]
        entries = [AddedToken(text, special=special, normalized=False) for text in texts]
        (tokenizer.add_special_tokens if special else tokenizer.add_tokens)(entries)
    _add_bos(tokenizer, metadata, rules)
    return tokenizer


def _add_bos(tokenizer: Tokenizer, metadata: Mapping[str, object], rules: PreTokenizer) -> None:
    from tokenizers import processors

    bos = special_tokens(metadata).get("bos_token")
    number = metadata.get("tokenizer.ggml.bos_token_id")
    if bos is None or not metadata.get("tokenizer.ggml.add_bos_token", rules.add_bos):
        return
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[bos, "$A"], pair=[bos, "$A", f"{bos}:1", "$B:1"], special_tokens=[(bos, number)]
    )
