"""Show what a client does: a live line in the terminal, or a line in the log every so often.

Both are observers: hand them to `ServiceClient(observer=...)` or `service.add_observer(...)`. They know
events by their `kind` alone and must not ask the client anything.

>>> import tinsmith
>>> from tinsmith.progress import ProgressDisplay
>>> with ProgressDisplay() as display, tinsmith.ServiceClient(base_url="local:", observer=display) as service:
...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
...     step = trainer.optim_step(tinsmith.AdamParams()).result()
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console
    from rich.progress import Progress as Bar

    from tinsmith.io.events import Event

EVERY_S = 30.0
"""Seconds between two lines of a `ProgressLog`: rare enough to read, often enough to trust."""

_log = logging.getLogger("tinsmith.progress")


class ProgressDisplay:
    """A live line on stderr: requests by state, errors by kind, and what a long wait waits for.

    Where stderr is no terminal it is a line every `every_s` seconds, and one at the end.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._guard = threading.Lock()
        self._console = console or RichConsole(stderr=True)
        self._every_s, self._clock, self._shown_s = every_s, clock, clock()
        self._line, self._notice = "", ""
        self._bar: Bar = Progress(
            SpinnerColumn(),
            TextColumn("requests"),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=self._console,
        )
        self._task = self._bar.add_task("", total=0)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()
        elif self._line:
            self._say()

    def __call__(self, event: Event) -> None:
        """Take an event."""
        with self._guard:
            if event.kind == "progress":
                ended = event.done + event.failed
                total = ended + event.waiting + event.in_flight
                if event.in_flight == 0:
                    self._notice = ""
                line = f"{event.waiting} waiting, {event.in_flight} in flight"
                line += _errors(event.errors) + self._notice
                self._bar.update(self._task, completed=ended, total=total, description=line)
                self._line = f"requests {ended}/{total}: {line}"
                if not self._console.is_terminal and self._clock() - self._shown_s >= self._every_s:
                    self._say()
            elif event.kind == "wait":
                self._notice = f"; {event.operation} waits {event.waited_s:.0f} s for {event.waits_for}"
            else:
                reason = f" ({event.reason})" if event.reason else ""
                self._notice = "" if event.state == "active" else f"; {event.state}{reason}"

    def _say(self) -> None:
        self._shown_s = self._clock()
        self._console.print(self._line, soft_wrap=True, markup=False, highlight=False)


class StepDisplay:
    """Two live lines on stderr for work of many requests: how many there were; the current one; both times.

    Without `shown` there is nothing to see.
    """

    def __init__(self, title: str, *, shown: bool = True, console: Console | None = None) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._title, self._shown, self._steps = title, shown, 0
        self._bar = Progress(
            SpinnerColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=console or RichConsole(stderr=True),
            transient=True,
        )
        self._all, self._one = self._bar.add_task(title), self._bar.add_task("")

    def __enter__(self) -> Self:
        if self._shown:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._bar.stop()

    def step(self, name: str) -> None:
        """Begin the next step, with a clock of its own."""
        self._steps += 1
        self._bar.update(self._all, description=f"{self._title}: request {self._steps}")
        self._bar.reset(self._one, description=name)


class _CountDisplay:
    """How far counted work is: a live line on stderr, elsewhere a line now and then."""

    noun: str
    """What is counted."""

    def __init__(
        self,
        total: int,
        start: int = 0,
        *,
        console: Console | None = None,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        self._console = console or RichConsole(stderr=True)
        self._total, self._start, self._every_s, self._clock = total, start, every_s, clock
        self._began_s = self._shown_s = clock()
        counted = f"{self.noun} {{task.completed:.0f}}/{{task.total:.0f}}"
        self._bar: Bar = Progress(
            TextColumn(counted, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=10, table_column=Column(no_wrap=True)),
            TextColumn("{task.description}", markup=False),
            console=self._console,
        )
        self._task = self._bar.add_task("", total=total, completed=start)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line; the live one stays below it."""
        self._console.print(text, soft_wrap=True, markup=False, highlight=False)

    def _show(self, done: int, facts: list[str], passed_s: float, *, is_due: bool = False) -> None:
        """Show that so much is done, `passed_s` after the beginning, and the time that is left."""
        made = done - self._start
        if made and passed_s:
            left = timedelta(seconds=round(passed_s / made * (self._total - done)))
            facts = [*facts, f"{left} left"]
        line = ", ".join(facts)
        self._bar.update(self._task, completed=done, description=line)
        now_s = self._began_s + passed_s
        if (is_due or now_s - self._shown_s >= self._every_s) and not self._console.is_terminal:
            self._shown_s = now_s
            self.say(f"{self.noun} {done} of {self._total}: {line}")


class TrainingDisplay(_CountDisplay):
    r"""How far a training run is: a live line on stderr, once for each step. A logger of `train.supervised`.

    Where stderr is no terminal it is a line every `every_s` seconds, and one for each held-out loss.

    >>> import io
    >>> from rich.console import Console
    >>> from tinsmith.progress import TrainingDisplay
    >>> sink = io.StringIO()
    >>> with TrainingDisplay(10, console=Console(file=sink), clock=iter([0.0, 2.0]).__next__) as display:
    ...     display(1, {"loss": 2.5, "tokens": 500, "held_out_loss": 2.25})
    >>> sink.getvalue()
    'step 1 of 10: loss 2.5000, held-out 2.2500, 250 tokens/s, 0:00:18 left\n'
    """

    noun = "step"

    def __init__(
        self,
        steps: int,
        start: int = 0,
        *,
        console: Console | None = None,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(steps, start, console=console, every_s=every_s, clock=clock)
        self._tokens, self._losses = 0.0, dict[str, float]()

    def __call__(self, step: int, metrics: Mapping[str, float]) -> None:
        """Take the metrics of a step."""
        passed_s = self._clock() - self._began_s
        self._losses |= metrics
        self._tokens += metrics.get("tokens", 0)
        shown = {"loss": "loss", "held_out_loss": "held-out"}
        facts = [f"{shown[name]} {self._losses[name]:.4f}" for name in shown if name in self._losses]
        if step > self._start and passed_s:
            facts.append(f"{self._tokens / passed_s:.0f} tokens/s")
        if "cost_usd" in metrics:
            facts.append(f"${metrics['cost_usd']:.4f}")
        self._show(step, facts, passed_s, is_due="held_out_loss" in metrics)


class EvaluationDisplay(_CountDisplay):
    r"""How far an evaluation is: a live line on stderr with the means so far.

    Where stderr is no terminal it is a line every `every_s` seconds, and one at the end.

    >>> import io
    >>> from rich.console import Console
    >>> from tinsmith.progress import EvaluationDisplay
    >>> sink = io.StringIO()
    >>> with EvaluationDisplay(1, console=Console(file=sink), clock=iter([0.0, 2.0]).__next__) as display:
    ...     display(loss=2.5, weight=8, score=None)
    >>> sink.getvalue()
    'record 1 of 1: loss 2.5000, 0:00:00 left\n'
    """

    noun = "record"

    def __init__(
        self,
        records: int,
        *,
        console: Console | None = None,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(records, console=console, every_s=every_s, clock=clock)
        self._done = 0
        self._sums = {"loss": (0.0, 0.0), "score": (0.0, 0.0)}

    def __call__(self, *, loss: float | None, weight: float, score: float | None) -> None:
        """Take what came out for a record; None has no part in a mean, and that of the loss is by weight."""
        self._done += 1
        for name, value, by in (("loss", loss, weight), ("score", score, 1.0)):
            if value is not None:
                total, weights = self._sums[name]
                self._sums[name] = total + by * value, weights + by
        facts = [f"{name} {total / by:.4f}" for name, (total, by) in self._sums.items() if by]
        self._show(self._done, facts, self._clock() - self._began_s, is_due=self._done == self._total)


class ProgressLog:
    """A structured line in the log every so often, with the errors since the last one.

    The numbers are in the message and in the record's `tinsmith` attribute.
    """

    def __init__(
        self,
        every_s: float = EVERY_S,
        *,
        logger: logging.Logger | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._every_s = every_s
        self._logger = logger or _log
        self._clock = clock
        self._guard = threading.Lock()
        self._last_s = clock()
        self._told: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if event.kind == "wait":
            self._logger.info("%s waits %.0f s for %s", event.operation, event.waited_s, event.waits_for)
        elif event.kind == "queue":
            self._logger.info("%s is %s: %s", event.operation, event.state, event.reason or "no reason given")
        else:
            with self._guard:
                now_s = self._clock()
                idle = event.waiting == 0 and event.in_flight == 0
                if now_s - self._last_s < self._every_s and not (
                    idle and self._told != Counter(event.errors)
                ):
                    return
                self._last_s = now_s
                fresh = dict(Counter(event.errors) - self._told)
                self._told = Counter(event.errors)
            numbers = {
                "waiting": event.waiting,
                "in_flight": event.in_flight,
                "done": event.done,
                "failed": event.failed,
                "errors": fresh,
            }
            self._logger.info(
                "waiting=%(waiting)d in_flight=%(in_flight)d done=%(done)d failed=%(failed)d"
                " errors=%(errors)s",
                numbers,
                extra={"tinsmith": numbers},
            )


def _errors(errors: Mapping[str, int]) -> str:
    if not errors:
        return ""
    return "; " + ", ".join(f"{count} x {kind}" for kind, count in sorted(errors.items()))
