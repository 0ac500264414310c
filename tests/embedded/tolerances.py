"""How far two correct results of the same floating-point sums may lie apart.

Kernels of BLAS add in different orders, so a result is right to a bound and not to a bit. A sum of n numbers,
in whatever order, lies within n * u of the exact one, relative to the sum of their sizes, with u = eps / 2
(Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 4.2); two orders lie within n * eps
of each other. Every tolerance of the engine's tests is such a bound.
"""

import numpy as np
import numpy.typing as npt
from tinsmith_local.engine.config import ModelConfig
from tinsmith_local.models.tiny import open_tiny


def rounding(terms: int, dtype: npt.DTypeLike = np.float32) -> float:
    """Return the relative difference that two orders of a sum of `terms` numbers may have."""
    return terms * float(np.finfo(np.dtype(dtype)).eps)


def model_terms(config: ModelConfig, tokens: int) -> int:
    """Count the terms of the sums that stand one behind the other in a logprob of `tokens` tokens.

    Each block has three sums over the hidden size (queries and keys, output, gate), one over a head, one over
    the tokens, one over the intermediate size; the end has one over the hidden size, one over the vocabulary.
    """
    block = 3 * config.hidden_size + config.head_dim + tokens + config.intermediate_size
    return config.num_layers * block + config.hidden_size + config.vocab_size


LARGEST_LOGIT = 10.0
"""Bound on the size of a logit of the small models: rounding is relative to it, not to the logprob."""


def logprob_atol(config: ModelConfig, tokens: int, dtype: npt.DTypeLike = np.float32) -> float:
    """Return the absolute difference that two ways to one logprob may have."""
    return LARGEST_LOGIT * rounding(model_terms(config, tokens), dtype)


TINY_NEAR = logprob_atol(open_tiny().config, 40)
"""The same for prompts of at most 40 tokens on `tinsmith/tiny`."""
