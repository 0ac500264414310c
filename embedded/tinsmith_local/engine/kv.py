"""Owns the keys and values of one sequence; grows them, and must not know how they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tinsmith_local.engine.config import ModelConfig

Array = npt.NDArray[np.float32]

GROWTH = 128
"""Positions added when a sequence outgrows its arrays, at least."""


class KeyValues:
    """Keys and values of every layer, for positions 0 to `length`.

    Values carry a last column of ones: weights times values then holds the sum of the weights as well.
    """

    def __init__(self, config: ModelConfig, capacity: int, dtype: npt.DTypeLike) -> None:
        self.length = 0
        shape = (config.num_layers, config.num_kv_heads, capacity, config.head_dim)
        self._stored = (np.empty(shape, dtype), np.ones((*shape[:3], config.head_dim + 1), dtype))
        self._list()

    def _list(self) -> None:
        self.keys: list[Array] = list(self._stored[0])
        """By layer: [kv heads, capacity, head_dim]."""
        self.values: list[Array] = list(self._stored[1])
        """By layer: [kv heads, capacity, head_dim + 1]."""

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._stored[0].nbytes + self._stored[1].nbytes

    @staticmethod
    def bytes_for(config: ModelConfig, positions: int, itemsize: int) -> int:
        """Memory that so many positions take."""
        return positions * config.num_layers * config.num_kv_heads * (2 * config.head_dim + 1) * itemsize

    def write(self, layer: int, positions: slice, keys: Array, values: Array) -> None:
        """Store [positions, kv heads, head_dim] of one layer."""
        self.keys[layer][:, positions] = keys.transpose(1, 0, 2)
        self.values[layer][:, positions, :-1] = values.transpose(1, 0, 2)

    def head(self, layer: int, head: int, positions: int) -> tuple[Array, Array]:
        """View the first keys and values [positions, head_dim] of one head."""
        return self.keys[layer][head, :positions], self.values[layer][head, :positions, :-1]

    def room_for(self, positions: int) -> None:
        """Make the arrays at least so long."""
        held = self._stored[0].shape[2]
        if positions > held:
            longer = max(positions, held + max(GROWTH, held // 2))
            self._stored = tuple(self._stretched(array, longer) for array in self._stored)  # type: ignore[assignment]
            self._list()

    def _stretched(self, array: Array, capacity: int) -> Array:
        out: Array = np.ones((*array.shape[:2], capacity, array.shape[3]), array.dtype)
        out[:, :, : self.length] = array[:, :, : self.length]
        return out

    def copy(self, capacity: int) -> KeyValues:
        """Copy the positions held, with room for `capacity`."""
        other = object.__new__(KeyValues)
        other.length = self.length
        other._stored = tuple(self._stretched(array, capacity) for array in self._stored)  # type: ignore[assignment]
        other._list()
        return other
