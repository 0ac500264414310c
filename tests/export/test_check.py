"""The pieces of `make export-check` that need none of its programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tinsmith_local.models.gguf import open_gguf
from tinsmith_local.models.gguf_index import read_index

from tests.embedded.models.gguf_files import llama_tensors, to_gguf, write_gguf
from tests.export.check import write_f16

if TYPE_CHECKING:
    from pathlib import Path

F16 = 1


@pytest.mark.parametrize("untied", [False, True])
def test_a_model_in_f16(untied: bool, tmp_path: Path) -> None:
    """All else stays: shape, tokenizer, chat template; the unembedding is a matrix of its own if wanted."""
    source = write_gguf(tmp_path / "source.gguf", to_gguf(llama_tensors()))
    target = write_f16(source, tmp_path / "f16.gguf", untied=untied)
    before, after = open_gguf(source, "x"), open_gguf(target, "x")
    assert after.config.tie_embeddings is not untied
    assert (after.chat_template, after.tokenizer_json) == (before.chat_template, before.tokenizer_json)
    assert read_index(target).tensors["blk.0.attn_q.weight"].type_id == F16
    name = "model.layers.1.self_attn.k_proj.weight"
    narrow = before.get_tensor(name).astype(np.float16).astype(np.float32)
    assert np.array_equal(after.get_tensor(name), narrow)
    if untied:
        assert np.array_equal(
            after.get_tensor("lm_head.weight"), after.get_tensor("model.embed_tokens.weight")
        )
