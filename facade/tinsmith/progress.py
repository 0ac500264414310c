"""Show what a client does: a live line in the terminal or a notebook, or a line in the log every so often.

Both are observers: hand them to `ServiceClient(observer=...)` or `service.add_observer(...)`. They know
events by their `kind` alone and must not ask the client anything.

>>> import tinsmith
>>> from tinsmith.progress import ProgressDisplay
>>> with tinsmith.ServiceClient(base_url="local:") as service, ProgressDisplay(of=service):
...     trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
...     step = trainer.optim_step(tinsmith.AdamParams()).result()
"""

from __future__ import annotations

import io
import logging
import threading
import time
from collections import Counter
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

    from tinsmith.io.events import Event

EVERY_S = 30.0
"""Seconds between two lines of a `ProgressLog`: rare enough to read, often enough to trust."""

REDRAWN_EVERY_S = 0.5
"""Seconds between two states of a bar in a notebook: each is a message to the browser."""

LAST_EVENT_S = 0.1
"""Seconds for the event of a result that was just handed out: it is counted a moment later."""

CELL_WIDTH = 100
"""Characters of a line in a notebook, which does not say how wide it is."""

_log = logging.getLogger("tinsmith.progress")


class _Live:
    """A bar that is redrawn in place, in a terminal or below the cell of a notebook; elsewhere not seen."""

    def __init__(
        self, *columns: str | ProgressColumn, console: Console | None, transient: bool = False
    ) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import Progress

        self._console = console or RichConsole(stderr=True)
        self._bar = Progress(*columns, console=self._console, transient=transient)
        self._is_live = self._console.is_terminal or self._console.is_jupyter
        self._output: _CellOutput | None = None

    def __enter__(self) -> Self:
        if self._console.is_jupyter:
            self._output = _CellOutput(self._bar)
        elif self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._output is not None:
            self._output.close()
        elif self._console.is_terminal:
            self._bar.stop()


class _CellOutput:
    """An output of a notebook's cell that shows a bar, and is replaced by its next state.

    rich itself redraws with ipywidgets, which the server of the notebook must have too. The bar is a text
    without colours, for dark and light themes.
    """

    def __init__(self, bar: Progress) -> None:
        display = import_module("IPython.display").display
        self._bar, self._ended = bar, threading.Event()
        self._output = display(self._drawn(), raw=True, display_id=True)
        self._painter = threading.Thread(target=self._paint, name="tinsmith-progress", daemon=True)
        self._painter.start()

    def close(self) -> None:
        """Leave the last state of the bar where it is."""
        self._ended.set()
        self._painter.join()
        self._update()

    def _paint(self) -> None:
        while not self._ended.wait(REDRAWN_EVERY_S):
            self._update()

    def _update(self) -> None:
        self._output.update(self._drawn(), raw=True)

    def _drawn(self) -> dict[str, str]:
        from rich.console import Console as RichConsole

        page = RichConsole(file=io.StringIO(), width=CELL_WIDTH, color_system=None, force_jupyter=False)
        with page.capture() as drawn:
            page.print(self._bar)
        return {"text/plain": drawn.get().rstrip()}


class Observable(Protocol):
    """What calls observers: a ServiceClient."""

    def add_observer(self, observer: Callable[[Event], object]) -> None:
        """Have `observer` called with each event."""

    def remove_observer(self, observer: Callable[[Event], object]) -> None:
        """Stop calling it."""


class ProgressDisplay(_Live):
    """A live line on stderr: requests by state, errors by kind, and what a long wait waits for.

    In a notebook it is below the cell. Where stderr is neither, it is a line every `every_s` seconds, and one
    at the end. With `of=service` it observes a service from the beginning of a `with` block to its end.
    """

    def __init__(
        self,
        console: Console | None = None,
        *,
        of: Observable | None = None,
        every_s: float = EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from rich.progress import MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("requests"), MofNCompleteColumn(), TimeElapsedColumn())
        super().__init__(*columns, TextColumn("{task.description}"), console=console)
        self._guard = threading.Lock()
        self._of, self._idle = of, threading.Event()
        self._idle.set()
        self._every_s, self._clock, self._shown_s = every_s, clock, clock()
        self._line, self._notice = "", ""
        self._task = self._bar.add_task("", total=0)

    def __enter__(self) -> Self:
        super().__enter__()
        if self._of is not None:
            self._of.add_observer(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._of is not None:
            self._idle.wait(LAST_EVENT_S)
            self._of.remove_observer(self)
        super().__exit__()
        if self._line and not self._is_live:
            self._say()

    def __call__(self, event: Event) -> None:
        """Take an event."""
        with self._guard:
            if event.kind == "progress":
                ended = event.done + event.failed
                total = ended + event.waiting + event.in_flight
                if event.in_flight == 0:
                    self._notice = ""
                (self._idle.clear if event.waiting or event.in_flight else self._idle.set)()
                line = f"{event.waiting} waiting, {event.in_flight} in flight"
                line += _errors(event.errors) + self._notice
                self._bar.update(self._task, completed=ended, total=total, description=line)
                self._line = f"requests {ended}/{total}: {line}"
                if not self._is_live and self._clock() - self._shown_s >= self._every_s:
                    self._say()
            elif event.kind == "wait":
                self._notice = f"; {event.operation} waits {event.waited_s:.0f} s for {event.waits_for}"
            else:
                reason = f" ({event.reason})" if event.reason else ""
                self._notice = "" if event.state == "active" else f"; {event.state}{reason}"

    def _say(self) -> None:
        self._shown_s = self._clock()
        self._console.print(self._line, soft_wrap=True, markup=False, highlight=False)


class StepDisplay(_Live):
    """Two live lines on stderr for work of many requests: all of it and the present one, each with its time.

    Without `shown` there is nothing to see.
    """

    def __init__(self, title: str, *, shown: bool = True, console: Console | None = None) -> None:
        from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
        super().__init__(*columns, console=console, transient=True)
        self._title, self._shown, self._steps = title, shown, 0
        self._all, self._one = self._bar.add_task(title), self._bar.add_task("")

    def __enter__(self) -> Self:
        return super().__enter__() if self._shown else self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            super().__exit__()

    def step(self, name: str) -> None:
        """Begin the next step, with a clock of its own."""
        self._steps += 1
        self._bar.update(self._all, description=f"{self._title}: request {self._steps}")
        self._bar.reset(self._one, description=name)


class _CountDisplay(_Live):
    """How far counted work is: a live line on stderr or below a cell, elsewhere a line now and then."""

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
        from rich.progress import BarColumn, TextColumn
        from rich.table import Column

        counted = f"{self.noun} {{task.completed:.0f}}/{{task.total:.0f}}"
        super().__init__(
            TextColumn(counted, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=10, table_column=Column(no_wrap=True)),
            TextColumn("{task.description}", markup=False),
            console=console,
        )
        self._total, self._start, self._every_s, self._clock = total, start, every_s, clock
        self._began_s = self._shown_s = clock()
        self._task = self._bar.add_task("", total=total, completed=start)

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
        if (is_due or now_s - self._shown_s >= self._every_s) and not self._is_live:
            self._shown_s = now_s
            self.say(f"{self.noun} {done} of {self._total}: {line}")


class TrainingDisplay(_CountDisplay):
    r"""How far a training run is: a live line on stderr, once for each step. A logger of `train.supervised`.

    In a notebook it is below the cell. Where stderr is neither, it is a line every `every_s` seconds, and one
    for each held-out loss.

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

    In a notebook it is below the cell. Where stderr is neither, it is a line every `every_s` seconds, and one
    at the end.

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
