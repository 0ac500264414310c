"""Tokens of a run by kind, and their price: counted as they are sent, computed to the last digit."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import tinsmith
from hypothesis import given
from hypothesis import strategies as st
from tinsmith import testing, train
from tinsmith.clients.training import TrainingClient
from tinsmith.core.errors import InputError
from tinsmith.train.prices import TokenPrices, TokenUse, billed_prices, read_prices

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tinsmith.core.values import Datum

ROWS = [f'{{"instruction": "Metal {n}?", "output": "{"tin " * (n % 4 + 1)}"}}' for n in range(13)]
PRICES = 'date = 2026-11-01\n[models."tinsmith/tiny"]\ntrain = 0.40\nprompt = 0.1\nsample = 1'


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"held_out": 0},
        {"steps": 5, "evaluate_every": 2, "held_out": 0.3},
        {"epochs": 1, "batch_tokens": 40, "max_tokens": 12, "truncation": "left"},
    ],
    ids=str,
)
def test_the_count_is_what_training_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    """A plan's tokens are those of the datums that a run then hands to its client, kind by kind."""
    sent = {"train": 0, "evaluate": 0}

    def counted(name: str, kind: str) -> None:
        original = getattr(TrainingClient, name)

        def count(self: TrainingClient, data: Sequence[Datum], *more: Any, **others: Any) -> Any:
            sent[kind] += sum(datum.model_input.length for datum in data)
            return original(self, data, *more, **others)

        monkeypatch.setattr(TrainingClient, name, count)

    counted("forward_backward", "train")
    counted("forward", "evaluate")
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(ROWS))
    config = train.RunConfig(
        data=str(path), model="tinsmith/tiny", rank=2, **{"batch_items": None, **settings}
    )
    with tinsmith.ServiceClient(base_url="local:") as service:
        use = train.plan(service, config).use
        assert sent == {"train": 0, "evaluate": 0}
        assert not (tmp_path / "run").exists()
        folder = train.RunFolder.new(tmp_path / "run", config)
        prices = TokenPrices(day=date(2026, 11, 1), source="", train=Decimal(1), evaluate=Decimal(2))
        train.prepare(service, folder).train(prices=prices)
    assert sent == {"train": use.train, "evaluate": use.evaluate}
    assert folder.metrics()[-1]["cost_usd"] == float(prices.costs(use)["total"] or 0)


@given(st.integers(0, 10**12), st.decimals(0, 10**4, places=6))
def test_costs_are_exact(tokens: int, price: Decimal) -> None:
    """No digit is lost or rounded."""
    prices = TokenPrices(day=date(2026, 11, 1), source="", train=price)
    cost = prices.costs(TokenUse(train=tokens))["train"]
    assert cost is not None
    assert cost * 10**6 == tokens * price


def test_a_missing_price_is_no_zero() -> None:
    """A kind without a price has no cost, and then there is no total either, unless nothing of it is used."""
    prices = TokenPrices(day=date(2026, 11, 1), source="", train=Decimal("0.5"))
    assert prices.costs(TokenUse(train=2_000_000))["total"] == 1
    costs = prices.costs(TokenUse(train=2, sample=3))
    assert (costs["sample"], costs["total"]) == (None, None)


def test_samples_are_counted_by_prompt() -> None:
    """A prompt is what stands in front of the first trained token; an answer has its longest length."""
    datum = tinsmith.Datum(
        model_input=tinsmith.ModelInput.from_ints([1, 2, 3, 4]), loss_fn_inputs={"weights": [0, 0, 1, 1]}
    )
    assert TokenUse.of_samples([datum, datum], 4, 10) == TokenUse(prompt=6, sample=80)
    assert TokenUse.of_samples([datum], 0, 10) == TokenUse()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("prices.toml", PRICES),
        (
            "prices.json",
            '{"date": "2026-11-01",'
            ' "models": {"tinsmith/tiny": {"train": 0.40, "prompt": "0.1", "sample": 1}}}',
        ),
    ],
)
def test_a_file_of_prices(tmp_path: Path, name: str, content: str) -> None:
    """Both formats hold the same; evaluation costs what training does where nothing is said."""
    path = tmp_path / name
    path.write_text(content)
    prices = read_prices(path, "tinsmith/tiny")
    assert (prices.train, prices.evaluate, prices.prompt, prices.sample) == (
        Decimal("0.40"),
        Decimal("0.40"),
        Decimal("0.1"),
        Decimal(1),
    )
    assert (prices.day, prices.source) == (date(2026, 11, 1), str(path))
    assert not prices.is_old(date(2026, 12, 1))
    assert prices.is_old(date(2027, 3, 1))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("p.toml", None, "cannot be read"),
        ("p.toml", "date =", "is no TOML"),
        ("p.json", "{", "is no JSON"),
        ("p.json", "[]", "holds no object"),
        ("p.toml", "date = 2026-11-01", "has no models"),
        (
            "p.toml",
            "date = 2026-11-01\n[models.other]\ntrain = 1",
            "'tinsmith/tiny', but of other",
        ),
        ("p.toml", '[models."tinsmith/tiny"]\ntrain = 1', "does not say when"),
        ("p.toml", 'date = 2026-11-01\n[models."tinsmith/tiny"]\ntrian = 1', "unknown price 'trian'"),
        ("p.toml", 'date = 2026-11-01\n[models."tinsmith/tiny"]\ntrain = "x"', "has no number"),
        ("p.toml", 'date = 2026-11-01\n[models."tinsmith/tiny"]\ntrain = -1', "has no price"),
        (
            "p.toml",
            'date = 2026-11-01\n[models."tinsmith/tiny"]\ntrain = 1e300',
            "write US dollars for a million",
        ),
        (
            "p.toml",
            'date = 2026-11-01\n[models."tinsmith/tiny"]\ntrain = 0.0000004',
            "has 0.0000004 in .*: train', as if for one token; for a million, write 0.4",
        ),
        ("p.toml", 'date = 2026-11-01T10:00:00\n[models."tinsmith/tiny"]\ntrain = nan', "has no price"),
    ],
)
def test_a_wrong_file_of_prices(tmp_path: Path, name: str, content: str | None, words: str) -> None:
    """One sentence says what is wrong with it."""
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_prices(path, "tinsmith/tiny")


def _event(kind: str, rate: float | None, hour: int, **more: Any) -> dict[str, Any]:
    info = {"type": kind, "token_count": 10, **more.pop("info", {})}
    return {
        "event_info": info,
        "base_model": "Big/One",
        "bucket_start": f"2026-11-30T{hour:02}:00:00Z",
        "effective_rate_usd_per_million_tokens": rate,
        **more,
    }


def test_prices_that_the_server_billed() -> None:
    """The newest rate of each kind counts, of this model alone; those of cached prompts do not."""
    events = [
        _event("training", 0.5, 2),
        _event("training", 0.4, 1),
        _event("sampling_sample", 1.5, 3),
        _event("sampling_prefill", 0.01, 4, info={"cached": True}),
        _event("sampling_prefill", None, 4),
        _event("training", 9.0, 5, base_model="Other"),
        _event("storage", None, 5),
    ]
    now = datetime(2026, 12, 1, 10, 30, tzinfo=UTC)
    fake = testing.LedgerService()
    fake.rules.append(lambda name, *_: testing.reply({"data": events}) if "billing" in name else None)
    with tinsmith.ServiceClient(**fake.settings()) as service:
        prices = billed_prices(service, "Big/One", now)
        assert billed_prices(service, "No/One", now) is None
        fake.rules[-1] = lambda name, *_: testing.reply({}, 404) if "billing" in name else None
        assert billed_prices(service, "Big/One", now) is None
        fake.rules[-1] = lambda name, *_: testing.reply({}, 401) if "billing" in name else None
        with pytest.raises(tinsmith.AuthenticationError):
            billed_prices(service, "Big/One", now)
    assert prices is not None
    assert (prices.train, prices.evaluate, prices.sample, prices.prompt) == (
        Decimal("0.5"),
        Decimal("0.5"),
        Decimal("1.5"),
        None,
    )
    assert prices.day == date(2026, 11, 30)
