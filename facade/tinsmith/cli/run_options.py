"""The options of a run over a file, which `train` and `cost` share. One that is not given is None.

It is loaded for help, so that it imports nothing but typer.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, Option


class RateShape(StrEnum):
    """How the learning rate goes on after the warm-up."""

    constant = "constant"
    linear = "linear"
    cosine = "cosine"


class TrainedPart(StrEnum):
    """What of a chat is trained on."""

    assistant = "assistant"
    last = "last"
    all = "all"


class Cut(StrEnum):
    """What becomes of a text that is too long."""

    error = "error"
    drop = "drop"
    left = "left"
    right = "right"


TrainingFile = Annotated[
    Path | None, Argument(metavar="FILE", help="Chats or texts, as `data check` reads them.")
]
Model = Annotated[
    str | None, Option("--model", "-m", metavar="NAME", help="Base model to train an adapter on.")
]
StartFrom = Annotated[
    str | None,
    Option("--from", metavar="PATH", help="Checkpoint to begin with, in place of --model (tinker://...)."),
]
Epochs = Annotated[
    int | None, Option("--epochs", metavar="NUMBER", help="Passes over the data (default: 3).")
]
Steps = Annotated[
    int | None, Option("--steps", metavar="NUMBER", help="Steps to make, in place of --epochs.")
]
BatchItems = Annotated[
    int | None, Option("--batch-items", metavar="NUMBER", help="Texts in a batch (default: 8).")
]
BatchTokens = Annotated[
    int | None,
    Option(
        "--batch-tokens",
        metavar="NUMBER",
        help="Largest number of tokens in a batch, in place of --batch-items.",
    ),
]
Seed = Annotated[
    int | None,
    Option(
        "--seed", metavar="NUMBER", help="Decides first weights, order, and what is held out (default: 0)."
    ),
]
HeldOut = Annotated[
    float | None,
    Option(
        "--held-out", metavar="SHARE", help="Share of the records that is only evaluated (default: 0.05)."
    ),
]
EvaluateEvery = Annotated[
    int | None,
    Option(
        "--evaluate-every",
        metavar="STEPS",
        help="Steps between evaluations (default: a tenth of the run, but not less than 5).",
    ),
]
TrainOn = Annotated[
    TrainedPart | None,
    Option(
        "--train-on",
        help="Train on all turns of the assistant, its last one, or every token (default: assistant).",
    ),
]
MaxTokens = Annotated[
    int | None,
    Option(
        "--max-tokens",
        metavar="NUMBER",
        help="Largest number of tokens of a text (default: the context of the model).",
    ),
]
Truncation = Annotated[
    Cut | None,
    Option(
        "--truncation",
        help="Refuse a longer text, drop it, or keep its last or first tokens (default: error).",
    ),
]
InputFormat = Annotated[
    str | None,
    Option("--input-format", metavar="NAME", help="Format of all rows (default: by their fields)."),
]
PriceFile = Annotated[
    Path | None,
    Option("--prices", metavar="FILE", help="Prices of tokens, in TOML or JSON; docs/train.md shows one."),
]
