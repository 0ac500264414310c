"""`tinsmith cost`, and the cost that `train` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result

PRICES = 'date = {day}\n[models."tinsmith/tiny"]\ntrain = 0.4\nprompt = 0.1\nsample = 1.0'


@pytest.fixture
def chats(tmp_path: Path) -> str:
    """Write a file of chats."""
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join(f'{{"instruction": "Metal {n}?", "output": "tin"}}' for n in range(10)))
    return str(path)


@pytest.fixture
def prices(tmp_path: Path) -> str:
    """Write a file of prices, of a day so long ago that one should doubt them."""
    path = tmp_path / "prices.toml"
    path.write_text(PRICES.format(day="2024-03-01"))
    return str(path)


def test_without_prices(cli: Callable[..., Result], chats: str) -> None:
    """Tokens by kind, and one sentence on how to give prices."""
    done = cli("cost", chats, "-m", "tinsmith/tiny")
    assert done.code == 0
    assert "tinsmith/tiny, 6 steps" in done.words
    assert "Training" in done.words
    assert "Cost" not in done.words
    assert done.err.endswith("name a file of prices with --prices FILE.\n")
    document = cli("cost", chats, "-m", "tinsmith/tiny", "-f", "json").json
    assert (document["prices"], document["cost_usd"]) == (None, None)


def test_with_prices(cli: Callable[..., Result], chats: str, prices: str) -> None:
    """Money by kind with all its digits; the day of the prices is told, and doubted if it is long ago."""
    words = ("cost", chats, "-m", "tinsmith/tiny", "--prices", prices, "--samples", "2", "--held-out", "0.2")
    done = cli(*words)
    assert "prices of 2024-03-01" in done.words
    assert "Sampled, at Most 1,024 1.0 $0.0010" in done.words
    assert "look them up again" in done.err
    document = cli(*words, "-f", "json").json
    assert document["prices"]["usd_per_million_tokens"]["evaluate"] == "0.4"
    assert document["cost_usd"]["sample"] == "0.001024"
    assert document["tokens"]["sample"] == 1024


def test_a_model_without_prices(cli: Callable[..., Result], chats: str, prices: str) -> None:
    """The model and those that have prices are named, before anything is asked."""
    done = cli("cost", chats, "-m", "Big/One", "--prices", prices)
    assert (done.code, done.out) == (2, "")
    assert "no prices of 'Big/One', but of tinsmith/tiny" in done.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-m", "tinsmith/tiny"), "name the file"),
        (("{chats}",), "model"),
        (("{chats}", "-m", "tinsmith/tiny", "--held-out", "2"), "--held-out"),
        (("{chats}.gone", "-m", "tinsmith/tiny"), "cannot be read"),
        (("{chats}", "-m", "tinsmith/tiny", "--samples", f"1{'0' * 21}"), "must be at most 1000000"),
        (("{chats}", "-m", "tinsmith/tiny", "--sample-tokens", f"1{'0' * 21}"), "must be at most 1000000"),
        (("{chats}", "-m", "tinsmith/tiny", "--prices", "{chats}.gone"), "cannot be read"),
    ],
)
def test_wrong_usage(cli: Callable[..., Result], chats: str, words: tuple[str, ...], says: str) -> None:
    """One sentence says what is wrong."""
    done = cli("cost", *(word.format(chats=chats) for word in words))
    assert (done.code, done.out) == (2, "")
    assert says in done.err


def test_train_shows_what_it_costs(
    cli: Callable[..., Result], chats: str, prices: str, tmp_path: Path
) -> None:
    """The live view and the metrics have the cost so far, whose end is what `cost` said."""
    out = str(tmp_path / "run")
    words = (chats, "-m", "tinsmith/tiny", "--prices", prices)
    said = cli("cost", *words, "-f", "json").json["cost_usd"]["total"]
    done = cli("train", *words, "--rank", "2", "-o", out)
    assert done.code == 0, done.err
    last = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1]
    assert f'"cost_usd":{float(said)}' in last
    assert f"${float(said):.4f}" in done.err


def test_train_refuses_prices_of_another_model(
    cli: Callable[..., Result], chats: str, prices: str, tmp_path: Path
) -> None:
    """Nothing is begun then."""
    done = cli("train", chats, "-m", "Big/One", "--prices", prices, "-o", str(tmp_path / "run"))
    assert done.code == 2
    assert not (tmp_path / "run").exists()
