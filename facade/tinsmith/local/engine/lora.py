"""Owns adapters: which matrices they change, how they start, their gradients and optimizer moments."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from attrs import define, field, frozen

from tinsmith.local.engine.config import ModelConfig

Array = npt.NDArray[np.float32]


@frozen(kw_only=True)
class LoraSpec:
    """What an adapter changes."""

    rank: int
    """Inner dimension, at least 1."""
    alpha: float = 32.0
    """The update is scaled by alpha / rank."""
    seed: int | None = None
    """Seed of A; None counts as 0, so that a run can be repeated."""
    train_attn: bool = True
    """q, k, v and o of every block."""
    train_mlp: bool = True
    """gate, up and down of every block."""
    train_unembed: bool = True
    """The unembedding (`lm_head`), tied or not."""

    @property
    def scale(self) -> float:
        """Factor of B A x."""
        return self.alpha / self.rank


@define(kw_only=True, eq=False)
class Adapter:
    """LoRA parameters under PEFT's names without its prefix.

    Names: "model.layers.0.self_attn.q_proj.lora_A.weight" [rank, in], "….lora_B.weight" [out, rank],
    "lm_head.lora_A.weight"; rows and columns in the published order of the model.
    `params` are changed in place by `optim.adam_step`; `snapshot` copies what a sampler needs.
    """

    spec: LoraSpec
    """What this adapter changes."""
    params: dict[str, Array]
    """Trainable arrays."""
    grads: dict[str, Array] = field(factory=dict)
    """Sums since the last step; empty when there was no backward pass since."""
    moments: dict[str, Array] = field(factory=dict)
    """Adam state: "<name>.exp_avg" and "<name>.exp_avg_sq"; empty before the first step."""
    step: int = 0
    """Adam steps taken."""

    @classmethod
    def create(cls, config: ModelConfig, spec: LoraSpec) -> "Adapter":
        """Make a fresh adapter: A Kaiming-uniform with a = sqrt(5) from the seed, B zero."""
        raise NotImplementedError

    @classmethod
    def from_params(
        cls, config: ModelConfig, spec: LoraSpec, params: Mapping[str, npt.NDArray[np.generic]]
    ) -> "Adapter":
        """Take over stored arrays (copied to float32); ValueError names what is missing, unknown or misshapen."""
        raise NotImplementedError

    def snapshot(self) -> "Adapter":
        """Copy the parameters alone, for a sampler that later steps must not disturb."""
        raise NotImplementedError

    def load(self, params: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Replace the parameters in place, dropping gradients and optimizer state; ValueError as `from_params`."""
        raise NotImplementedError

    def load_optimizer(self, moments: Mapping[str, npt.NDArray[np.generic]], step: int) -> None:
        """Replace the optimizer state, so that training continues bit for bit; ValueError as `from_params`."""
        raise NotImplementedError
