"""Owns the shape of a model and nothing that depends on its numbers."""

from collections.abc import Mapping
from typing import Literal

from attrs import frozen

Family = Literal["llama", "qwen2", "qwen3"]


@frozen(kw_only=True)
class RopeScaling:
    """Rotary frequencies stretched for long contexts, the `llama3` kind."""

    factor: float
    """Divisor of the frequencies whose wavelength is long."""
    low_freq_factor: float
    """Wavelengths above original_max_position / this are divided by `factor`."""
    high_freq_factor: float
    """Wavelengths below original_max_position / this are left alone."""
    original_max_position: int
    """Context of the model before it was stretched, in tokens."""


@frozen(kw_only=True)
class ModelConfig:
    """Everything the engine must know of a model besides its weights."""

    name: str
    """Public name, for example `HuggingFaceTB/SmolLM2-135M-Instruct`."""
    family: Family
    """Which published architecture the tensors follow."""
    vocab_size: int
    """Rows of the embedding."""
    hidden_size: int
    """Width of the residual stream."""
    num_layers: int
    """Number of transformer blocks."""
    num_heads: int
    """Query heads."""
    num_kv_heads: int
    """Key and value heads; divides `num_heads`."""
    head_dim: int
    """Width of one head; even."""
    intermediate_size: int
    """Width of the gated MLP."""
    rope_theta: float = 10_000.0
    """Base of the rotary frequencies."""
    rope_scaling: RopeScaling | None = None
    """Stretched frequencies, or None."""
    rms_eps: float = 1e-5
    """Added to the mean square before the root."""
    tie_embeddings: bool = False
    """Whether the unembedding is the embedding."""
    max_context: int = 2048
    """Longest sequence in tokens, prompt and sample together."""
    qkv_bias: bool = False
    """Qwen2: biases on q, k and v."""
    qk_norm: bool = False
    """Qwen3: RMSNorm over each head of q and k before the rotation."""
    eos_token_ids: tuple[int, ...] = ()
    """Tokens that end a sample unless its stop list says otherwise."""
    patch_dim: int = 0
    """Numbers in one image patch; 0 for a model that reads text only."""

    @property
    def q_size(self) -> int:
        """Width of all query heads together."""
        return self.num_heads * self.head_dim

    @property
    def kv_size(self) -> int:
        """Width of all key heads together."""
        return self.num_kv_heads * self.head_dim

    @classmethod
    def from_hugging_face(cls, name: str, config: Mapping[str, object]) -> "ModelConfig":
        """Read the `config.json` of a Hugging Face directory; ValueError names what is not supported."""
        raise NotImplementedError
