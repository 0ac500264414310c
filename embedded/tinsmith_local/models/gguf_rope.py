"""Recognises the stretched rotary positions of Llama 3 in a GGUF file.

Owns one trap: GGUF keeps no settings of the stretching but its result, a tensor with a divisor for each
frequency. The published settings are tried; a tensor that none of them gives is an error.
"""

import math
from typing import Any

import numpy as np

from tinsmith_local.engine.config import RopeScaling

Array = np.ndarray[Any, np.dtype[np.float32]]

_FACTORS = (8.0, 32.0)
"""Factors of Llama 3.1 and 3.2; another one is taken from the longest wave."""

_LOW, _HIGH, _ORIGINAL = 1.0, 4.0, 8192
"""low_freq_factor, high_freq_factor and original_max_position_embeddings of every published Llama 3 model."""


def find_scaling(divisors: Array, rope_theta: float) -> RopeScaling | None:
    """Return the settings that give these divisors of the rotary frequencies, or None if none known does."""
    for factor in (*_FACTORS, float(divisors.max())):
        scaling = RopeScaling(
            factor=factor, low_freq_factor=_LOW, high_freq_factor=_HIGH, original_max_position=_ORIGINAL
        )
        if np.allclose(divisors, llama3_divisors(scaling, rope_theta, len(divisors)), rtol=1e-4):
            return scaling
    return None


def llama3_divisors(scaling: RopeScaling, rope_theta: float, count: int) -> Array:
    """Compute the divisor of each frequency: 1 for short waves, `factor` for long ones, a blend between."""
    divisors = []
    for place in range(count):
        wavelength = 2 * math.pi * rope_theta ** (place / count)
        turns = scaling.original_max_position / wavelength
        blend = (turns - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)
        blend = min(max(blend, 0.0), 1.0)
        divisors.append(1.0 / ((1.0 - blend) / scaling.factor + blend))
    return np.array(divisors, np.float32)
