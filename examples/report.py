"""What is around an example: its options, tables of answers, the progress bar, the picture, the figures.

Must not know how anything is computed.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import instruct
import tinsmith
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
    held_out: Mapping[int, float],
    log: bool = False,
) -> bool:
    """Draw a curve over the steps into a PNG; `held_out` are values after some steps, 0 is before the first.

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
    axes.plot(list(held_out), list(held_out.values()), "D--", color="tab:orange", label="held out")
    axes.legend(frameon=False)
    axes.set(title=title, xlabel="step", ylabel=label, yscale="log" if log else "linear")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return True


def options(description: str, output: str, *, steps: int, learning_rate: float) -> argparse.ArgumentParser:
    """Return the options that the examples share, with the defaults of one of them."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--model", default="HuggingFaceTB/SmolLM2-135M-Instruct", help="base model")
    parser.add_argument("--base-url", default="local:", help="address of the service (local:)")
    parser.add_argument("--steps", type=int, default=steps, help=f"optimizer steps ({steps})")
    parser.add_argument("--rank", type=int, default=16, help="LoRA rank (16)")
    rate = f"learning rate ({learning_rate:g})"
    parser.add_argument("--learning-rate", type=float, default=learning_rate, help=rate)
    parser.add_argument("--seed", type=int, default=0, help="seed of all that is drawn (0)")
    parser.add_argument("--output", type=Path, default=Path(output), help="folder for figures and picture")
    return parser


def conduct(
    run: Callable[[tinsmith.ServiceClient, argparse.Namespace], dict[str, Any]],
    args: argparse.Namespace,
    *,
    title: str,
    label: str,
) -> int:
    """Run an example, write its figures, and draw its `curve` and its `held_out` values.

    Return the exit code.
    """
    console.rule(f"[bold]{title}")
    say_what_is_missing()
    started_s = time.monotonic()
    try:
        with tinsmith.ServiceClient(base_url=args.base_url) as service:
            result = run(service, args)
    except tinsmith.TinkerError as error:
        failure(error)
        return 1
    result = {"model": args.model, **result, "elapsed_s": time.monotonic() - started_s}
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "result.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    picture = args.output / "curve.png"
    drawn = plot(picture, result["curve"], title=title, label=label, held_out=result["held_out"])
    before, *_, after = result["held_out"].values()
    console.print(f"\n{label}, held out: {before:.3f} before, [bold]{after:.3f}[/] after")
    console.print(f"{result['elapsed_s']:.0f} s in all")
    console.print(f"figures: {args.output / 'result.json'}" + (f", picture: {picture}" if drawn else ""))
    return 0


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
