"""`tinsmith train`: trains on a file, shows how far it is, and continues where it was interrupted."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer
from typer import Option

from tinsmith.cli.connect import RUN_DEADLINE_S, kept_url, server_of, service
from tinsmith.cli.cost import prices_of
from tinsmith.cli.options import shared, usage_errors, wants_json
from tinsmith.cli.output import Properties, count, note, show
from tinsmith.cli.run_options import (  # noqa: TC001 - typer reads the annotations
    BatchItems,
    BatchTokens,
    Epochs,
    EvaluateEvery,
    HeldOut,
    InputFormat,
    MaxTokens,
    Model,
    PriceFile,
    RateShape,
    Seed,
    StartFrom,
    Steps,
    TrainingFile,
    TrainOn,
    Truncation,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from tinsmith.train import Logger, PreparedRun, RunConfig, RunFolder, RunResult, TokenPrices

SETTINGS = (
    "model", "rank", "seed", "input_format", "train_on", "max_tokens", "truncation", "held_out", "epochs",
    "steps", "batch_items", "batch_tokens", "learning_rate", "schedule", "warmup_steps", "evaluate_every",
    "checkpoint_every", "start_from", "ttl_seconds",
)  # fmt: skip
"""Settings of a run that have an option; one that is not given has the default of `RunConfig`."""


def train(
    context: typer.Context,
    file: TrainingFile = None,
    model: Model = None,
    out: Annotated[
        Path | None, Option("--out", "-o", metavar="DIR", help="Folder of the run; it must not be there yet.")
    ] = None,
    resume: Annotated[
        Path | None, Option("--resume", metavar="DIR", help="Go on with the run in this folder.")
    ] = None,
    start_from: StartFrom = None,
    epochs: Epochs = None,
    steps: Steps = None,
    batch_items: BatchItems = None,
    batch_tokens: BatchTokens = None,
    learning_rate: Annotated[
        float | None,
        Option("--learning-rate", "--lr", metavar="NUMBER", help="Largest learning rate (default: 5e-4)."),
    ] = None,
    schedule: Annotated[
        RateShape | None,
        Option(
            "--schedule", help="Course of the learning rate after the warm-up (default: linear, to zero)."
        ),
    ] = None,
    warmup_steps: Annotated[
        int | None,
        Option(
            "--warmup-steps",
            metavar="NUMBER",
            help="Steps in which the learning rate rises (default: 5 % of the run).",
        ),
    ] = None,
    rank: Annotated[
        int | None, Option("--rank", metavar="NUMBER", help="Rank of the adapter (default: 32).")
    ] = None,
    seed: Seed = None,
    held_out: HeldOut = None,
    evaluate_every: EvaluateEvery = None,
    checkpoint_every: Annotated[
        int | None,
        Option(
            "--checkpoint-every",
            metavar="STEPS",
            help="Steps between checkpoints (default: a fifth of the run).",
        ),
    ] = None,
    ttl_seconds: Annotated[
        int | None,
        Option(
            "--ttl",
            metavar="SECONDS",
            help="How long checkpoints before the last one are kept; 0 is for ever (default: 7 days).",
        ),
    ] = None,
    train_on: TrainOn = None,
    max_tokens: MaxTokens = None,
    truncation: Truncation = None,
    input_format: InputFormat = None,
    prices: PriceFile = None,
    tensorboard: Annotated[
        bool, Option("--tensorboard", help="Write event files for TensorBoard into the folder of the run.")
    ] = False,
    trackio: Annotated[
        str | None, Option("--trackio", metavar="PROJECT", help="Log to this project of trackio.")
    ] = None,
    wandb: Annotated[
        str | None, Option("--wandb", metavar="PROJECT", help="Log to this project of Weights & Biases.")
    ] = None,
) -> None:
    """Train on a file of chats or texts; Ctrl-C saves a checkpoint, and --resume goes on from it.

    Example: tinsmith train chats.jsonl --model tinsmith/tiny --out runs/tone
    """
    from tinsmith.train import prepare
    from tinsmith.train.loggers import LIBRARIES, require_logger

    for name in filter(context.params.get, LIBRARIES):
        require_logger(name)  # before anything is sent
    given = {name: context.params[name] for name in SETTINGS if context.params[name] is not None}
    folder = _begun(context, resume, given) if resume else _new(context, file, out, given)
    if prices is not None and folder.config.model is not None:
        prices_of(None, prices, folder.config.model)  # before anything is sent
    with (
        folder.locked(),
        service(context, folder.base_url, creates=True, deadline_s=RUN_DEADLINE_S) as client,
    ):
        prepared = prepare(client, folder)
        known = prices_of(client, prices, prepared.base_model)
        with _loggers(context, prepared.folder) as loggers:
            result = _trained(prepared, loggers, known)
        takes_ttl = "set_checkpoint_ttl" not in client.server.lacks
    _show(context, prepared, result, takes_ttl=takes_ttl)


def _begun(context: typer.Context, path: Path, given: dict[str, Any]) -> RunFolder:
    """Open the folder of a run to go on with; it has its settings, but may be told its server anew."""
    import attrs

    from tinsmith.train import RunFolder

    others = [name for name in ("file", "out", *given) if context.params[name] is not None]
    if others:
        options = {option.name: option.opts[0] for option in context.command.params} | {"file": "FILE"}
        raise typer.BadParameter(
            f"the run has its settings already; leave out {', '.join(options[name] for name in others)}",
            ctx=context,
            param_hint="--resume",
        )
    with usage_errors(context, "--resume"):
        folder = RunFolder.open(path)
    url = shared(context, "base_url")
    return attrs.evolve(folder, config=attrs.evolve(folder.config, base_url=kept_url(url))) if url else folder


def _new(context: typer.Context, file: Path | None, out: Path | None, given: dict[str, Any]) -> RunFolder:
    """Choose the folder and the settings of a new run."""
    from tinsmith.train import RunConfig, RunFolder

    if file is None:
        raise typer.BadParameter(
            "name the file to train on, or a run to go on with (--resume DIR)", ctx=context, param_hint="FILE"
        )
    if ("model" in given) is ("start_from" in given):
        raise typer.BadParameter("give exactly one of --model and --from", ctx=context)
    if out is None:
        raise typer.BadParameter(
            "say where the run is kept, such as --out runs/tone", ctx=context, param_hint="--out"
        )
    ttl = {"ttl_seconds": None} if given.get("ttl_seconds") == 0 else {}
    config = RunConfig(data=str(file.absolute()), base_url=server_of(context), **(given | ttl))
    with usage_errors(context, "--out"):
        return RunFolder.new(out, config)


@contextmanager
def _loggers(context: typer.Context, folder: RunFolder) -> Iterator[list[Logger]]:
    """Open the loggers that are asked for, and close them afterwards.

    What their libraries print goes to stderr: the one document on stdout is ours.
    """
    from tinsmith.train.loggers import tensorboard_logger, trackio_logger, wandb_logger

    with redirect_stdout(sys.stderr), ExitStack() as opened:
        loggers = []
        if context.params["tensorboard"]:
            loggers.append(opened.enter_context(tensorboard_logger(folder)))
        for name, open_logger in (("trackio", trackio_logger), ("wandb", wandb_logger)):
            if project := context.params[name]:
                loggers.append(opened.enter_context(open_logger(folder, project)))
        yield loggers


def _trained(prepared: PreparedRun, loggers: Sequence[Logger], prices: TokenPrices | None) -> RunResult:
    """Train with a display, until the end or the first Ctrl-C."""
    from tinsmith.progress import TrainingDisplay
    from tinsmith.train.run_config import IN_FOLDER
    from tinsmith.train.run_folder import CHECKPOINTS, SERVICE

    folder, steps = prepared.folder, len(prepared.batches)
    with TrainingDisplay(steps, prepared.start) as display, _Interruption(display.say) as interruption:
        if prepared.start:
            source = (
                f"which the server has and {CHECKPOINTS} does not yet list"
                if prepared.found_on_server
                else f"the last one in {CHECKPOINTS}"
            )
            display.say(f"Going on after step {prepared.start} of {steps}, {source}.")
        elif folder.config.base_url == IN_FOLDER:
            display.say(f"Training on the embedded service, whose state is kept in {folder.path / SERVICE}.")
        try:
            return prepared.train([display, *loggers], stop=interruption, prices=prices)
        except BaseException:
            saved = folder.last_checkpoint()
            lost = f"what was trained after step {saved.step}" if saved else "all that was trained"
            display.say(
                f"The run ended early; {lost} is lost. To go on: tinsmith train --resume {folder.path}"
            )
            raise


class _Interruption:
    """Ctrl-C: the first one asks the run to stop, the second one ends it."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say, self._is_asked = say, False

    def __call__(self) -> bool:
        """Say whether to stop."""
        return self._is_asked

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _take(self, _: int, __: FrameType | None) -> None:
        if self._is_asked:
            raise KeyboardInterrupt
        self._is_asked = True
        words = "Stopping after the step in flight, then saving a checkpoint. Ctrl-C again leaves at once."
        threading.Thread(target=self._say, args=[words]).start()  # the main thread may be writing just now


def _show(
    context: typer.Context, prepared: PreparedRun, result: RunResult, *, takes_ttl: bool = True
) -> None:
    """Say how the run ended, and what to do with it."""
    from tinsmith.core.errors import MissingExtraError

    folder = prepared.folder
    try:
        curve = str(folder.draw_curve())
    except MissingExtraError as missing:
        curve = None
        note(str(missing))
    if not result.finished:
        expires = takes_ttl and result.expires
        kept = (
            "" if result.checkpoint is None else f"; its checkpoint is kept {_period(folder.config, expires)}"
        )
        note(f"Stopped after step {result.step} of {result.steps}{kept}.")
        note(f"To go on: tinsmith train --resume {folder.path}", wrap=False)
        raise typer.Exit(130)
    losses: dict[str, float] = {}
    for line in folder.metrics():
        losses |= line
    document = {
        "out": str(folder.path),
        "steps": result.steps,
        "loss": losses["loss"],
        "held_out_loss": losses.get("held_out_loss"),
        "checkpoint": result.checkpoint,
        "sampler_weights": result.sampler_weights,
        "curve": curve,
    }
    rows = [
        ["Steps", str(result.steps)],
        ["Loss", f"{losses['loss']:.4f}"],
        ["Held-out Loss", f"{losses['held_out_loss']:.4f}" if "held_out_loss" in losses else "N/A"],
        ["Curve", curve or "N/A"],
        ["Checkpoint", str(result.checkpoint)],
        ["Weights to Sample", str(result.sampler_weights)],
    ]
    show(context, document, Properties(rows))
    if not wants_json(context):
        server = f"--base-url {folder.base_url}"
        note(f"Chat:     tinsmith chat {folder.path}", wrap=False)
        note(f"Evaluate: tinsmith eval {folder.path}", wrap=False)
        alias = f"--alias {folder.path.resolve().name}={result.sampler_weights}"
        note(f"Serve:    tinsmith gateway {server} {alias}", wrap=False)
        note(f"Download: tinsmith checkpoint download {server} {result.sampler_weights}", wrap=False)
        note(f"Export:   tinsmith export {folder.path} --to merged --out DIR", wrap=False)
        note(f"Go on:    tinsmith train {server} --from {result.checkpoint} FILE --out DIR", wrap=False)


def _period(config: RunConfig, expires: bool) -> str:
    """Return how long a checkpoint on the way is kept."""
    if config.ttl_seconds is None:
        return "for ever"
    if not expires:
        return "until you delete it: this server knows no time to live"
    days, seconds = divmod(config.ttl_seconds, 24 * 3600)
    return f"for {count(days, 'day')}" if days and not seconds else f"for {config.ttl_seconds} seconds"
