"""The settings of a run: what `config.json` holds, all that is needed to train the same way again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.errors import InputError
from tinsmith.data import DataFormat, TrainOn, Truncation
from tinsmith.train.schedule import ScheduleShape

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_FOLDER = "local:"
"""The embedded service, its state in the folder of the run."""


MOST_STEPS = 1_000_000
"""Steps of a run at most: their batches are chosen before the first one is made."""


def _at_least(least: int, most: float = math.inf) -> Any:
    def check(_: object, field: attrs.Attribute[Any], value: float | None) -> None:
        if value is not None and not value >= least:
            raise InputError(f"must be at least {least}, not {value}", field=field.name)
        if value is not None and value > most:
            raise InputError(f"must be at most {most}, not {value}", field=field.name)

    return check


@attrs.frozen(kw_only=True)
class RunConfig:
    """The settings of a training run. What is None is chosen when the run is prepared."""

    data: str
    """Path of the file of training data."""
    data_sha256: str | None = None
    """SHA-256 of that file when the run began."""
    model: str | None = None
    """Base model; None: that of `start_from`."""
    base_url: str = IN_FOLDER
    """The server; `local:` is the embedded service, its state in the folder of the run."""
    start_from: str | None = None
    """Checkpoint whose weights the run begins with, in place of a fresh adapter on `model`."""
    rank: int = attrs.field(default=32, validator=_at_least(1))
    """Rank of a fresh adapter. A checkpoint has its own rank."""
    seed: int = 0
    """Decides the first weights, the order of the data, and what is held out."""
    input_format: DataFormat | None = None
    """Format of the rows; None: it is recognised by their fields."""
    train_on: TrainOn = "assistant"
    """Which tokens of a chat are trained on."""
    max_tokens: int | None = attrs.field(default=None, validator=_at_least(2))
    """Largest number of tokens of a text; None: the context of the model, where the server tells it."""
    truncation: Truncation = "error"
    """What is done with a longer text."""
    held_out: float = attrs.field(default=0.05)
    """Share of the records that is not trained on, from 0 to below 1."""
    epochs: int = attrs.field(default=3, validator=_at_least(1, MOST_STEPS))
    """Passes over the data."""
    steps: int | None = attrs.field(default=None, validator=_at_least(1, MOST_STEPS))
    """Number of steps in place of `epochs`."""
    batch_items: int | None = attrs.field(default=None, validator=_at_least(1))
    """Datums in a batch; None: 8, unless `batch_tokens` is given."""
    batch_tokens: int | None = attrs.field(default=None, validator=_at_least(1))
    """Tokens in a batch at most, in place of `batch_items`."""
    learning_rate: float = 5e-4
    """Largest learning rate."""
    schedule: ScheduleShape = "linear"
    """How the learning rate goes on after the warm-up."""
    warmup_steps: int | None = attrs.field(default=None, validator=_at_least(0))
    """Steps in which the learning rate rises; None: a twentieth of the run."""
    evaluate_every: int | None = attrs.field(default=None, validator=_at_least(1))
    """Steps between two evaluations; None: a tenth of the run, but not less than 5."""
    checkpoint_every: int | None = attrs.field(default=None, validator=_at_least(1))
    """Steps between two checkpoints; None: a fifth of the run."""
    ttl_seconds: int | None = attrs.field(default=7 * 24 * 3600, validator=_at_least(3600))
    """Seconds that checkpoints before the last one are kept; None: for ever. The last one is always kept."""

    @held_out.validator
    def _check_share(self, _: object, share: float) -> None:
        if not 0 <= share < 1:
            raise InputError(f"must be from 0 to below 1, not {share}", field="held_out")

    def __attrs_post_init__(self) -> None:
        if (self.model is None) is (self.start_from is None):
            raise InputError("give either model or start_from", field="model")
        if self.batch_items is not None and self.batch_tokens is not None:
            raise InputError("give either batch_items or batch_tokens", field="batch_tokens")

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> RunConfig:
        """Make the settings that `attrs.asdict` wrote; InputError for others."""
        try:
            return cls(**fields)
        except TypeError as cause:
            raise InputError(f"is not of this version of Tinsmith: {cause}") from cause
