"""`tinsmith run watch`: follows a run that another process trains. It reads only."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from tinsmith.cli.connect import rest
from tinsmith.cli.options import is_id, wants_json
from tinsmith.cli.output import Properties, aware, moment, note, show_json_line, show_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tinsmith.clients.rest import RestClient
    from tinsmith.train import RunFolder

LOOK_EVERY_S = 0.5
"""Seconds between two looks at the folder of a run."""

ASK_EVERY_S = 5.0
"""Seconds between two requests for a run on a server."""

STILL_S, STILL_STEPS = 60.0, 10
"""Seconds, and multiples of the time that a step took so far, without a step before one says so."""


def watch(
    context: typer.Context,
    run: Annotated[str, Argument(metavar="RUN", help="Folder of a run, or id of a run on a server.")],
    every_s: Annotated[
        float | None,
        Option(
            "--every",
            min=0.05,
            metavar="SECONDS",
            help="Time between two looks (default: 0.5, or 5 on a server).",
        ),
    ] = None,
) -> None:
    """Follow a run from another shell until it ends, or until Ctrl-C, which does not disturb it.

    With --format json each step is a line, as in metrics.jsonl, and the last line says how the run ended. The
    exit code is 1 where it ended early.

    Example: tinsmith run watch runs/tone
    """
    if run and Path(run).is_dir():
        _follow_folder(context, Path(run), every_s or LOOK_EVERY_S)
    elif not is_id(run):
        raise typer.BadParameter(
            f"{run!r} is no folder, and no id of a run; name what --out of `train` named",
            ctx=context,
            param_hint="RUN",
        )
    else:
        note(f"{run} is no folder here; looking for a run of this id on the server.")
        _follow_server(context, run, every_s or ASK_EVERY_S)


def _follow_folder(context: typer.Context, path: Path, every_s: float) -> None:
    from tinsmith.progress import TrainingDisplay
    from tinsmith.train import RunFolder

    folder = RunFolder.open(path)
    steps, lines = folder.config.steps or 0, folder.metrics()
    before = lines[-1]["step"] if lines else 0
    with TrainingDisplay(steps, before) as display:
        if wants_json(context):
            for line in _lines(folder, [], every_s):
                show_json_line(line)
        else:
            merged = {name: value for line in lines for name, value in line.items()}
            display(before, {**merged, "tokens": 0})
            for line in _lines(folder, lines, every_s, display.say):
                display(line["step"], line)
    _show_end(context, folder, steps)


def _lines(
    folder: RunFolder, seen: list[dict[str, Any]], every_s: float, say: Any = note
) -> Iterator[dict[str, Any]]:
    """Yield the lines of metrics that are not `seen` yet, until nobody trains the run."""
    still = _Stillness(say)
    while True:
        is_trained = folder.is_being_trained  # before the metrics, so that the last of them are read
        found = folder.metrics()
        if found[: len(seen)] != seen:  # the run was gone on with, from its last checkpoint
            seen = [line for line, old in zip(found, seen, strict=False) if line == old]
            say(f"The run goes on after step {seen[-1]['step'] if seen else 0}.")
        yield from found[len(seen) :]
        still.note(len(found) - len(seen))
        seen = found
        if not is_trained:
            return
        sleep(every_s)


class _Stillness:
    """Says once when a run stands still: no step for much longer than steps took."""

    def __init__(self, say: Any) -> None:
        self._say, self._steps, self._said = say, 0, False
        self._began_s = self._last_s = monotonic()

    def note(self, steps: int) -> None:
        """Take the number of steps since the last call."""
        now_s = monotonic()
        if steps:
            self._steps, self._last_s, self._said = self._steps + steps, now_s, False
            return
        typical_s = (self._last_s - self._began_s) / self._steps if self._steps else 0.0
        if not self._said and now_s - self._last_s > max(STILL_S, STILL_STEPS * typical_s):
            self._said = True
            passed = f"{now_s - self._last_s:.0f} s"
            self._say(f"No step for {passed}; the process is alive, and may wait for the server.")


def _show_end(context: typer.Context, folder: RunFolder, steps: int) -> None:
    """Say how the run ended, and how to go on with it."""
    losses: dict[str, float] = {}
    for line in folder.metrics():
        losses |= line
    saved, weights = folder.last_checkpoint(), folder.sampler_weights()
    document = {
        "state": "finished" if weights else "stopped",
        "step": losses.get("step", 0),
        "steps": steps,
        "loss": losses.get("loss"),
        "held_out_loss": losses.get("held_out_loss"),
        "checkpoint": saved and saved.path,
        "sampler_weights": weights,
    }
    if wants_json(context):
        show_json_line(document)
    else:
        rows = [[name.replace("_", " ").title(), _cell(value)] for name, value in document.items()]
        show_table(Properties(rows))
    if weights is None:
        kept = f"its last checkpoint is of step {saved.step}" if saved else "it saved no checkpoint"
        note(f"The run ended early; {kept}.")
        note(f"To go on: tinsmith train --resume {folder.path}", wrap=False)
        raise typer.Exit(1)


def _cell(value: Any) -> str:
    return "N/A" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def _follow_server(context: typer.Context, run_id: str, every_s: float) -> None:
    """Follow a run by what the server says: when it was used last, and its checkpoints."""
    from rich.console import Console

    from tinsmith.core.errors import TinkerError

    known: set[str] = set()
    last: datetime | None = None
    with rest(context) as client, Console(stderr=True).status("") as line:  # shown in a terminal only
        while True:
            run = client.get_training_run(run_id).result()
            for checkpoint in _new_checkpoints(client, run_id, known):
                _show_line(context, checkpoint, f"{_clock(checkpoint['time'])}  {checkpoint['checkpoint']}")
            used = aware(run.last_request_time)
            if used != last:
                _show_line(context, {"last_request_time": used}, "")
            last = used
            line.update(f"{run.base_model}, last request {moment(used)}")
            if run.corrupted:
                raise TinkerError(f"the run {run_id} has failed; go on with its last checkpoint in a new one")
            sleep(every_s)


def _show_line(context: typer.Context, document: Mapping[str, Any], words: str) -> None:
    if wants_json(context):
        show_json_line(document)
    elif words:
        typer.echo(words)


def _new_checkpoints(client: RestClient, run_id: str, known: set[str]) -> list[dict[str, Any]]:
    """Return the checkpoints that are not `known` yet, the oldest first, and add them."""
    there = client.list_checkpoints(run_id).result().checkpoints
    fresh = [each for each in there if each.tinker_path not in known]
    known |= {each.tinker_path for each in fresh}
    fresh.sort(key=lambda each: (each.time is not None, each.time))
    return [{"checkpoint": each.tinker_path, "time": each.time and aware(each.time)} for each in fresh]


def _clock(when: datetime | None) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if when else "at an unknown time"
