"""Owns adapters: which matrices they change, how they start, their gradients and optimizer moments."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tinsmith_local.engine.config import ModelConfig

Array = npt.NDArray[np.float32]
AnyArray = npt.NDArray[np.generic]


@attrs.frozen(kw_only=True)
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
    """gate, up and down of every block, and the projection of image patches."""
    train_unembed: bool = True
    """The unembedding (`lm_head`), tied or not."""

    def __attrs_post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"rank must be at least 1, not {self.rank}")
        if not (self.train_attn or self.train_mlp or self.train_unembed):
            raise ValueError("at least one of train_attn, train_mlp and train_unembed must be true")

    @property
    def scale(self) -> float:
        """Factor of B A x."""
        return self.alpha / self.rank


@attrs.frozen
class Target:
    """One linear map that an adapter changes."""

    name: str
    """Its module, for example "model.layers.0.self_attn.q_proj"."""
    inputs: int
    """Columns of A."""
    outputs: int
    """Rows of B."""


def target_groups(config: ModelConfig, spec: LoraSpec) -> Iterator[tuple[Target, ...]]:
    """Yield the adapted maps; those that read the same input form one group, whose A's lie in one array."""
    hidden, inner = config.hidden_size, config.intermediate_size
    for index in range(config.num_layers):
        attn, mlp = f"model.layers.{index}.self_attn", f"model.layers.{index}.mlp"
        if spec.train_attn:
            yield (
                Target(f"{attn}.q_proj", hidden, config.q_size),
                Target(f"{attn}.k_proj", hidden, config.kv_size),
                Target(f"{attn}.v_proj", hidden, config.kv_size),
            )
            yield (Target(f"{attn}.o_proj", config.q_size, hidden),)
        if spec.train_mlp:
            yield Target(f"{mlp}.gate_proj", hidden, inner), Target(f"{mlp}.up_proj", hidden, inner)
            yield (Target(f"{mlp}.down_proj", inner, hidden),)
    if spec.train_mlp and config.patch_dim:
        yield (Target("vision.patch_proj", config.patch_dim, hidden),)
    if spec.train_unembed:
        yield (Target("lm_head", hidden, config.vocab_size),)


def parameter_shapes(config: ModelConfig, spec: LoraSpec) -> dict[str, tuple[int, int]]:
    """Name and shape of every trainable array, in the order in which they lie in memory."""
    shapes: dict[str, tuple[int, int]] = {}
    for group in target_groups(config, spec):
        for target in group:
            shapes[f"{target.name}.lora_A.weight"] = (spec.rank, target.inputs)
        for target in group:
            shapes[f"{target.name}.lora_B.weight"] = (target.outputs, spec.rank)
    return shapes


def _views(flat: Array, shapes: Mapping[str, tuple[int, int]]) -> dict[str, Array]:
    """Cut one flat array into the named arrays."""
    views: dict[str, Array] = {}
    start = 0
    for name, (rows, columns) in shapes.items():
        views[name] = flat[start : start + rows * columns].reshape(rows, columns)
        start += rows * columns
    return views


def _filled(
    shapes: Mapping[str, tuple[int, int]], values: Mapping[str, AnyArray], dtype: npt.DTypeLike
) -> Array:
    """Copy named arrays into one flat array, checking names and shapes."""
    missing, unknown = shapes.keys() - values.keys(), values.keys() - shapes.keys()
    if missing or unknown:
        raise ValueError(
            f"adapter arrays do not fit the model: missing {sorted(missing)[:3]}, "
            f"unknown {sorted(unknown)[:3]}"
        )
    flat: Array = np.empty(sum(rows * columns for rows, columns in shapes.values()), dtype)
    for name, view in _views(flat, shapes).items():
        if values[name].shape != view.shape:
            raise ValueError(f"adapter array {name} has shape {values[name].shape}, expected {view.shape}")
        view[...] = values[name]
        if not np.isfinite(view).all():
            raise ValueError(f"adapter array {name} holds NaN or infinity")
    return flat


@attrs.define(kw_only=True, eq=False)
class Adapter:
    """LoRA parameters under PEFT's names without its prefix.

    Names: "model.layers.0.self_attn.q_proj.lora_A.weight" [rank, in], "….lora_B.weight" [out, rank],
    "lm_head.lora_A.weight"; rows and columns in the published order of the model.
    All parameters lie in one flat array, and `params` are views into it: change them in place only.
    """

    spec: LoraSpec
    """What this adapter changes."""
    shapes: dict[str, tuple[int, int]]
    """Name and shape of each trainable array, in memory order."""
    flat: Array
    """Every parameter, in memory order."""
    flat_grads: Array | None = None
    """Sum of gradients since the last step, in memory order; None when there was no backward pass since."""
    flat_mean: Array | None = None
    """The optimizer's running mean of the gradient; None before the first step."""
    flat_square: Array | None = None
    """Adam's running mean of the squared gradient; None before the first step, and with Dimuon."""
    step: int = 0
    """Optimizer steps taken."""
    params: dict[str, Array] = attrs.field(init=False)
    """Trainable arrays, views into `flat`."""

    def __attrs_post_init__(self) -> None:
        self.params = _views(self.flat, self.shapes)

    @classmethod
    def create(cls, config: ModelConfig, spec: LoraSpec, *, dtype: npt.DTypeLike = np.float32) -> Adapter:
        """Make a fresh adapter: A Kaiming-uniform with a = sqrt(5) from the seed, B zero.

        That bound is sqrt(6 / ((1 + 5) inputs)) = 1 / sqrt(inputs) (He et al. 2015, as PEFT initialises A).
        Each array has a random stream of its own, so that one does not depend on which others are trained.
        """
        shapes = parameter_shapes(config, spec)
        flat: Array = np.zeros(sum(rows * columns for rows, columns in shapes.values()), dtype)
        for name, view in _views(flat, shapes).items():
            if ".lora_A." in name:
                entropy = [spec.seed or 0, *name.encode()]
                bound = 1.0 / math.sqrt(view.shape[1])
                view[...] = np.random.default_rng(entropy).uniform(-bound, bound, view.shape)
        return cls(spec=spec, shapes=shapes, flat=flat)

    @classmethod
    def from_params(cls, config: ModelConfig, spec: LoraSpec, params: Mapping[str, AnyArray]) -> Adapter:
        """Take over stored arrays, copied; ValueError names what is missing, unknown or misshapen."""
        shapes = parameter_shapes(config, spec)
        return cls(spec=spec, shapes=shapes, flat=_filled(shapes, params, np.float32))

    @property
    def grads(self) -> dict[str, Array]:
        """Gradients by name, views; empty when there was no backward pass since the last step."""
        return {} if self.flat_grads is None else _views(self.flat_grads, self.shapes)

    @property
    def optimizer(self) -> Literal["adamw", "dimuon"] | None:
        """Whose state this is; None before the first step."""
        if self.flat_mean is None:
            return None
        return "dimuon" if self.flat_square is None else "adamw"

    @property
    def moments(self) -> dict[str, Array]:
        """Optimizer state as "<name>.exp_avg" and "<name>.exp_avg_sq", views; empty before the first step.

        Dimuon has no "exp_avg_sq".
        """
        if self.flat_mean is None:
            return {}
        mean = {f"{name}.exp_avg": view for name, view in _views(self.flat_mean, self.shapes).items()}
        if self.flat_square is None:
            return mean
        square = {f"{name}.exp_avg_sq": view for name, view in _views(self.flat_square, self.shapes).items()}
        return mean | square

    def views(self, flat: Array) -> dict[str, Array]:
        """Cut an array that lies like `flat` into the named arrays."""
        return _views(flat, self.shapes)

    def add_grads(self, flat: Array) -> None:
        """Add one backward pass's gradients, which this adapter takes over."""
        if self.flat_grads is None:
            self.flat_grads = flat
        else:
            self.flat_grads += flat

    def fused_a(self, modules: tuple[str, ...]) -> Array:
        """View the A's of neighbouring modules as one array [n * rank, in]."""
        start = 0
        for name, (rows, columns) in self.shapes.items():
            if name == f"{modules[0]}.lora_A.weight":
                break
            start += rows * columns
        else:
            raise KeyError(modules[0])
        size = len(modules) * rows * columns
        return self.flat[start : start + size].reshape(len(modules) * rows, columns)

    def snapshot(self) -> Adapter:
        """Copy the parameters alone, for a sampler that later steps must not disturb."""
        return Adapter(spec=self.spec, shapes=self.shapes, flat=self.flat.copy())

    def load(self, params: Mapping[str, AnyArray]) -> None:
        """Replace the parameters in place, dropping gradients and optimizer state.

        ValueError as in `from_params`, and then nothing has changed.
        """
        self.flat[...] = _filled(self.shapes, params, self.flat.dtype)
        self.flat_grads = self.flat_mean = self.flat_square = None
        self.step = 0

    def load_optimizer(self, moments: Mapping[str, AnyArray], step: int) -> None:
        """Replace the optimizer state, so that training goes on bit for bit; ValueError as `from_params`."""
        if not moments and step == 0:
            self.flat_mean = self.flat_square = None
            self.step = 0
            return
        mean = {name.removesuffix(".exp_avg"): a for name, a in moments.items() if name.endswith(".exp_avg")}
        rest = {name: a for name, a in moments.items() if not name.endswith(".exp_avg")}
        square = {name.removesuffix(".exp_avg_sq"): a for name, a in rest.items()}
        self.flat_mean, self.flat_square = (
            _filled(self.shapes, mean, self.flat.dtype),
            _filled(self.shapes, square, self.flat.dtype) if square else None,
        )
        self.step = step
