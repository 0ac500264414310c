"""Loggers for W&B, TensorBoard and trackio. Each library is loaded when its logger is opened."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import attrs

from tinsmith.core.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tinsmith.train.loop import Logger
    from tinsmith.train.run_folder import RunFolder

EVENTS = "tensorboard"
"""Folder in that of a run that holds its event files."""

LIBRARIES = {"tensorboard": "tensorboardX", "trackio": "trackio", "wandb": "wandb"}
"""Loggers, which are named as the extras are, and what they import."""


def require_logger(name: str) -> None:
    """Raise MissingExtraError if the library of a logger is not installed."""
    if find_spec(LIBRARIES[name]) is None:
        raise MissingExtraError(f"logging to {name}", name)


@contextmanager
def wandb_logger(folder: RunFolder, project: str) -> Iterator[Logger]:
    """Log to Weights & Biases, also on with a run that is continued. MissingExtraError without wandb."""
    require_logger("wandb")
    import wandb

    digest = hashlib.sha256(str(folder.path.absolute()).encode()).hexdigest()
    name = folder.path.absolute().name
    run = wandb.init(
        project=project,
        name=name,
        id=f"{name}-{digest[:8]}",
        resume="allow",
        config=attrs.asdict(folder.config),
    )
    try:
        yield lambda step, metrics: run.log(dict(metrics), step=step)
    finally:
        run.finish()


@contextmanager
def trackio_logger(folder: RunFolder, project: str) -> Iterator[Logger]:
    """Log to trackio, also on with a run that is continued. MissingExtraError without trackio."""
    require_logger("trackio")
    import trackio

    name = folder.path.absolute().name
    trackio.init(project=project, name=name, resume="allow", config=attrs.asdict(folder.config))
    try:
        yield lambda step, metrics: trackio.log(dict(metrics), step=step)
    finally:
        trackio.finish()


@contextmanager
def tensorboard_logger(folder: RunFolder) -> Iterator[Logger]:
    """Log to event files in the folder of the run; MissingExtraError without tensorboardX.

    Those of a run that is continued replace what was logged after its last checkpoint.
    """
    require_logger("tensorboard")
    from tensorboardX import SummaryWriter

    saved = folder.last_checkpoint()
    writer = SummaryWriter(str(folder.path / EVENTS), purge_step=saved.step + 1 if saved else 0)

    def log(step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            writer.add_scalar(name, value, step)

    try:
        yield log
    finally:
        writer.close()
