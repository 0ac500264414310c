"""A small file to train on, and services for its runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import tinsmith
from tinsmith import train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

METALS = {
    "tin": 232, "lead": 327, "zinc": 420, "gold": 1064, "iron": 1538, "silver": 962, "copper": 1085,
    "nickel": 1455, "cobalt": 1495, "bismuth": 271, "indium": 157, "gallium": 30,
}  # fmt: skip


def written(path: Path, metals: dict[str, int] = METALS) -> str:
    """Write a chat for each metal, and return the path."""
    rows = [
        {"instruction": f"At what temperature does {name} melt?", "output": f"{degrees} °C"}
        for name, degrees in metals.items()
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def curve(folder: train.RunFolder) -> list[dict[str, Any]]:
    """Return the metrics of a run without how fast it was."""
    return [
        {name: value for name, value in line.items() if name != "tokens_per_s"} for line in folder.metrics()
    ]


@pytest.fixture
def config(tmp_path: Path) -> train.RunConfig:
    """Give the settings of a run of eight steps on the tiny model."""
    return train.RunConfig(
        data=written(tmp_path / "metals.jsonl"),
        model="tinsmith/tiny",
        rank=2,
        held_out=0.2,
        epochs=2,
        batch_items=3,
        learning_rate=1e-2,
        evaluate_every=3,
        checkpoint_every=2,
    )


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., train.RunResult]:
    """Begin a run, or go on with it, as a process of its own would: with a service of its own."""

    def make(folder: train.RunFolder, **settings: Any) -> train.RunResult:
        with tinsmith.ServiceClient(base_url=folder.base_url) as service:
            return train.prepare(service, folder).train(**settings)

    return make
