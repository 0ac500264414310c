"""Owns what a forward pass writes down for the backward pass, and how much memory that takes."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tinsmith_local.engine.config import ModelConfig
    from tinsmith_local.engine.sites import LayerSites
    from tinsmith_local.engine.workers import Workspace

Array = npt.NDArray[np.float32]


class Keep(Enum):
    """How much of a forward pass is kept."""

    ALL = "all"
    """Everything: the fastest backward pass."""
    INPUTS = "inputs"
    """The input of each block; the backward pass computes the rest again."""
    NOTHING = "nothing"
    """No backward pass follows."""


def layer_widths(config: ModelConfig, inner: int) -> dict[str, int]:
    """Columns of each array that one block writes down; `inner` is the adapter's share."""
    widths = {
        "mid": config.hidden_size,
        "qkv": config.q_size + 2 * config.kv_size,
        "attn": config.q_size,
        "log_sum": config.num_heads,
        "gate_up": 2 * config.intermediate_size,
        "inner": inner,
        "inverse_attn": 1,
        "inverse_mlp": 1,
    }
    if config.qk_norm:
        widths["raw"] = config.q_size + config.kv_size
        widths["inverse_heads"] = config.num_heads + config.num_kv_heads
    return widths


def bytes_per_token(config: ModelConfig, inner: int, itemsize: int) -> int:
    """Memory of one token under `Keep.ALL`."""
    return itemsize * config.num_layers * (config.hidden_size + sum(layer_widths(config, inner).values()))


class Tape:
    """The arrays of one packed batch of `length` tokens, by layer."""

    def __init__(
        self,
        config: ModelConfig,
        sites: LayerSites,
        length: int,
        keep: Keep,
        dtype: npt.DTypeLike,
        workspace: Workspace,
    ) -> None:
        self.keep = keep
        self._columns: dict[str, slice] = {}
        inner = 0
        for name, site in sites.present.items():
            self._columns[name] = slice(inner, inner + site.width)
            inner += site.width
        slots = config.num_layers if keep is Keep.ALL else 1
        inputs = 2 if keep is Keep.NOTHING else config.num_layers + 1
        self._x = workspace.take("x", (inputs, length, config.hidden_size), dtype)
        self._arrays: dict[str, Array] = {}
        for name, width in layer_widths(config, inner).items():
            shape = (slots, length, width)
            if name == "log_sum":
                shape = (slots, width, length)
            self._arrays[name] = workspace.take(name, shape, dtype)

    def x(self, index: int) -> Array:
        """Residual stream before block `index` (after the last one: `num_layers`)."""
        found: Array = self._x[index % len(self._x)]
        return found

    def at(self, name: str, index: int) -> Array:
        """Array `name` of block `index`."""
        array = self._arrays[name]
        found: Array = array[index % len(array)]
        return found

    def inner(self, site: str, index: int) -> Array:
        """Columns of "inner" that belong to one adapted map of block `index`."""
        return self.at("inner", index)[:, self._columns[site]]
