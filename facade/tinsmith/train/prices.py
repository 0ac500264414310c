"""What a run takes: its tokens by kind, and their price. Exact decimal arithmetic; prices are never guessed.

Prices come from a file of the user, or from what the server billed of late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.config import RetryConfig
from tinsmith.core.errors import (
    BadRequestError,
    InputError,
    NotFoundError,
    PermissionDeniedError,
    UnprocessableEntityError,
)
from tinsmith.core.whole_files import check_ordinary, unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tinsmith.clients.service import ServiceClient
    from tinsmith.core.values import Datum
    from tinsmith.data import Batch

OLD_AFTER = timedelta(days=90)
"""Age from which prices are doubted: services change them every few months."""

BILL_DEADLINE_S = 10.0
"""Seconds for which the bill is asked for: a run does not need it."""

BILLED_DAYS = 14
"""Days of billing that are searched for prices: as many as one request covers."""

LEAST_PRICE, MOST_PRICE = Decimal("0.0001"), 1_000_000
"""Dollars for a million tokens that are believed; nothing is, too. Less is the price of a single token."""

KINDS = ("train", "evaluate", "prompt", "sample")
"""Kinds of tokens that have a price of their own."""

_BILLED_AS = {"training": "train", "sampling_prefill": "prompt", "sampling_sample": "sample"}


@attrs.frozen(kw_only=True)
class TokenUse:
    """Tokens that are sent or sampled, by kind."""

    train: int = 0
    """Tokens of `forward_backward`: all of each text but its last one, with weight or without."""
    evaluate: int = 0
    """Tokens of `forward` on what is held out."""
    prompt: int = 0
    """Tokens of prompts to sample from."""
    sample: int = 0
    """Tokens that are sampled, at most."""

    @classmethod
    def by_step(
        cls, batches: Sequence[Batch], held_out: Sequence[Datum], evaluate_every: int | None
    ) -> list[TokenUse]:
        """Count what `supervised` sends up to each step; step 0 is what it sends before the first one."""
        training = accumulate((sum(map(_tokens, batch.data)) for batch in batches), initial=0)
        evaluation, last = sum(map(_tokens, held_out)), len(batches)
        due = (
            step in (0, last) or bool(evaluate_every and step % evaluate_every == 0)
            for step in range(last + 1)
        )
        evaluations = accumulate(evaluation * is_due for is_due in due)
        return [cls(train=train, evaluate=done) for train, done in zip(training, evaluations, strict=True)]

    @classmethod
    def of_samples(cls, held_out: Sequence[Datum], samples: int, sample_tokens: int) -> TokenUse:
        """Count `samples` answers to each held-out prompt, each of `sample_tokens` tokens."""
        return cls(
            prompt=sum(map(_prompt_tokens, held_out)) if samples else 0,
            sample=len(held_out) * samples * sample_tokens,
        )

    def __add__(self, other: TokenUse) -> TokenUse:
        return TokenUse(**{kind: getattr(self, kind) + getattr(other, kind) for kind in KINDS})


@attrs.frozen(kw_only=True)
class TokenPrices:
    """Prices of one base model, in US dollars for a million tokens; None where a price is not known."""

    day: date
    """Day on which they held."""
    source: str
    """Where they come from."""
    train: Decimal | None = None
    """Price of a token of `forward_backward`."""
    evaluate: Decimal | None = None
    """Price of a token of `forward`."""
    prompt: Decimal | None = None
    """Price of a token of a prompt."""
    sample: Decimal | None = None
    """Price of a sampled token."""

    def costs(self, use: TokenUse) -> dict[str, Decimal | None]:
        """Return what each kind of token costs in US dollars, and `total`; None where a price is missing.

        >>> from datetime import date
        >>> from decimal import Decimal
        >>> from tinsmith.train.prices import TokenPrices, TokenUse
        >>> prices = TokenPrices(day=date(2026, 11, 1), source="a list", train=Decimal("0.40"))
        >>> prices.costs(TokenUse(train=1_234_567))["train"]
        Decimal('0.4938268')
        """
        found: dict[str, Decimal | None] = {}
        for kind in KINDS:
            tokens, price = getattr(use, kind), getattr(self, kind)
            found[kind] = Decimal(0) if not tokens else None if price is None else (tokens * price).scaleb(-6)
        known = [cost for cost in found.values() if cost is not None]
        return {**found, "total": sum(known, Decimal(0)) if len(known) == len(KINDS) else None}

    def is_old(self, today: date) -> bool:
        """Say whether they may no longer hold."""
        return today - self.day > OLD_AFTER


def read_prices(path: Path, model: str) -> TokenPrices:
    r"""Read the prices of a base model from a file in TOML or JSON; see docs/train.md.

    `evaluate` is the price of `train` where the file does not say. Raises InputError for a file that cannot
    be read, or has no prices of the model.

    >>> import pathlib, tempfile
    >>> from tinsmith.train.prices import read_prices
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "prices.toml")
    ...     _ = path.write_text('date = 2026-11-01\n[models."Big/One"]\ntrain = 0.40')
    ...     prices = read_prices(path, "Big/One")
    >>> prices.train, prices.evaluate, prices.sample
    (Decimal('0.40'), Decimal('0.40'), None)
    """
    document = _document(path)
    models = document.get("models")
    if not isinstance(models, Mapping) or not models:
        raise _wrong(path, 'has no models; write [models."NAME"] with train = PRICE below it')
    found = models.get(model)
    if not isinstance(found, Mapping):
        raise _wrong(path, f"has no prices of {model!r}, but of {', '.join(sorted(models))}")
    if unknown := set(found) - set(KINDS):
        raise _wrong(path, f"has an unknown price {min(unknown)!r} of {model!r}; known: {', '.join(KINDS)}")
    prices = {kind: _price(path, f"{model}: {kind}", value) for kind, value in found.items()}
    day = _date(path, document.get("date"))
    return TokenPrices(day=day, source=str(path), **_with_evaluation(prices))


def billed_prices(service: ServiceClient, model: str, now: datetime) -> TokenPrices | None:
    """Return the prices at which the server billed a base model in the last days; None if it tells none.

    The server is asked for 10 seconds at most. Raises APIError where it does not answer, or refuses the key.
    """
    end = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    start = end - timedelta(days=BILLED_DAYS)
    raw = service.raw.retrying(RetryConfig(deadline_s=BILL_DEADLINE_S))
    try:
        events = raw.list_billing_usage_events(starting_on=start, ending_before=end).result().data
    except (NotFoundError, BadRequestError, UnprocessableEntityError, PermissionDeniedError):
        return None
    newest: dict[str, tuple[datetime, Decimal]] = {}
    for event in events:
        kind = _BILLED_AS.get(event.event_info.type)
        rate, when = event.effective_rate_usd_per_million_tokens, event.bucket_start
        is_other = event.base_model != model or event.event_info.cached
        if kind is None or rate is None or when is None or is_other:
            continue
        if kind not in newest or when > newest[kind][0]:
            newest[kind] = (when, Decimal(str(rate)))
    if not newest:
        return None
    prices = {kind: price for kind, (_, price) in newest.items()}
    day = min(when for when, _ in newest.values()).date()
    return TokenPrices(day=day, source="the billing of the server", **_with_evaluation(prices))


def _with_evaluation(prices: dict[str, Decimal]) -> dict[str, Decimal]:
    """Count evaluation as training where nothing is said: it is no more than that."""
    return {**({"evaluate": prices["train"]} if "train" in prices else {}), **prices}


def _tokens(datum: Datum) -> int:
    return datum.model_input.length


def _prompt_tokens(datum: Datum) -> int:
    """Return the number of tokens in front of the first one that is trained on."""
    weights = datum.loss_fn_inputs["weights"].to_numpy()
    return int((weights != 0).argmax()) + 1


def _document(path: Path) -> Mapping[str, Any]:
    import json
    import tomllib

    check_ordinary(path)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            document = json.loads(text, parse_float=Decimal)
        else:
            document = tomllib.loads(text, parse_float=Decimal)
    except OSError as cause:
        raise unreadable(path, cause, "prices") from cause
    except ValueError as cause:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise _wrong(path, f"is no {kind}: {cause}") from cause
    if not isinstance(document, Mapping):
        raise _wrong(path, "holds no object")
    return document


def _date(path: Path, value: object) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as cause:
        raise _wrong(path, "does not say when its prices held; write date = 2026-11-01") from cause


def _price(path: Path, name: str, value: object) -> Decimal:
    try:
        price = Decimal(str(value))
    except ArithmeticError as cause:
        raise _wrong(path, f"has no number in {name!r}") from cause
    if not price.is_finite() or not 0 <= price <= MOST_PRICE:
        raise _wrong(path, f"has no price in {name!r}: {value}; write US dollars for a million tokens")
    if 0 < price < LEAST_PRICE:
        million = f"{(price * 1_000_000).normalize():f}"
        raise _wrong(path, f"has {price:f} in {name!r}, as if for one token; for a million, write {million}")
    return price


def _wrong(path: Path, what: str) -> InputError:
    return InputError(f"{path} {what}", field="prices")
