"""Accepted requests as values, decoded and checked: what is queued, and what a restart applies again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.scheduler import SampleJob

CHANGING = ("forward_backward", "optim_step")
"""Operations that change a model and so must be applied again behind a snapshot. (load_weights changes it
too, but leaves a snapshot in the same transaction.)"""


@attrs.frozen(kw_only=True)
class CreateModel:
    """Make a fresh adapter; its row says how."""

    model_id: str
    """Model to be made."""


@attrs.frozen(kw_only=True, eq=False)
class Batch:
    """forward or forward_backward over examples."""

    model_id: str
    """Model to use."""
    examples: tuple[Example, ...] = attrs.field(repr=False)
    """One a datum, in order."""
    loss_fn: str
    """Name of the loss."""
    loss_config: Mapping[str, float] | None
    """Settings of the loss."""
    backward: bool
    """Whether gradients are added."""


@attrs.frozen(kw_only=True)
class Adam:
    """One optimizer step; fits the engine's AdamSettings."""

    model_id: str
    """Model to change."""
    learning_rate: float = 1e-4
    """Size of a step."""
    beta1: float = 0.9
    """Decay of the first moment."""
    beta2: float = 0.95
    """Decay of the second moment."""
    eps: float = 1e-12
    """Added to the root of the second moment."""
    weight_decay: float = 0.0
    """Decoupled decay."""
    grad_clip_norm: float = 0.0
    """Largest gradient norm; 0 is off."""


@attrs.frozen(kw_only=True)
class Dimuon:
    """One step of the other optimizer; fits the engine's DimuonSettings."""

    model_id: str
    """Model to change."""
    learning_rate: float
    """Size of a step."""
    beta1: float = 0.9
    """Decay of the running mean of the gradient."""
    grad_clip_norm: float = 0.0
    """Largest gradient norm; 0 is off."""


@attrs.frozen(kw_only=True)
class Save:
    """Write a checkpoint: for training (with the optimizer), for sampling, or outside the list."""

    model_id: str
    """Model to save."""
    tinker_path: str
    """Where to."""
    op: str
    """Operation id: decides what the result looks like."""


@attrs.frozen(kw_only=True)
class SaveEphemeral:
    """Keep the weights of this moment for one sampler."""

    model_id: str
    """Model to copy."""
    sampler_id: str
    """Sampler to be made."""
    seq: int | None
    """Number of the sampler in its session."""


@attrs.frozen(kw_only=True)
class Load:
    """Replace the weights (and the optimizer's state) by those of a checkpoint."""

    model_id: str
    """Model to change."""
    tinker_path: str
    """Where from."""
    optimizer: bool
    """Whether the optimizer's state is taken too."""
    creates: bool = False
    """Whether this request made the model; then its result names it."""


@attrs.frozen(kw_only=True)
class Unload:
    """Forget the model; its checkpoints stay."""

    model_id: str
    """Model to forget."""


@attrs.frozen(kw_only=True, eq=False)
class PromptTargets:
    """Tokens whose logprobs are asked for along a prompt."""

    tokens: npt.NDArray[np.int64] = attrs.field(repr=False)
    """[P - 1, K], row i at prompt position i + 1; -1 where nothing is asked for."""
    shape: tuple[int, ...]
    """Shape that the client gave, and gets."""
    crow_indices: tuple[int, ...] | None = attrs.field(default=None, repr=False)
    """Where the rows of a sparse tensor begin; None for a dense one."""
    col_indices: tuple[int, ...] | None = attrs.field(default=None, repr=False)
    """The columns of its cells."""

    def picked(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the entries of [P - 1, K] values that the client's tensor has, in its order."""
        if self.crow_indices is None:
            return values.reshape(-1)
        rows = np.repeat(np.arange(len(self.crow_indices) - 1), np.diff(self.crow_indices))
        return values[rows, np.array(self.col_indices, np.int64)]


@attrs.frozen(kw_only=True, eq=False)
class SampleRequest:
    """Sample from a base model, a checkpoint or an ephemeral sampler."""

    base_model: str
    """Name of the base model."""
    adapter_dir: str | None
    """Directory of the adapter below the data directory; None for the base model."""
    job: SampleJob
    """The engine's job; its adapter is filled in when it is begun."""
    prompt_logprobs: bool
    """Whether the answer shows the prompt's logprobs."""
    targets: PromptTargets | None = None
    """In which form the logprobs of the prompt's targets are answered."""


TrainingRequest = CreateModel | Batch | Adam | Dimuon | Save | SaveEphemeral | Load | Unload
"""What is queued for a model."""
