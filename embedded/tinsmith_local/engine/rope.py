"""Owns the rotary positions: frequencies, tables, and the order of rows that makes pairs complex numbers."""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.config import ModelConfig, RopeScaling

Complex = npt.NDArray[np.complex64]


def frequencies(config: ModelConfig) -> npt.NDArray[np.float32]:
    """Angular frequency of each pair of a head, stretched as `rope_scaling` says."""
    exponents = np.arange(0, config.head_dim, 2, dtype=np.float32) / np.float32(config.head_dim)
    plain = (1.0 / np.power(np.float32(config.rope_theta), exponents)).astype(np.float32)
    return plain if config.rope_scaling is None else _stretch(plain, config.rope_scaling)


def _stretch(plain: npt.NDArray[np.float32], scaling: RopeScaling) -> npt.NDArray[np.float32]:
    """Divide long wavelengths by the factor and blend in between (Llama 3.1 model card and release notes)."""
    wavelength = 2.0 * math.pi / plain.astype(np.float64)
    turns = scaling.original_max_position / wavelength
    span = scaling.high_freq_factor - scaling.low_freq_factor
    keep = np.clip((turns - scaling.low_freq_factor) / span, 0.0, 1.0)
    return (plain * (keep + (1.0 - keep) / scaling.factor)).astype(np.float32)


@lru_cache(maxsize=16)
def rotations(config: ModelConfig, length: int) -> Complex:
    """Table [length, head_dim / 2] of unit complex numbers, one row a position."""
    positions = np.arange(length, dtype=np.float32)
    angles = (positions[:, None] * frequencies(config)).astype(np.float64)
    table = (np.cos(angles) + 1j * np.sin(angles)).astype(np.complex64)
    table.flags.writeable = False
    return table


def interleaved_rows(head_dim: int, heads: int) -> npt.NDArray[np.intp]:
    """Row order that puts the two halves of each head's pairs side by side.

    `published[interleaved_rows(...)]` is the engine's order; assigning through it goes back.
    """
    within = np.arange(head_dim).reshape(2, head_dim // 2).T.ravel()
    return (np.arange(heads)[:, None] * head_dim + within).ravel()
