"""`tinsmith eval`: the loss of a model on records, and a score of what it answers to them."""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from enum import StrEnum
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

import typer
from tinsmith_api.paths import SCHEME
from typer import Argument, Option

from tinsmith.cli.connect import RUN_DEADLINE_S, sampler_of, server_of, service, weights_of_run
from tinsmith.cli.options import shared, usage_errors, wants_json
from tinsmith.cli.output import Properties, Rows, count, note, show_json, show_table
from tinsmith.cli.run_options import (  # noqa: TC001 - typer reads the annotations
    InputFormat,
    MaxTokens,
    TrainOn,
    Truncation,
)

if TYPE_CHECKING:
    from tinsmith.clients.sampling import SamplingClient
    from tinsmith.clients.service import ServiceClient
    from tinsmith.core.values import SamplingParams
    from tinsmith.data import DataFormat, DatumBuilder, Record
    from tinsmith.train import Evaluation, RunFolder, Score

MOST_FAILED = 20
"""Records with an error that the table lists; JSON has all."""

LONGEST_ANSWER = 256
"""Tokens of an answer at most, if nothing is said."""

SETTINGS = ("train_on", "max_tokens", "truncation", "input_format")
"""Options that a run has settled for its records."""


class Match(StrEnum):
    """How answers are compared."""

    exact = "exact"


def evaluate(
    context: typer.Context,
    checkpoint: Annotated[
        str | None,
        Argument(metavar="CHECKPOINT", help="Checkpoint (tinker://...), or folder of a run of `train`."),
    ] = None,
    file: Annotated[
        str | None,
        Argument(
            metavar="FILE",
            help="Chats or texts, as `data check` reads them (default: those that a run held out).",
        ),
    ] = None,
    model: Annotated[
        str | None, Option("--model", "-m", metavar="NAME", help="Base model, in place of CHECKPOINT.")
    ] = None,
    match: Annotated[
        Match | None, Option("--match", help="Score 1 for an answer that is exactly that of the record.")
    ] = None,
    score: Annotated[
        str | None,
        Option(
            "--score",
            metavar="FILE:FUNCTION",
            help="Score by a Python function, which gets the answer and the record and returns a number.",
        ),
    ] = None,
    num_samples: Annotated[
        int | None,
        Option(
            "--samples",
            "-n",
            min=1,
            metavar="NUMBER",
            help="Answers to each record (default: 1 for a score).",
        ),
    ] = None,
    max_new_tokens: Annotated[
        int | None,
        Option(
            "--max-new-tokens",
            min=1,
            metavar="NUMBER",
            help="Largest number of tokens of an answer (default: 256).",
        ),
    ] = None,
    temperature: Annotated[
        float | None,
        Option(
            "--temperature",
            min=0.0,
            metavar="NUMBER",
            help="How random answers are; 0 takes the likeliest token (default: 0; for several answers 1).",
        ),
    ] = None,
    seed: Annotated[
        int | None, Option("--seed", metavar="NUMBER", help="Seed; the same seed draws the same answers.")
    ] = None,
    no_loss: Annotated[
        bool, Option("--no-loss", help="Do not compute the loss: for records without answers.")
    ] = False,
    train_on: TrainOn = None,
    max_tokens: MaxTokens = None,
    truncation: Truncation = None,
    input_format: InputFormat = None,
    out: Annotated[
        Path | None, Option("--out", "-o", metavar="FILE", help="Write a line of JSON for each record.")
    ] = None,
) -> None:
    """Compute the loss of a model on a file or on what a run held out, and score its answers.

    Example: tinsmith eval runs/tone --match exact
    """
    from tinsmith.data import read_records

    subject = _Subject.of(context, [word for word in (checkpoint, file) if word is not None], model)
    scored = _score(context, match, score)
    params = _params(context, is_asked=scored is not None or num_samples is not None)
    with usage_errors(context, "--out"):
        _check_target(out)
    settings = subject.settings | {name: context.params[name] for name in SETTINGS if context.params[name]}
    row_format = cast("DataFormat | None", settings.get("input_format"))
    records = None if subject.file is None else list(read_records(subject.file, row_format))
    with service(context, subject.url, deadline_s=RUN_DEADLINE_S) as client:
        sampler = sampler_of(client, subject.checkpoint or model or "")
        limit = _context(client, sampler)
        if params is not None and limit is not None and (params.max_tokens or 0) >= limit:
            raise typer.BadParameter(
                f"{params.max_tokens} tokens leave no room for a prompt in the {limit} of the model",
                ctx=context,
                param_hint="--max-new-tokens",
            )
        if records is None:
            records = subject.held_out(sampler)
        builder = _builder(sampler, settings, limit)
        result = _evaluated(sampler, records, builder, scored, params, num_samples or 1, loss=not no_loss)
        base = sampler.get_base_model()
    if out is not None:
        _write(out, result)
    document = {
        "checkpoint": subject.checkpoint,
        "model": base,
        "file": subject.file or (subject.folder and subject.folder.config.data),
        "records": len(result.records),
        "dropped": result.dropped,
        "loss": result.loss,
        "weight": result.weight,
        "score": result.score,
        "standard_error": result.standard_error,
        "failed": [{"record": each.where, "error": each.error} for each in result.failed],
        "out": None if out is None else str(out),
    }
    if wants_json(context):
        show_json(document)
    else:
        _show(document, result)
    if result.failed:
        raise typer.Exit(1)


class _Subject(NamedTuple):
    """What is evaluated, and on what."""

    checkpoint: str | None
    """None for a base model."""
    file: str | None
    """None for the held-out records of a run."""
    folder: RunFolder | None
    """Run that the checkpoint is of, if one was named."""
    url: str | None
    """Server, where options and environment do not say it."""

    @classmethod
    def of(cls, context: typer.Context, words: list[str], model: str | None) -> _Subject:
        """Tell the arguments of the command apart."""
        if model is not None:
            if len(words) != 1:
                raise typer.BadParameter(
                    "with --model, name a file to evaluate on and nothing else",
                    ctx=context,
                    param_hint="FILE",
                )
            return cls(None, words[0], None, server_of(context))
        if not words:
            raise typer.BadParameter(
                "name a checkpoint or the folder of a run, and a file to evaluate on",
                ctx=context,
                param_hint="CHECKPOINT",
            )
        name, file = words[0], words[1] if len(words) == 2 else None
        if Path(name).is_dir():
            return cls._of_run(context, name, file)
        if not name.startswith(SCHEME):
            raise typer.BadParameter(
                f"{name} is no checkpoint (tinker://...) and no folder of a run; --model takes base models",
                ctx=context,
                param_hint="CHECKPOINT",
            )
        if file is None:
            raise typer.BadParameter("name the file to evaluate on", ctx=context, param_hint="FILE")
        return cls(name, file, None, None)

    @classmethod
    def _of_run(cls, context: typer.Context, name: str, file: str | None) -> _Subject:
        folder, weights = weights_of_run(context, Path(name))
        return cls(weights.path, file, folder, shared(context, "base_url") or folder.base_url)

    @property
    def settings(self) -> dict[str, Any]:
        """How the run read its records; nothing without one."""
        return {name: getattr(self.folder.config, name) for name in SETTINGS} if self.folder else {}

    def held_out(self, sampler: SamplingClient) -> list[Record]:
        """Return the records that the run held out."""
        from tinsmith.train.run import held_out_records

        assert self.folder is not None
        records = held_out_records(self.folder.config, sampler.get_tokenizer())
        note(f"Evaluating on the {count(len(records), 'record')} that the run held out.")
        return records


def _params(context: typer.Context, *, is_asked: bool) -> SamplingParams | None:
    """Return how answers are sampled; None where none are asked for."""
    from tinsmith.core.values import SamplingParams

    given = context.params
    if not is_asked:
        useless = [name for name in ("max_new_tokens", "temperature", "seed") if given[name] is not None]
        if useless:
            raise typer.BadParameter(
                "is of use with --match, --score or --samples only",
                ctx=context,
                param_hint=f"--{useless[0].replace('_', '-')}",
            )
        return None
    usual = 1.0 if (given["num_samples"] or 1) > 1 else 0.0
    return SamplingParams(
        max_tokens=given["max_new_tokens"] or LONGEST_ANSWER,
        temperature=usual if given["temperature"] is None else given["temperature"],
        seed=given["seed"],
    )


def _score(context: typer.Context, match: Match | None, place: str | None) -> Score | None:
    """Return the function that scores; None without one."""
    from tinsmith.train import exact_match

    if match is not None and place is not None:
        raise typer.BadParameter("give either --match or --score", ctx=context)
    if place is None:
        return None if match is None else exact_match
    path, _, name = (place, "", "") if place.endswith(".py") else place.rpartition(":")
    with usage_errors(context, "--score"):
        if not path or not name:
            raise ValueError(
                f"write the file and the function, such as {path or 'score.py'}:{name or 'score'}"
            )
        function = _names_of(path).get(name)
        if not callable(function):
            raise ValueError(f"{path} has no function {name}")
        return cast("Score", function)


def _names_of(path: str) -> dict[str, Any]:
    """Run a Python file, as `python FILE` would find what it imports, and return its names."""
    spec = spec_from_file_location("tinsmith_score", path) if Path(path).is_file() else None
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is no Python file; name one that is there, such as score.py:score")
    module = sys.modules[spec.name] = module_from_spec(spec)
    sys.path.insert(0, str(Path(path).absolute().parent))
    try:
        with redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path} does not run: {type(error).__name__}: {error}") from error
    return vars(module)


def _context(client: ServiceClient, sampler: SamplingClient) -> int | None:
    """Return the context of the model; None where the server does not say it."""
    from tinsmith.core.negotiation import context_tokens

    offered = client.get_server_capabilities().supported_models
    return context_tokens(offered, sampler.get_base_model(), sampler.get_tokenizer().name_or_path)


def _builder(sampler: SamplingClient, settings: dict[str, Any], limit: int | None) -> DatumBuilder:
    """Return what decides which tokens have weight, with the context of the model as the limit.

    The server adds a token of its own after a text whose log-probabilities it is asked for.
    """
    from tinsmith.data import DatumBuilder

    wanted = settings.get("max_tokens") or limit
    return DatumBuilder(
        tokenizer=sampler.get_tokenizer(),
        train_on=settings.get("train_on", "assistant"),
        max_tokens=min(wanted, limit - 1) if wanted and limit else wanted,
        truncation=settings.get("truncation", "error"),
    )


def _evaluated(
    sampler: SamplingClient,
    records: list[Record],
    builder: DatumBuilder,
    score: Score | None,
    params: SamplingParams | None,
    num_samples: int,
    *,
    loss: bool,
) -> Evaluation:
    """Evaluate with a display. What a scoring function prints goes to stderr."""
    from tinsmith.progress import EvaluationDisplay
    from tinsmith.train import evaluate as evaluate_records

    with redirect_stdout(sys.stderr), EvaluationDisplay(len(records)) as display:
        return evaluate_records(
            sampler,
            records,
            builder=builder,
            loss=loss,
            score=score,
            num_samples=num_samples,
            sampling_params=params,
            on_record=lambda each: display(loss=each.loss, weight=each.weight, score=each.score),
        )


def _check_target(path: Path | None) -> None:
    """Refuse a file that could not be written once all is evaluated."""
    from tinsmith.export.export_target import check_file

    if path is None:
        return
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}")
    check_file(path, overwrite=True)
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"nothing can be written into {path.parent}; name a file in another folder")


def _write(path: Path, result: Evaluation) -> None:
    """Write a line for each record; the file is there as a whole or not at all."""
    import attrs
    import orjson

    from tinsmith.export.export_target import new_file

    with new_file(path, overwrite=True) as made, made.open("wb") as lines:
        for record in result.records:
            document = {**attrs.asdict(record), "score": record.score}
            lines.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))


def _show(document: dict[str, Any], result: Evaluation) -> None:
    dropped = f", {result.dropped} dropped" if result.dropped else ""
    rows = [
        ["Model", document["checkpoint"] or document["model"]],
        ["Records", f"{len(result.records)}{dropped}"],
    ]
    if result.loss is not None:
        rows.append(["Loss", f"{result.loss:.4f} nats a token, {result.weight:.0f} tokens"])
    if result.score is not None:
        error = "" if result.standard_error is None else f" ± {result.standard_error:.4f}"
        rows.append(["Score", f"{result.score:.4f}{error}"])
    if document["out"]:
        rows.append(["Results", document["out"]])
    show_table(Properties(rows))
    if result.failed:
        typer.echo()
        heading = f"{count(len(result.failed), 'record')} with an error"
        if len(result.failed) > MOST_FAILED:
            heading += f"; the first {MOST_FAILED} are shown, --format json has all"
        shown = [[each.where, each.error or ""] for each in result.failed[:MOST_FAILED]]
        show_table(Rows(heading, ["Record", "Error"], shown))
