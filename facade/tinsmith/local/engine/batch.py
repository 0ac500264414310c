"""Owns one training example as arrays, and checks it against a model's shape."""

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

Tokens = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@frozen(kw_only=True, eq=False)
class ImageSpan:
    """Positions whose embedding comes from image patches instead of a token."""

    start: int
    """First position in the sequence."""
    patches: Floats
    """[positions, patch_dim]."""


@frozen(kw_only=True, eq=False)
class Example:
    """One datum. Position i of every per-token array speaks of the token that follows position i."""

    tokens: Tokens
    """[N] input tokens; 0 at positions covered by `images`."""
    targets: Tokens
    """[N], or [N, K] for cross_entropy with several weighted targets a position."""
    weights: Floats | None = None
    """Shape of `targets`; cross_entropy."""
    logprobs: Floats | None = None
    """[N], the sampler's logprobs; policy losses."""
    advantages: Floats | None = None
    """[N]; policy losses."""
    mask: Floats | None = None
    """[N] `sequence_ratio_mask` of gspo, or None."""
    images: tuple[ImageSpan, ...] = field(default=())
    """Image positions, in order, not overlapping."""

    def check(self, index: int, *, vocab_size: int, max_context: int, patch_dim: int) -> None:
        """Raise ExampleError naming `index` and the field if this example cannot be computed."""
        raise NotImplementedError
