"""Owns the training entry point: examples in, per-token results out, gradients added to the adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

from tinsmith_local.engine.base_model import BaseModel
from tinsmith_local.engine.batch import Example, ExampleError, check_example
from tinsmith_local.engine.losses import Floats, Loss, Terms, resolve
from tinsmith_local.engine.sites import AdapterSites, lay_over
from tinsmith_local.engine.stack import Stack
from tinsmith_local.engine.tape import Keep, bytes_per_token
from tinsmith_local.engine.unembed import LossGradient, Unembedding
from tinsmith_local.engine.workers import Team, exclusive

if TYPE_CHECKING:
    from tinsmith_local.engine.lora import Adapter

Array = npt.NDArray[np.float32]

TAPE_BYTES = 768 * 1024 * 1024
"""Memory for what a forward pass writes down; more tokens than fit go in several passes."""


class DivergedError(ValueError):
    """The numbers that a model gives have left the finite ones: nothing is wrong with the input."""


@attrs.frozen(kw_only=True, eq=False)
class BatchOutput:
    """Results of one `forward_backward`, one entry an example, in order."""

    logprobs: tuple[npt.NDArray[np.float32], ...]
    """Of every target, shape of the example's `targets`, weight 0 included."""
    elementwise_loss: tuple[npt.NDArray[np.float32], ...]
    """[N] each; their sum is "loss:sum"."""
    metrics: dict[str, float]
    """"loss:sum", "tokens:sum" (positions), "trained_tokens:sum" (positions with a gradient)."""


def forward_backward(
    model: BaseModel,
    adapter: Adapter | None,
    examples: Sequence[Example],
    loss_fn: str,
    loss_config: Mapping[str, float | str] | None = None,
    *,
    backward: bool = True,
) -> BatchOutput:
    """Compute a loss over examples and add its gradients to `adapter.flat_grads`.

    The result's bits depend on the arguments alone. Nothing is added when anything raises. ExampleError
    names the datum and the field; ValueError an unknown loss or option.
    """
    loss = resolve(loss_fn, loss_config)
    if not examples:
        raise ExampleError("needs at least one datum", field="data")
    for index, example in enumerate(examples):
        check_example(example, loss.needs, model.config, index)
    wanted = adapter if backward else None
    with exclusive() as team:
        sites = lay_over(model.config, adapter)
        pending = None if wanted is None else np.zeros_like(wanted.flat)
        grads = {} if wanted is None or pending is None else wanted.views(pending)
        passes = [
            _Pass(model, sites, examples[part], loss, part.start, team, grads if wanted else None)
            for part in _split(model, sites, examples)
        ]
        output = _output([result for one in passes for result in one.run()])
        if wanted is not None and pending is not None:
            wanted.add_grads(pending)
    return output


def _split(model: BaseModel, sites: AdapterSites, examples: Sequence[Example]) -> list[slice]:
    """Cut the examples, in order, into passes whose tape fits in memory."""
    inner = sum(site.width for site in sites.layers[0].present.values())
    room = max(1, TAPE_BYTES // bytes_per_token(model.config, inner, model.weights.embed.dtype.itemsize))
    lengths = [len(example.tokens) for example in examples]
    even = sum(lengths) / max(1, -(-sum(lengths) // room))
    cuts, held = [0], 0
    for index, length in enumerate(lengths):
        if held and (held + length > room or held + length / 2 > even):
            cuts.append(index)
            held = 0
        held += length
    return [slice(start, stop) for start, stop in zip(cuts, [*cuts[1:], len(lengths)], strict=True)]


@attrs.frozen(eq=False)
class _Result:
    """One example's numbers."""

    logprobs: npt.NDArray[np.float64]
    values: Floats
    trained: int


@attrs.frozen(eq=False)
class _Pass:
    """One packed batch from tokens to gradients."""

    model: BaseModel
    sites: AdapterSites
    examples: Sequence[Example]
    loss: Loss
    first: int
    team: Team
    grads: dict[str, Array] | None

    def run(self) -> list[_Result]:
        """Return one result an example; gradients are added to `grads`."""
        stack = Stack(self.model, self.sites, self.examples, self._keep(), self.team)
        x = stack.forward()
        targets, terms = self._packed()
        trained = self._trained(terms)
        logprobs = np.zeros(targets.shape, np.float64)
        head = Unembedding(self.model, self.sites.unembed, self.team)
        if self.grads is None or self.loss.by_sequence:
            head.run(x, targets, np.arange(len(trained)), logprobs=logprobs)
        else:
            head.run(x, targets, np.flatnonzero(~trained), logprobs=logprobs)
        if self.grads is not None:
            dx = self.team.workspace.take("dx", x.shape, x.dtype)
            dx.fill(0.0)
            loss_gradient = self._loss_gradient(terms, logprobs, stack.bounds)
            rows = np.flatnonzero(trained)
            head.run(
                x, targets, rows, logprobs=logprobs, loss_gradient=loss_gradient, dx=dx, grads=self.grads
            )
        results = self._results(logprobs, terms, trained, stack.bounds)
        if self.grads is not None and trained.any():
            stack.backward(dx, self.grads)
        return results

    def _keep(self) -> Keep:
        if self.grads is None:
            return Keep.NOTHING
        inner = sum(site.width for site in self.sites.layers[0].present.values())
        token_bytes = bytes_per_token(self.model.config, inner, self.model.weights.embed.dtype.itemsize)
        tokens = sum(len(example.tokens) for example in self.examples)
        return Keep.ALL if tokens * token_bytes <= TAPE_BYTES else Keep.INPUTS

    def _packed(self) -> tuple[npt.NDArray[np.int64], Terms]:
        """Lay the examples' targets and loss inputs one behind another; targets get a second axis."""
        width = max(1 if x.targets.ndim == 1 else x.targets.shape[1] for x in self.examples)
        total = sum(len(x.tokens) for x in self.examples)
        targets = np.zeros((total, width), np.int64)
        weights = np.zeros((total, width))
        rest = {name: np.zeros(total) for name in ("logprobs", "advantages", "mask")}
        start = 0
        for x in self.examples:
            rows = slice(start, start + len(x.tokens))
            start = rows.stop
            columns = 1 if x.targets.ndim == 1 else x.targets.shape[1]
            targets[rows, :columns] = x.targets.reshape(len(x.tokens), columns)
            if x.weights is not None:
                weights[rows, :columns] = x.weights.reshape(len(x.tokens), columns)
            for name, values in rest.items():
                given = getattr(x, name)
                if given is not None:
                    values[rows] = given
            if x.mask is None:
                rest["mask"][rows] = (rest["advantages"][rows] != 0.0) | (rest["logprobs"][rows] != 0.0)
        return targets, Terms(weights=weights, **rest)

    def _trained(self, terms: Terms) -> npt.NDArray[np.bool_]:
        """Positions that can have a gradient."""
        if self.loss.skips is None:
            return np.ones(len(terms.advantages), np.bool_)
        if self.loss.skips == "weights":
            found: npt.NDArray[np.bool_] = (terms.weights != 0.0).any(axis=1)
            return found
        nonzero: npt.NDArray[np.bool_] = terms.advantages != 0.0
        return nonzero

    def _loss_gradient(self, terms: Terms, logprobs: Floats, bounds: list[slice]) -> LossGradient:
        """Make the function that gives the loss's gradient by the logprobs of some rows."""
        compute, options = self.loss.compute, self.loss.options
        if not self.loss.by_sequence:
            return lambda rows, found: compute(found, terms.at(rows), options)[1]
        slopes = np.concatenate([compute(logprobs[b], terms.at(b), options)[1] for b in bounds])
        return lambda rows, found: slopes[rows]

    def _results(
        self, logprobs: Floats, terms: Terms, trained: npt.NDArray[np.bool_], bounds: list[slice]
    ) -> list[_Result]:
        results = []
        for index, (bound, example) in enumerate(zip(bounds, self.examples, strict=True)):
            if not np.isfinite(logprobs[bound]).all():
                raise DivergedError(
                    f"datum {self.first + index}: the model gives logprobs that are not finite"
                )
            values, slopes = self.loss.compute(logprobs[bound], terms.at(bound), self.loss.options)
            if not (np.isfinite(values).all() and np.isfinite(slopes).all()):
                message = "give a loss that is not finite; are they logprobs of this model?"
                raise ExampleError(message, index=self.first + index, field=self.loss.needs[0])
            columns = 1 if example.targets.ndim == 1 else example.targets.shape[1]
            found = logprobs[bound, :columns].reshape(example.targets.shape)
            results.append(_Result(found, values, int(trained[bound].sum())))
        return results


def _output(results: list[_Result]) -> BatchOutput:
    return BatchOutput(
        logprobs=tuple(result.logprobs.astype(np.float32) for result in results),
        elementwise_loss=tuple(result.values.astype(np.float32) for result in results),
        metrics={
            "loss:sum": float(sum(float(result.values.sum()) for result in results)),
            "tokens:sum": float(sum(len(result.values) for result in results)),
            "trained_tokens:sum": float(sum(result.trained for result in results)),
        },
    )
