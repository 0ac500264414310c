"""Bad input found before sending: every case names the datum and the field."""

from __future__ import annotations

import sys
from typing import Any, cast

import numpy as np
import pytest
from tinsmith.core.checks import (
    check_batch,
    check_prompt,
    check_tensor,
    known_length,
    sample_options,
)
from tinsmith.core.errors import InputError
from tinsmith.core.values import Datum, EncodedTextChunk, ImageChunk, ModelInput, TensorData, UnknownChunk

GOOD = {"target_tokens": np.arange(3), "weights": np.ones(3)}


def datum(**changes: Any) -> Datum:
    """Make a good datum with some inputs changed."""
    return Datum({**GOOD, **changes}, ModelInput.from_ints([1, 2, 3]))


def spoilt(**changes: Any) -> Datum:
    """Make a datum as a decoder does, which nobody checks."""
    return Datum.of_owned(**{**dict(datum()), "extra": None, **changes})


def test_good_batches_pass() -> None:
    """Arrays, lists, 2-D targets, images with and without a length, empty tensors of free names."""
    picture = ModelInput.from_ints([1]).append(ImageChunk(b"x", "png", 2))
    vague = ModelInput.from_ints([1]).append(ImageChunk(b"x", "png"))
    wide = {"target_tokens": np.zeros((3, 2), np.int64), "weights": np.ones((3, 2))}
    check_batch(
        [
            datum(),
            datum(weights=[1, 0.5, 0], target_tokens=[1, 2, 3]),
            Datum(wide, ModelInput.from_ints([1, 2, 3])),
            Datum(GOOD, picture),
            Datum({"target_tokens": [1]}, vague),
            datum(mine=TensorData([], "float32")),
            datum(weights=[sys.float_info.max, sys.float_info.max, 1.0]),
            datum(weights=[np.float32(1), 1, 0.5], target_tokens=[np.int64(1), np.uint8(2), 3]),
            Datum(GOOD, ModelInput.from_ints(cast("Any", [np.int64(1), 2, 3]))),
        ],
        "cross_entropy",
        {"a": 1, "b": "text"},
    )


CASES: list[tuple[Any, str | None, str]] = [
    (datum(target_tokens=np.arange(4)), "target_tokens", "has length 4, but model_input has 3"),
    (datum(weights=[1.0]), "weights", "has length 1, but model_input has 3"),
    (datum(weights=np.array([0, np.nan, 0])), "weights", "element 1 is nan"),
    (datum(weights=[0.0, 0.0, float("inf")]), "weights", "element 2 is inf"),
    (datum(weights=[float("nan"), 0.0, 0.0]), "weights", "element 0 is nan"),
    (datum(target_tokens=np.ones(3)), "target_tokens", "must be int64, not float32"),
    (datum(weights=TensorData([1, 1, 1], "int64")), "weights", "must be float32, not int64"),
    (datum(target_tokens=TensorData([1, 2.0, 3], "int64")), "target_tokens", "element 1 is 2.0, but int64"),
    (
        datum(target_tokens=TensorData(cast("Any", [1, None, 3]), "int64")),
        "target_tokens",
        "element 1 is None, not a number",
    ),
    (
        datum(weights=TensorData(cast("Any", [1, np.float32("nan"), 1]), "float32")),
        "weights",
        "element 1 is nan",
    ),
    (
        datum(target_tokens=TensorData(cast("Any", [1, np.float64(2), 3]), "int64")),
        "target_tokens",
        "element 1 is 2.0, but int64",
    ),
    (datum(weights=np.array([1, 1e300, 1])), "weights", "element 1 is inf"),
    (datum(weights=TensorData([True, 1.0, 1.0], "float32")), None, ""),
    (datum(weights=TensorData([1, 1, 1], "float32", [4])), "weights", r"3 numbers, but shape \[4\]"),
    (datum(weights=TensorData([1, 1], "float32", [-1, -2])), "weights", "2 numbers, but shape"),
    (Datum({}, ModelInput.from_ints([1])), "target_tokens", "is missing; cross_entropy needs it"),
    (Datum(GOOD, ModelInput.from_ints([1, -2, 3])), "model_input", "whole numbers >= 0"),
    (Datum(GOOD, ModelInput.from_ints(cast("Any", [1, 2.0, 3]))), "model_input", "whole numbers >= 0"),
    (Datum(GOOD, ModelInput.from_ints(cast("Any", ["a"]))), "model_input", "whole numbers >= 0"),
    (Datum(GOOD, ModelInput.from_ints(cast("Any", np.ones(3)))), "model_input", "whole numbers >= 0"),
    (Datum(GOOD, ModelInput.from_ints(cast("Any", np.array([1, -1])))), "model_input", "whole numbers >= 0"),
    (spoilt(model_input=[1, 2, 3]), "model_input", "is a list, not a ModelInput"),
    ({"loss_fn_inputs": {}}, None, "is a dict, not a Datum"),
]


@pytest.mark.parametrize(("bad", "field", "problem"), CASES)
def test_a_bad_datum_is_named(bad: Any, field: str | None, problem: str) -> None:
    """The index, the field, and what is wrong with it."""
    if not problem:
        check_batch([datum(), bad], "cross_entropy")
        return
    with pytest.raises(InputError, match=problem) as caught:
        check_batch([datum(), bad], "cross_entropy")
    assert (caught.value.datum, caught.value.field) == (1, field)
    assert caught.value.applied == "no"


def test_numbers_too_large_for_a_sum_are_still_found() -> None:
    """An integer that no float holds does not hide what is wrong, and is not wrong by itself."""
    huge = TensorData([10**400, 0.5, 1], "float32")
    check_batch([datum(weights=huge)], "cross_entropy")
    with pytest.raises(InputError, match="element 1 is inf"):
        check_batch([datum(weights=TensorData([10**400, float("inf"), 1], "float32"))], "cross_entropy")


@pytest.mark.parametrize(
    ("loss_fn", "config", "field", "problem"),
    [
        ("", None, "loss_fn", "must be the name of a loss, not ''"),
        (None, None, "loss_fn", "must be the name of a loss, not None"),
        ("ppo", {"clip": float("nan")}, "loss_fn_config.clip", "finite number"),
        ("ppo", {"clip": True}, "loss_fn_config.clip", "finite number"),
        ("ppo", {"clip": None}, "loss_fn_config.clip", "finite number"),
        ("ppo", None, "logprobs", "is missing; ppo needs it"),
    ],
)
def test_a_bad_loss_is_named(loss_fn: str, config: Any, field: str, problem: str) -> None:
    """A loss without a name, settings that are no numbers, an input that the loss needs."""
    with pytest.raises(InputError, match=problem) as caught:
        check_batch([datum()], loss_fn, config)
    assert caught.value.field == field


@pytest.mark.parametrize("loss_fn", ["grpo", "dapo", "orpo", "dppo", "ppo_critic", "mine"])
def test_servers_decide_which_losses_there_are(loss_fn: str) -> None:
    """A name that is not known here passes, and so do inputs of any name."""
    check_batch([datum(values=np.ones(3))], loss_fn, {"beta": 1})


SPARSE: list[tuple[Any, Any, str]] = [
    ([0, 1, 2], [0, 3], "below 3"),
    ([0, 1, 2], [0, -1], "below 3"),
    ([0, 1, 2], [0], "below 3"),
    ([0, 2], [0, 1], "in 2 steps"),
    ([1, 1, 2], [0, 1], "in 2 steps"),
    ([0, 1, 1], [0, 1], "in 2 steps"),
    ([0, 3, 2], [0, 1], "do not fall"),
    ([0, 1.5, 2], [0, 1], "whole numbers"),
    ([0, 1, 2], [0, "1"], "whole numbers"),
]


@pytest.mark.parametrize(("starts", "columns", "problem"), SPARSE)
def test_places_of_a_sparse_tensor_are_checked(starts: Any, columns: Any, problem: str) -> None:
    """Each stored number has a place within the shape, row by row."""
    good = TensorData([1, 2], "int64", [2, 3], [0, 1, 2], [2, 0])
    sample = Datum({"target_tokens": good}, ModelInput.from_ints([1, 2]))
    check_batch([sample], "cross_entropy")
    bad = Datum({"target_tokens": TensorData([1, 2], "int64", [2, 3], starts, columns)}, sample.model_input)
    with pytest.raises(InputError, match=problem) as caught:
        check_batch([sample, bad], "cross_entropy")
    assert (caught.value.datum, caught.value.field) == (1, "target_tokens")


def test_an_empty_batch_is_refused() -> None:
    """There is nothing to send."""
    with pytest.raises(InputError, match="No data provided"):
        check_batch([], "cross_entropy")


@pytest.mark.parametrize("data", [None, datum(), iter([]), 5])
def test_a_batch_is_a_list(data: Any) -> None:
    """One Datum, a generator or nothing at all is no batch."""
    with pytest.raises(InputError, match="must be a list of Datums"):
        check_batch(data, "cross_entropy")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((ModelInput.empty(),), "prompt"),
        (([1, 2],), "prompt"),
        ((ModelInput.from_ints([1]), 0), "num_samples"),
        ((ModelInput.from_ints([1]), 1.0), "num_samples"),
        ((ModelInput.from_ints([1]), True), "num_samples"),
        ((ModelInput.from_ints([1]), 1, -1), "topk_prompt_logprobs"),
    ],
)
def test_a_bad_sample_is_named(arguments: tuple[Any, ...], field: str) -> None:
    """An empty prompt, and counts that are none."""
    with pytest.raises(InputError) as caught:
        check_prompt(*arguments)
    assert caught.value.field == field


def test_what_is_asked_of_a_sample_is_named_and_plain() -> None:
    """Only what is asked for is sent; counts become plain numbers."""
    targets = TensorData([1, 2], "int64", [2, 1])
    assert sample_options(0, None, 0, None) == {}
    assert sample_options(cast("Any", np.int64(2)), targets, 3, 0) == {
        "topk_sample_logprobs": 2,
        "target_prompt_logprobs": targets,
        "prompt_alt_tokens_k": 3,
        "prompt_logprobs_last_n": 0,
    }


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((-1, None, 0, None), "topk_sample_logprobs"),
        ((0, None, True, None), "prompt_alt_tokens_k"),
        ((0, None, 0, -1), "prompt_logprobs_last_n"),
        ((0, [1], 0, None), "target_prompt_logprobs"),
        ((0, TensorData([1.0], "float32"), 0, None), "target_prompt_logprobs"),
        ((0, TensorData([1.5], "int64"), 0, None), "target_prompt_logprobs"),
    ],
)
def test_what_cannot_be_asked_of_a_sample_is_named(arguments: Any, field: str) -> None:
    """Counts below zero, truth values, and targets that are no token ids."""
    with pytest.raises(InputError) as caught:
        sample_options(*arguments)
    assert caught.value.field == field


def test_lengths() -> None:
    """A length is known if every chunk has one."""
    text = EncodedTextChunk([1, 2])
    check_prompt(ModelInput([text]), 2, 3)
    assert known_length(ModelInput([text, ImageChunk(b"x", "png", 3)])) == 5
    assert known_length(ModelInput([text, ImageChunk(b"x", "png")])) is None
    assert known_length(ModelInput([UnknownChunk({})])) is None
    check_tensor(0, "mine", TensorData([1.0], "float32"))
