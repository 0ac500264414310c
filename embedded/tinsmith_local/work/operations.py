"""Accepted requests as values, decoded and checked: what is queued, and what a restart applies again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
from tinsmith_api.models import AdamParams, DimuonParams

from tinsmith_local.engine.batch import Example
from tinsmith_local.engine.jobs import SampleJob

CHANGING = ("forward_backward", "optim_step")
"""Operations that change a model and so must be applied again behind a snapshot. (load_weights changes it
too, but leaves a snapshot in the same transaction.)"""


@attrs.frozen(kw_only=True)
class ModelRequest:
    """A request of one model's queue."""

    model_id: str
    """Model that it uses, makes or changes."""


@attrs.frozen(kw_only=True)
class CreateModel(ModelRequest):
    """Make a fresh adapter; its row says how."""


@attrs.frozen(kw_only=True, eq=False)
class Batch(ModelRequest):
    """forward or forward_backward over examples."""

    examples: tuple[Example, ...] = attrs.field(repr=False)
    """One a datum, in order."""
    loss_fn: str
    """Name of the loss."""
    loss_config: Mapping[str, float] | None
    """Settings of the loss."""
    backward: bool
    """Whether gradients are added."""


@attrs.frozen(kw_only=True)
class Step(ModelRequest):
    """One optimizer step."""

    params: AdamParams | DimuonParams
    """Settings of the optimizer; their class says which."""


@attrs.frozen(kw_only=True)
class Save(ModelRequest):
    """Write a checkpoint: for training (with the optimizer), for sampling, or outside the list."""

    tinker_path: str
    """Where to."""
    op: str
    """Operation id: decides what the result looks like."""


@attrs.frozen(kw_only=True)
class SaveEphemeral(ModelRequest):
    """Save the present weights for one sampler, without a name."""

    sampler_id: str
    """Sampler to be made."""
    seq: int | None
    """Number of the sampler in its session."""


@attrs.frozen(kw_only=True)
class Load(ModelRequest):
    """Replace the weights (and the optimizer's state) by those of a checkpoint."""

    tinker_path: str
    """Where from."""
    optimizer: bool
    """Whether the optimizer's state is taken too."""
    creates: bool = False
    """Whether this request made the model; then its result names it."""


@attrs.frozen(kw_only=True)
class Unload(ModelRequest):
    """Unload the model; its checkpoints stay."""


@attrs.frozen(kw_only=True, eq=False)
class PromptTargets:
    """Tokens whose logprobs are wanted along a prompt."""

    tokens: npt.NDArray[np.int64] = attrs.field(repr=False)
    """[P - 1, K], row i at prompt position i + 1; -1 for none."""
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
    targets: PromptTargets | None = None
    """In which form the logprobs of the prompt's targets are answered."""


TrainingRequest = CreateModel | Batch | Step | Save | SaveEphemeral | Load | Unload
"""What is queued for a model."""
