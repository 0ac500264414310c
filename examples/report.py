"""What a person sees of an example's run: tables of answers, the progress bar, the curve, the summary.

Owns the looks only. Must not know the client, nor how anything was computed.
"""

import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import instruct
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

console = Console(highlight=False)


EVERY_S = 10.0
"""Seconds between two lines of progress where there is no terminal to draw a bar in."""


class Tracked:
    """How far one part of a program is: a live bar in a terminal, elsewhere a line now and then."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total, self._done = name, total, 0
        self._told_s = time.monotonic()
        columns = (TextColumn("[bold]{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn())
        facts = (TextColumn("{task.fields[facts]}"), TimeElapsedColumn())
        self._bar = Progress(*columns, *facts, console=console, expand=True)
        self._task = self._bar.add_task(name, total=total, facts="")

    def __enter__(self) -> Self:
        if console.is_terminal:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if console.is_terminal:
            self._bar.stop()

    def advance(self, facts: str = "") -> None:
        """Count one more, with what is known of it."""
        self._done += 1
        if console.is_terminal:
            self._bar.update(self._task, completed=self._done, facts=facts)
        elif self._done == self._total or time.monotonic() - self._told_s >= EVERY_S:
            self._told_s = time.monotonic()
            console.print(f"{self._name} {self._done}/{self._total} {facts}".rstrip(), soft_wrap=True)


def answers(title: str, items: Sequence[instruct.Item], texts: Sequence[str]) -> Table:
    """Lay out sentences, the model's answers and the rule's verdicts."""
    table = Table(title=title, title_justify="left", title_style="bold", expand=True)
    table.add_column("sentence", ratio=5)
    table.add_column("answer", ratio=5)
    table.add_column("rule", ratio=2)
    for item, text in zip(items, texts, strict=True):
        verdict = instruct.judge(item, text)
        style = "green" if verdict == "right" else "red"
        table.add_row(item.sentence, escape(" ".join(text.split())), f"[{style}]{verdict}[/]")
    return table


def failure(error: Exception) -> None:
    """Print an error as it is; its brackets are no markup."""
    console.print(f"[bold red]{type(error).__name__}:[/] {escape(str(error))}")


def say_what_is_missing() -> None:
    """Say before a long run that its curve will not be drawn; everything else works without matplotlib."""
    if find_spec("matplotlib") is None:
        console.print("[yellow]matplotlib is not installed: this run draws no curve.[/]\n")


def plot(
    path: Path,
    curve: Sequence[float],
    *,
    title: str,
    label: str,
    ends: tuple[float, float] | None = None,
    log: bool = False,
) -> bool:
    """Draw a curve over the steps into a PNG; `ends` are the held-out values before and after.

    Return whether it was drawn: a run's figures must not be lost for want of matplotlib.
    """
    path.unlink(missing_ok=True)  # the curve of another run would be taken for this one's
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        return False

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.plot(range(1, len(curve) + 1), curve, marker="o", markersize=3, color="tab:blue", label="training")
    if ends is not None:
        axes.plot((0, len(curve)), ends, "D", color="tab:orange", label="held out, before and after")
        axes.legend(frameon=False)
    axes.set(title=title, xlabel="step", ylabel=label, yscale="log" if log else "linear")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return True


def summary(result: Mapping[str, Any], output: Path) -> RenderableType:
    """Draw what ends the demo: a panel of scores and speed, and under it, to be copied, where things are."""
    scores = Table(box=None, padding=(0, 3, 0, 0))
    for heading in ("", "before", "after"):
        scores.add_column(heading, justify="left" if heading == "" else "right")
    share = [f"{result[key]}/{result['held_out_items']}" for key in ("right_before", "right_after")]
    loss = [f"{result[key]:.3f}" for key in ("held_out_loss_before", "held_out_loss_after")]
    scores.add_row("held-out prompts right by the rule", share[0], f"[bold]{share[1]}")
    scores.add_row("held-out loss (nats a token)", loss[0], f"[bold]{loss[1]}")
    speed = "{steps} steps at {tokens_per_s:.0f} tokens/s, {elapsed_s:.0f} s in all".format(**result)
    title = "trained on shuffled answers" if result["shuffled"] else "trained"
    panel = Panel(Group(scores, "", speed), title=f"[bold]{title}", border_style="green", expand=False)
    places = {
        **({"loss curve": output / "loss.png"} if (output / "loss.png").exists() else {}),
        "all figures": output / "result.json",
        "training checkpoint": result["checkpoint"],
        "sampler weights": result["sampler_weights"],
        "the service's data": output / "service",
    }
    lines = (Text(f"{name:<21}{place}", no_wrap=True, overflow="ignore") for name, place in places.items())
    return Group(panel, *lines)
