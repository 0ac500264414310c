"""What a person sees of an example's run: tables of answers, the progress bar, the curve, the summary.

Owns the looks only. Must not know the client, nor how anything was computed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import instruct
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

console = Console(highlight=False)


def progress() -> Progress:
    """Make the live bar of a training run; its task has the texts `loss` and `rate`."""
    return Progress(
        TextColumn("[bold]training"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("loss [bold]{task.fields[loss]}"),
        TextColumn("[bold]{task.fields[rate]}[/] tokens/s"),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        console=console,
        expand=True,
    )


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


def plot(
    path: Path,
    curve: Sequence[float],
    *,
    title: str,
    label: str,
    ends: tuple[float, float] | None = None,
    log: bool = False,
) -> None:
    """Draw a curve over the steps into a PNG; `ends` are the held-out values before and after."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

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


def summary(result: Mapping[str, Any], output: Path) -> RenderableType:
    """Draw the panel that ends the demo: the scores, the loss, the speed, and where things are."""
    scores = Table(box=None, padding=(0, 3, 0, 0))
    for heading in ("", "before", "after"):
        scores.add_column(heading, justify="left" if heading == "" else "right")
    share = [f"{result[key]}/{result['held_out_items']}" for key in ("right_before", "right_after")]
    loss = [f"{result[key]:.3f}" for key in ("held_out_loss_before", "held_out_loss_after")]
    scores.add_row("held-out prompts right by the rule", share[0], f"[bold]{share[1]}")
    scores.add_row("held-out loss (nats a token)", loss[0], f"[bold]{loss[1]}")
    places = Table(box=None, padding=(0, 3, 0, 0), show_header=False)
    places.add_column(no_wrap=True)
    places.add_column(overflow="fold")
    places.add_row("loss curve", str(output / "loss.png"))
    places.add_row("all figures", str(output / "result.json"))
    places.add_row("training checkpoint", result["checkpoint"])
    places.add_row("sampler weights", result["sampler_weights"])
    places.add_row("the service's data", str(output / "service"))
    speed = "{steps} steps at {tokens_per_s:.0f} tokens/s, {elapsed_s:.0f} s in all".format(**result)
    title = "trained on shuffled answers" if result["shuffled"] else "trained"
    return Panel(
        Group(scores, "", places, "", speed), title=f"[bold]{title}", border_style="green", expand=False
    )
