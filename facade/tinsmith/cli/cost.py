"""`tinsmith cost`: the tokens that a run over a file would take, and their price. Nothing is trained."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from tinsmith.cli.connect import server_of, service
from tinsmith.cli.options import wants_json
from tinsmith.cli.output import Rows, count, note, show
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
    Seed,
    StartFrom,
    Steps,
    TrainingFile,
    TrainOn,
    Truncation,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tinsmith.clients.service import ServiceClient
    from tinsmith.train import RunPlan, TokenPrices, TokenUse

SMALLEST = Decimal("0.0001")
"""Dollars of which a table shows no part."""

MOST_SAMPLES = 1_000_000
"""Answers to a prompt, and tokens of an answer, that are counted at most: more is a slip of the hand."""

SETTINGS = (
    "model", "start_from", "epochs", "steps", "batch_items", "batch_tokens", "seed", "held_out",
    "evaluate_every", "train_on", "max_tokens", "truncation", "input_format",
)  # fmt: skip
"""Settings of a run by which its tokens are counted."""

KINDS = {
    "train": "Training",
    "evaluate": "Held-out Evaluation",
    "prompt": "Prompts to Sample",
    "sample": "Sampled, at Most",
}
"""Kinds of tokens, and what the table calls them."""


def cost(
    context: typer.Context,
    file: TrainingFile = None,
    model: Model = None,
    start_from: StartFrom = None,
    epochs: Epochs = None,
    steps: Steps = None,
    batch_items: BatchItems = None,
    batch_tokens: BatchTokens = None,
    seed: Seed = None,
    held_out: HeldOut = None,
    evaluate_every: EvaluateEvery = None,
    train_on: TrainOn = None,
    max_tokens: MaxTokens = None,
    truncation: Truncation = None,
    input_format: InputFormat = None,
    samples: Annotated[
        int,
        Option(
            "--samples",
            min=0,
            max=MOST_SAMPLES,
            metavar="NUMBER",
            help="Answers to sample to each held-out prompt.",
        ),
    ] = 0,
    sample_tokens: Annotated[
        int,
        Option(
            "--sample-tokens",
            min=1,
            max=MOST_SAMPLES,
            metavar="NUMBER",
            help="Longest such answer, in tokens.",
        ),
    ] = 256,
    prices: PriceFile = None,
) -> None:
    """Count the tokens that `train` with these options would take, and their price; nothing is trained.

    Example: tinsmith cost chats.jsonl --model tinsmith/tiny --epochs 3
    """
    from tinsmith.train import RunConfig, TokenUse, plan

    if file is None:
        raise typer.BadParameter("name the file to train on", ctx=context, param_hint="FILE")
    given = {name: context.params[name] for name in SETTINGS if context.params[name] is not None}
    config = RunConfig(data=str(file.absolute()), base_url=server_of(context), **given)
    if prices is not None and model is not None:
        prices_of(None, prices, model)  # before anything is asked
    with service(context, config.base_url) as client:
        planned = plan(client, config)
        known = prices_of(client, prices, planned.base_model)
        is_local = client.config.local
    use = planned.use + TokenUse.of_samples(planned.held_out, samples, sample_tokens)
    _show(context, planned, use, known)
    if known is None and not wants_json(context):
        free = "It costs nothing on the embedded service" if is_local else "The server tells no prices"
        note(f"{free}; to see what it costs elsewhere, name a file of prices with --prices FILE.")


def prices_of(client: ServiceClient | None, path: Path | None, model: str) -> TokenPrices | None:
    """Return the prices of a base model: those of a file, else those that the server billed; None without."""
    from datetime import UTC, datetime

    from tinsmith.cli.failure import sentence
    from tinsmith.core.errors import APIError
    from tinsmith.train import billed_prices, read_prices

    now = datetime.now(UTC)
    if path is not None:
        found = read_prices(path, model)
        if client is not None and found.is_old(now.date()):
            note(f"The prices in {path} are of {found.day}; look them up again, services change them.")
        return found
    if client is None or client.config.local:
        return None
    try:
        return billed_prices(client, model, now)
    except APIError as error:
        note(f"What the server bills was not learned ({sentence(error)}); --prices FILE names prices.")
        return None


def _show(context: typer.Context, planned: RunPlan, use: TokenUse, prices: TokenPrices | None) -> None:
    heading = f"{planned.base_model}, {count(len(planned.batches), 'step')}"
    document: dict[str, Any] = {
        "file": planned.config.data,
        "model": planned.base_model,
        "steps": len(planned.batches),
        "held_out": len(planned.held_out),
        "tokens": {kind: getattr(use, kind) for kind in KINDS},
        "prices": None,
        "cost_usd": None,
    }
    counted = {kind: number for kind, number in document["tokens"].items() if number}
    columns = ["Tokens of", "Number"]
    rows = [[KINDS[kind], f"{number:,}"] for kind, number in counted.items()]
    rows.append(["Total", f"{sum(counted.values()):,}"])
    if prices is not None:
        costs = prices.costs(use)
        each = {kind: exact(getattr(prices, kind), as_written=True) for kind in KINDS}
        told = {"date": prices.day, "source": prices.source, "usd_per_million_tokens": each}
        document |= {"prices": told, "cost_usd": {kind: exact(amount) for kind, amount in costs.items()}}
        heading += f", prices of {prices.day} from {prices.source}"
        columns += ["$ a Million", "Cost"]
        for row, kind in zip(rows, [*counted, "total"], strict=True):
            row += [each.get(kind, "") or "N/A", dollars(costs[kind])]
        rows[-1][2] = ""
    show(context, document, Rows(heading, columns, rows))


def exact(amount: Decimal | None, *, as_written: bool = False) -> str | None:
    """Return an amount with all its digits: JSON has them as text, since a number would be rounded.

    Zeros at its end are left out, unless they are to stay `as_written`.
    """
    return None if amount is None else f"{amount if as_written else amount.normalize():f}"


def dollars(amount: Decimal | None) -> str:
    """Return an amount for a person: cents, or more digits of what is below a dollar."""
    if amount is None:
        return "N/A"
    if 0 < amount < SMALLEST:
        return f"<${SMALLEST}"
    return f"${amount:,.4f}" if 0 < amount < 1 else f"${amount:,.2f}"
