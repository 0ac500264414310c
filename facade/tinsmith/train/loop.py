"""The loop of supervised training: batches in, steps and checkpoints out. Owns what is sent when.

It writes no file and reads no clock but to say how fast it is.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.errors import InputError, UnprocessableEntityError
from tinsmith.core.values import AdamParams, Datum, ForwardBackwardOutput
from tinsmith.data import Batch, mean_loss
from tinsmith.io.future import APIFuture

if TYPE_CHECKING:
    from tinsmith.clients.training import TrainingClient

Logger = Callable[[int, Mapping[str, float]], object]
"""Gets the number of a step, and its metrics by name."""

AHEAD = 1
"""Steps that are sent before the result of an earlier one is waited for: enough that a server never waits for
the client, and few enough that Ctrl-C ends a run soon."""


@attrs.frozen
class SavedStep:
    """A checkpoint of a run, with its optimizer."""

    step: int
    """Number of steps that it has seen."""
    path: str
    """Its `tinker://` path."""
    expires: bool = attrs.field(default=False, eq=False)
    """Whether the server took a time to live for it."""


def supervised(
    trainer: TrainingClient,
    batches: Sequence[Batch],
    learning_rate: float | Callable[[int], float],
    *,
    start: int = 0,
    held_out: Sequence[Datum] = (),
    evaluate_every: int | None = None,
    checkpoint_every: int | None = None,
    ttl_seconds: int | None = None,
    loggers: Sequence[Logger] = (),
    on_checkpoint: Callable[[SavedStep], object] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> SavedStep | None:
    """Train on `batches`, one step each, with the loss `cross_entropy` and Adam; return the last checkpoint.

    Step `n` is that of `batches[n - 1]`, at the rate `learning_rate(n)`. A `trainer` that has the weights and
    the optimizer of a checkpoint goes on after it: `start` is the number of steps that it has seen. The next
    batch is sent before the result of the last one is there.

    The loggers get `loss` (mean over the weighted tokens, in nats), `learning_rate`, `epoch` (from 0),
    `tokens` and `tokens_per_s` of each step, and `held_out_loss` where it was computed: before the first
    step, every `evaluate_every` steps, and after the last.

    A checkpoint is saved every `checkpoint_every` steps, kept for `ttl_seconds` (None: for ever), and one at
    the end, which is always kept. Each has the labels `step`, `epoch` and `batch`, where the server takes
    labels. `stop` is asked before each step; where it says yes, the steps that were sent are waited for, a
    checkpoint is saved, and the function returns; None if there was no step.

    Raises InputError for a `start` outside the batches, and what the calls of the trainer raise.

    >>> import tinsmith
    >>> from tinsmith import data, train
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=2, seed=0)
    ...     texts = [data.datum_from_text(trainer.get_tokenizer(), "Tin is ", word) for word in ("Sn", "50")]
    ...     batches = list(data.Batches(data=texts, items=1).walk(epochs=2))
    ...     losses = []
    ...     saved = train.supervised(
    ...         trainer, batches, 1e-2, loggers=[lambda step, metrics: losses.append(metrics["loss"])]
    ...     )
    >>> saved and saved.step, len(losses), losses[-1] < losses[0]
    (4, 4, True)
    """
    if not 0 <= start < len(batches):
        raise InputError(f"must be from 0 to {len(batches) - 1}, not {start}", field="start")
    rate = learning_rate if callable(learning_rate) else lambda _: learning_rate
    loop = _Loop(trainer, batches, rate, held_out, loggers, clock, sent=start)
    if not start:
        loop.evaluate_first()
    saved = None
    for step in range(start + 1, len(batches) + 1):
        if stop():
            break
        is_last = step == len(batches)
        loop.send(step, evaluate=is_last or _is_due(step, evaluate_every))
        if not is_last and _is_due(step, checkpoint_every):
            saved = loop.save(ttl_seconds)
            on_checkpoint(saved)
    if loop.sent > (saved.step if saved else start):
        saved = loop.save(None if loop.sent == len(batches) else ttl_seconds)
        on_checkpoint(saved)
    return saved


def _is_due(step: int, every: int | None) -> bool:
    return every is not None and step % every == 0


@attrs.define
class _Sent:
    """A step whose result is awaited."""

    step: int
    batch: Batch
    rate: float
    gradient: APIFuture[ForwardBackwardOutput]
    update: APIFuture[Any]
    evaluation: APIFuture[ForwardBackwardOutput] | None


class _Loop:
    """What was sent, and whom to tell of it."""

    def __init__(
        self,
        trainer: TrainingClient,
        batches: Sequence[Batch],
        rate: Callable[[int], float],
        held_out: Sequence[Datum],
        loggers: Sequence[Logger],
        clock: Callable[[], float],
        *,
        sent: int,
    ) -> None:
        self._trainer, self._batches, self._rate = trainer, batches, rate
        self._held_out, self._loggers, self._clock = held_out, loggers, clock
        self._awaited: deque[_Sent] = deque()
        self._last_s = clock()
        self._takes_labels = True
        self.sent = sent
        """Number of the last step that was sent."""

    def evaluate_first(self) -> None:
        """Report the held-out loss before any training."""
        if self._held_out:
            self._report(0, {"held_out_loss": self._loss(self._forward())})

    def send(self, step: int, *, evaluate: bool) -> None:
        """Send a step, and wait for one that was sent before."""
        batch, rate = self._batches[step - 1], self._rate(step)
        gradient = self._trainer.forward_backward(batch.data, "cross_entropy")
        update = self._trainer.optim_step(AdamParams(learning_rate=rate))
        evaluation = self._forward() if evaluate and self._held_out else None
        self._awaited.append(_Sent(step, batch, rate, gradient, update, evaluation))
        self.sent = step
        self._wait(AHEAD)

    def save(self, ttl_seconds: int | None) -> SavedStep:
        """Wait for what was sent, and save a checkpoint after it.

        Waiting first means that a save without labels, for servers that refuse these, is of the same step.
        """
        self._wait(0)
        batch = self._batches[self.sent - 1]
        name = f"step-{self.sent:06d}"
        labels = {"step": str(self.sent), "epoch": str(batch.epoch), "batch": str(batch.index)}
        saved = None
        if self._takes_labels:
            try:
                saved = self._trainer.save_state(name, ttl_seconds, user_metadata=labels).result()
            except UnprocessableEntityError:
                self._takes_labels = False
        expires = saved is not None and ttl_seconds is not None
        saved = saved or self._trainer.save_state(name).result()
        return SavedStep(self.sent, saved.path, expires)

    def _forward(self) -> APIFuture[ForwardBackwardOutput]:
        return self._trainer.forward(self._held_out, "cross_entropy")

    def _loss(self, evaluation: APIFuture[ForwardBackwardOutput]) -> float:
        return mean_loss(evaluation.result(), self._held_out)

    def _wait(self, ahead: int) -> None:
        """Wait for steps, the oldest first, until `ahead` are left."""
        while len(self._awaited) > ahead:
            sent = self._awaited.popleft()
            metrics = {
                "loss": mean_loss(sent.gradient.result(), sent.batch.data),
                "learning_rate": sent.rate,
                "epoch": sent.batch.epoch,
                "tokens": sum(datum.model_input.length for datum in sent.batch.data),
            }
            sent.update.result()
            if sent.evaluation is not None:
                metrics["held_out_loss"] = self._loss(sent.evaluation)
            now_s = self._clock()
            metrics["tokens_per_s"] = metrics["tokens"] / max(now_s - self._last_s, 1e-9)
            self._last_s = now_s
            self._report(sent.step, metrics)

    def _report(self, step: int, metrics: Mapping[str, float]) -> None:
        for logger in self._loggers:
            logger(step, metrics)
