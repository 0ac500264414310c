"""Batches: each epoch has every datum once, in an order that a seed decides; the mean loss of one."""

from __future__ import annotations

import math
from typing import Any

import pytest
import tinsmith
from hypothesis import given
from hypothesis import strategies as st
from tinsmith import Datum, ForwardBackwardOutput, InputError, ModelInput, TensorData
from tinsmith.data import Batches, DatumBuilder, mean_loss


def datums(lengths: list[int]) -> list[Datum]:
    """Make a datum of each length."""
    return [Datum(model_input=ModelInput.from_ints([1] * n), loss_fn_inputs={}) for n in lengths]


def identities(batches: Batches, epoch: int) -> list[list[int]]:
    """Return which datums the batches of an epoch hold."""
    return [[id(datum) for datum in batch.data] for batch in batches.of_epoch(epoch)]


ORDERS = [[2, 4, 5, 7, 1, 6, 0, 3], [0, 1, 2, 4, 3, 5, 7, 6]]
"""Orders of 8 datums in two epochs, with seed 7."""

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=40)


@given(LENGTHS, st.integers(1, 9), st.integers(1, 80), st.integers(), st.integers(0, 5))
def test_an_epoch_is_a_partition(lengths: list[int], items: int, tokens: int, seed: int, epoch: int) -> None:
    """Every datum once, no batch over its limit but one of a single datum, the same each time."""
    data = datums(lengths)
    for batches in (Batches(data=data, items=items, seed=seed), Batches(data=data, tokens=tokens, seed=seed)):
        parts = batches.of_epoch(epoch)
        assert sorted(id(datum) for part in parts for datum in part.data) == sorted(map(id, data))
        assert identities(batches, epoch) == identities(batches, epoch)
        for part in parts:
            used = len(part.data) if batches.items else sum(d.model_input.length for d in part.data)
            assert used <= (batches.items or tokens) or len(part.data) == 1
        if batches.items:
            assert len(parts) == math.ceil(len(data) / items)


@given(LENGTHS, st.integers(1, 5), st.integers(0, 3), st.integers(0, 12))
def test_a_walk_continues_anywhere(lengths: list[int], items: int, epoch: int, index: int) -> None:
    """From an epoch and an index on it is the end of the whole walk."""
    batches = Batches(data=datums(lengths), items=items, seed=3)
    whole = [(batch.epoch, batch.index) for batch in batches.walk(4)]
    rest = [(batch.epoch, batch.index) for batch in batches.walk(4, epoch=epoch, index=index)]
    assert rest == [place for place in whole if place >= (epoch, index)]


def test_the_order_is_kept_for_ever() -> None:
    """A run that is continued years later, by another Python, meets the same order."""
    batches = Batches(data=datums([1] * 8), items=2, seed=7)
    assert [batches.order(epoch) for epoch in range(2)] == ORDERS
    assert Batches(data=datums([1] * 8), items=2, seed=8).order(0) != ORDERS[0]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "give either items= or tokens="),
        ({"items": 1, "tokens": 1}, "give either items= or tokens="),
        ({"items": 0}, "field 'items': must be at least 1, not 0"),
        ({"tokens": -1}, "field 'tokens': must be at least 1, not -1"),
        ({"items": 1, "data": []}, "field 'data': is empty"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], said: str) -> None:
    """With what to give."""
    with pytest.raises(InputError, match=said):
        Batches(**{"data": datums([1]), **settings})


def test_the_mean_loss_is_that_of_the_service() -> None:
    """The sum that the service tells, by the weights; weights that are absent are 1."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=2, seed=0)
        builder = DatumBuilder(tokenizer=trainer.get_tokenizer())
        data = builder.from_text("Tin is ", "Sn") + builder.from_text("", "Lead is Pb")
        output = trainer.forward(data, "cross_entropy").result()
    trained = sum(sum(datum.loss_fn_inputs["weights"].data) for datum in data)
    assert mean_loss(output, data) == pytest.approx(output.metrics["loss:sum"] / trained, rel=1e-5)
    bare = Datum(model_input=ModelInput.from_ints([1]), loss_fn_inputs={"target_tokens": [2]})
    assert mean_loss(outputs([-2.0]), [bare]) == 2.0


def outputs(*logprobs: list[float], name: str = "logprobs") -> ForwardBackwardOutput:
    """Make what a server answers."""
    records = [{name: TensorData(row, "float32", [len(row)])} for row in logprobs]
    return ForwardBackwardOutput(loss_fn_output_type="x", loss_fn_outputs=records, metrics={})


def weighed(*weights: float) -> Datum:
    """Make a datum with weights."""
    ids = list(range(len(weights)))
    inputs = {"target_tokens": ids, "weights": list(weights)}
    return Datum(model_input=ModelInput.from_ints(ids), loss_fn_inputs=inputs)


def test_the_mean_counts_each_token_by_its_weight() -> None:
    """Over all datums together, not datum by datum."""
    assert mean_loss(outputs([-1.0, -9.0], [-3.0]), [weighed(1, 0), weighed(0.5)]) == pytest.approx(2.5 / 1.5)


@pytest.mark.parametrize(
    ("output", "data", "said"),
    [
        (outputs([-1.0]), [], "has 1 records for 0 datums"),
        (outputs([-1.0], name="scores"), [weighed(1)], "datum 0, field 'output': has no logprobs"),
        (outputs([-1.0]), [weighed(1, 1)], "has 1 logprobs for 2 weights"),
        (outputs([-1.0]), [weighed(0)], "no token of the batch has weight"),
    ],
)
def test_an_output_of_other_data_is_refused(
    output: ForwardBackwardOutput, data: list[Datum], said: str
) -> None:
    """Rather than a number that means nothing."""
    with pytest.raises(InputError, match=said):
        mean_loss(output, data)
