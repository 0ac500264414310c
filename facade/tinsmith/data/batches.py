"""Batches of datums, in an order that a seed decides and that can be continued anywhere; the mean loss."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from tinsmith.core.errors import InputError
from tinsmith.core.values import Datum

if TYPE_CHECKING:
    from tinsmith.core.values import ForwardBackwardOutput


@attrs.frozen
class Batch:
    """Datums that are trained on together, with the place of this batch in the run."""

    epoch: int
    """Number of the pass over the data, from 0."""
    index: int
    """Number of the batch in its epoch, from 0."""
    data: list[Datum]
    """The datums."""


@attrs.frozen(kw_only=True)
class Batches:
    """Data in batches: each epoch has every datum once, in an order of its own.

    The order depends on `seed` and the number of the epoch alone, not on what ran before: a program that
    remembers the epoch and the index of its last batch continues after it.

    >>> from tinsmith import Datum, ModelInput
    >>> from tinsmith.data import Batches
    >>> data = [Datum(model_input=ModelInput.from_ints([n]), loss_fn_inputs={}) for n in range(5)]
    >>> batches = Batches(data=data, items=2, seed=7)
    >>> [len(batch.data) for batch in batches.walk(epochs=2)]
    [2, 2, 1, 2, 2, 1]
    >>> [(batch.epoch, batch.index) for batch in batches.walk(epochs=2, epoch=1, index=1)]
    [(1, 1), (1, 2)]
    """

    data: Sequence[Datum] = attrs.field(repr=lambda data: f"<{len(data)} datums>")
    """What is cut into batches."""
    items: int | None = None
    """Datums in a batch; the last one of an epoch may have fewer."""
    tokens: int | None = None
    """Tokens in a batch at most, in place of `items`; a datum with more is a batch of its own."""
    seed: int = 0
    """Decides the order."""

    def __attrs_post_init__(self) -> None:
        if (self.items is None) is (self.tokens is None):
            raise InputError("give either items= or tokens=", field="items")
        for name, limit in (("items", self.items), ("tokens", self.tokens)):
            if limit is not None and limit < 1:
                raise InputError(f"must be at least 1, not {limit}", field=name)
        if not self.data:
            raise InputError("is empty: there is nothing to train on", field="data")

    def order(self, epoch: int) -> list[int]:
        """Return the places of the datums in the order of an epoch."""
        draw = random.Random(f"{self.seed}/{epoch}").random  # noqa: S311 - the same on every Python
        drawn = [draw() for _ in self.data]
        return sorted(range(len(self.data)), key=drawn.__getitem__)

    def of_epoch(self, epoch: int) -> list[Batch]:
        """Return the batches of an epoch."""
        parts: list[list[Datum]] = []
        room = 0
        for place in self.order(epoch):
            datum = self.data[place]
            needed = 1 if self.items is not None else datum.model_input.length
            if not parts or needed > room:
                parts.append([])
                room = self.items or self.tokens or 0
            parts[-1].append(datum)
            room -= needed
        return [Batch(epoch, index, part) for index, part in enumerate(parts)]

    def walk(self, epochs: int, *, epoch: int = 0, index: int = 0) -> Iterator[Batch]:
        """Yield the batches of `epochs` epochs, from batch `index` of epoch `epoch` on.

        An `index` past the end of its epoch goes on with the next epoch.
        """
        for number in range(epoch, epochs):
            yield from self.of_epoch(number)[index if number == epoch else 0 :]


def mean_loss(output: ForwardBackwardOutput, data: Sequence[Datum]) -> float:
    """Return the mean of the loss `cross_entropy` over the tokens of a batch, by their weights, in nats.

    `output` is what `forward` or `forward_backward` gave for `data`. Raises InputError where the outputs are
    not those of the data, have no logprobs, or where no token has weight.
    """
    import numpy as np

    if len(output.loss_fn_outputs) != len(data):
        raise InputError(f"has {len(output.loss_fn_outputs)} records for {len(data)} datums", field="output")
    total, weight = 0.0, 0.0
    for place, (record, datum) in enumerate(zip(output.loss_fn_outputs, data, strict=True)):
        if "logprobs" not in record:
            raise InputError("has no logprobs: it is of another loss", datum=place, field="output")
        logprobs = record["logprobs"].to_numpy().astype(np.float64)
        weights = (
            datum.loss_fn_inputs["weights"].to_numpy()
            if "weights" in datum.loss_fn_inputs
            else np.ones(len(logprobs))
        )
        if logprobs.shape != weights.shape:
            raise InputError(
                f"has {len(logprobs)} logprobs for {len(weights)} weights", datum=place, field="output"
            )
        total -= float(logprobs @ weights)
        weight += float(weights.sum())
    if not weight:
        raise InputError("no token of the batch has weight", field="data")
    return total / weight
