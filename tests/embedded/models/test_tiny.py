"""The tiny model: always the same numbers, and a tokenizer whose ids are bytes."""

import zlib

import numpy as np
import pytest
from tinsmith_local.models.tiny import TINY, TINY_UNTIED, open_tiny
from tokenizers import Tokenizer

CHECKSUMS = {
    "model.embed_tokens.weight": 2973230736,
    "model.norm.weight": 2414608270,
    "model.layers.0.self_attn.q_proj.weight": 1707926506,
    "model.layers.1.mlp.down_proj.weight": 3458656168,
    "vision.patch_proj.weight": 1827382151,
}
NAMES = list(CHECKSUMS)


def test_the_numbers_never_change() -> None:
    """Checkpoints of users and golden files hang on these numbers: a new one is a new model name."""
    source = open_tiny()
    sums = {name: zlib.crc32(source.get_tensor(name).tobytes()) for name in NAMES}
    assert sums == CHECKSUMS


def test_tied_and_untied_differ_in_the_unembedding_alone() -> None:
    """The untied variant has a head of its own and shares every other tensor."""
    tied, untied = open_tiny(TINY), open_tiny(TINY_UNTIED)
    assert (tied.config.tie_embeddings, untied.config.tie_embeddings) == (True, False)
    for name in NAMES:
        np.testing.assert_array_equal(tied.get_tensor(name), untied.get_tensor(name))
    head, embedding = untied.get_tensor("lm_head.weight"), untied.get_tensor(NAMES[0])
    assert head.shape == embedding.shape
    assert not np.array_equal(head, embedding)


def test_the_numbers_are_spread_as_a_network_wants_them() -> None:
    """Rows of a matrix have variance 1 / fan-in, norms lie near one."""
    source = open_tiny()
    for name in NAMES:
        array = source.get_tensor(name)
        assert array.dtype == np.float32
        if array.ndim == 2:
            assert np.mean(np.square(array)) * array.shape[1] == pytest.approx(1.0, rel=0.05)
        else:
            assert np.abs(array - 1).max() < 0.11


def test_unknown_tensor() -> None:
    """A name that a llama does not have is a KeyError."""
    with pytest.raises(KeyError):
        open_tiny().get_tensor("model.layers.0.self_attn.q_proj.bias")


def test_tokens_are_bytes() -> None:
    """Any text, the four special ones included, goes to ids and comes back."""
    source = open_tiny()
    assert source.tokenizer_json is not None
    tokenizer = Tokenizer.from_str(source.tokenizer_json.decode())
    text = "Ünïcödé 日本 🙂\n\t\x00 <|im_start|>user"
    ids = tokenizer.encode(text).ids
    assert [i for i in ids if i < 256] == [*text.replace("<|im_start|>", "").encode()]
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    assert tokenizer.get_vocab_size() == source.config.vocab_size == 260
    assert tokenizer.token_to_id("<|im_end|>") == source.config.eos_token_ids[0]
