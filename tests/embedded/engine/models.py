"""Random models of any shape, for tests that compare the engine with itself."""

import numpy as np
import numpy.typing as npt
from tinsmith_local.engine.base_model import BaseModel, Weights
from tinsmith_local.engine.config import ModelConfig


def random_model(
    *,
    vocab_size: int = 97,
    num_layers: int = 2,
    max_context: int = 256,
    patch_dim: int = 0,
    dtype: npt.DTypeLike = np.float32,
) -> BaseModel:
    """Make a small model with an odd number of key heads, so that nothing divides evenly by chance."""
    config = ModelConfig(
        name="random",
        family="llama",
        vocab_size=vocab_size,
        hidden_size=48,
        num_layers=num_layers,
        num_heads=6,
        num_kv_heads=3,
        head_dim=8,
        intermediate_size=56,
        tie_embeddings=True,
        max_context=max_context,
        eos_token_ids=(1,),
        patch_dim=patch_dim,
    )
    rng = np.random.default_rng(0)
    shapes = {
        "embed_tokens": (vocab_size, 48),
        "k_proj": (24, 48),
        "v_proj": (24, 48),
        "gate_proj": (56, 48),
        "up_proj": (56, 48),
        "down_proj": (48, 56),
        "patch_proj": (48, patch_dim),
    }

    def get(name: str) -> npt.NDArray[np.float32]:
        part = name.split(".")[-2]
        if "norm" in part:
            return rng.uniform(0.5, 1.5, 48).astype(np.float32)
        return (rng.standard_normal(shapes.get(part, (48, 48))) * 0.25).astype(np.float32)

    return BaseModel(config=config, weights=Weights.from_tensors(config, get, dtype=dtype))
