"""What values take, from users and from servers: what fits is converted, anything else is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
import numpy as np
import pytest
import tinsmith_api.models
from contract_document import example_of
from tinsmith import InputError, ServiceClient, testing, types
from tinsmith_api.conversion import from_json
from tinsmith_api.errors import InvalidBody
from tinsmith_api.model import Value

from tests.guard import WAIT_S

WRONG = object()
"""Fits no type."""
NEWER = "none of those known"
"""What a newer server may say where the contract names choices."""


def generated() -> list[Any]:
    """Return all classes of the contract."""
    found = (getattr(tinsmith_api.models, name) for name in tinsmith_api.models.__all__)
    return [each for each in found if isinstance(each, type) and issubclass(each, Value)]


def wrong(hint: Any) -> list[tuple[Any, str]]:
    """Return what does not fit a type, in the field and in its entries, and where the error must be."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        parts = [wrong(part) for part in arguments if part is not NoneType]
        return parts[0] if len(parts) == 1 else [(WRONG, "")] * all(parts)
    if hint is Any or (isinstance(hint, type) and issubclass(hint, Enum)):
        return []
    if origin in (list, Sequence):
        return [("abc", ""), ({}, ""), *(([part], f"[0]{place}") for part, place in wrong(arguments[0]))]
    if origin in (dict, Mapping):
        return [("abc", ""), ([], ""), *(({"a": part}, f".a{place}") for part, place in wrong(arguments[1]))]
    given: list[Any] = {str: [3, ["a"]], bool: ["yes", 1], int: ["x", 0.5, True], float: ["x", True]}.get(
        hint, []
    )
    if origin is Literal:
        given = [3, NEWER]
    return [(WRONG, ""), *((part, "") for part in given)]


CLASSES = generated()
by_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def cases(cls: Any) -> list[tuple[str, Any, str]]:
    """Return fields of a class, each with something that does not fit, and where the error must be."""
    hints = get_type_hints(cls)
    names = [field.name for field in attrs.fields(cls) if field.name != "extra"]
    return [(name, part, name + place) for name in names for part, place in wrong(hints[name])]


@by_class
def test_a_constructor_refuses_what_does_not_fit(cls: Any, loaded: dict[str, Any]) -> None:
    """Whatever the field and the depth, before anything is sent; the error names class and field."""
    good = from_json(cls, example_of(loaded, loaded["components"]["schemas"][cls.__name__]))
    for name, part, place in cases(cls):
        with pytest.raises(InputError) as caught:
            attrs.evolve(good, **{name: part})
        assert caught.value.field == place
        assert str(caught.value).startswith(f"field {place!r} of {cls.__name__}: ")


@by_class
def test_a_reader_refuses_what_does_not_fit(cls: Any, loaded: dict[str, Any]) -> None:
    """Wrong types are refused in answers too, by class and field; texts that a newer server has are not."""
    good = example_of(loaded, loaded["components"]["schemas"][cls.__name__])
    for name, part, _ in cases(cls):
        if NEWER in str(part):
            continue
        with pytest.raises(InvalidBody) as caught:
            from_json(cls, {**good, name: part})
        assert cls.__name__ in str(caught.value)
        assert name in str(caught.value)


def test_the_wrong_values_reach_every_depth() -> None:
    """There are many of them, in lists, mappings and lists of mappings too."""
    places = [place for cls in CLASSES for _, _, place in cases(cls)]
    assert len(places) > 1000
    assert {"metrics.a", "tags[0]", "loss_fn_outputs[0].a"} <= set(places)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (
            lambda: types.CreateSessionRequest("abc", None, "1"),  # type: ignore[arg-type]  # wrong on purpose
            "field 'tags' of CreateSessionRequest: must be a list, not 'abc'",
        ),
        (
            lambda: types.OptimStepResponse({"a": "x"}),  # type: ignore[dict-item]  # wrong on purpose
            "field 'metrics.a' of OptimStepResponse: must be a number, not 'x'",
        ),
        (
            lambda: types.OptimStepResponse({1: 2.0}),  # type: ignore[dict-item]  # wrong on purpose
            "field 'metrics' of OptimStepResponse: must have texts for names, not 1",
        ),
        (
            lambda: types.TrainingRun(1, 2, 3, True, "x"),  # type: ignore[arg-type]  # wrong on purpose
            "field 'training_run_id' of TrainingRun: must be text, not 1",
        ),
        (
            lambda: types.CreateModelRequest("s", 0, "b", lora_config={"rank": "x"}),  # type: ignore[arg-type]  # wrong on purpose
            "field 'lora_config.rank' of CreateModelRequest: must be a whole number, not 'x'",
        ),
        (
            lambda: types.CreateModelRequest("s", 0, "b", lora_config={"rank": 8, "b": 1}),  # type: ignore[arg-type]  # wrong on purpose
            "field 'lora_config.b' of CreateModelRequest: is no field of LoraConfig; it has rank, seed,",
        ),
        (
            lambda: types.CreateModelRequest("s", 0, "b", lora_config={"rank": 0}),  # type: ignore[arg-type]  # wrong on purpose
            "field 'lora_config.rank' of CreateModelRequest: must be >= 1, not 0",
        ),
        (
            lambda: types.LoraConfig(rank=0),
            "field 'rank' of LoraConfig: must be >= 1, not 0",
        ),
        (
            lambda: types.SamplingParams(stop=["a", 1]),  # type: ignore[arg-type]  # wrong on purpose
            "field 'stop[1]' of SamplingParams: must be text, not 1",
        ),
        (
            lambda: types.SamplingParams(stop=3),  # type: ignore[arg-type]  # wrong on purpose
            "field 'stop' of SamplingParams: must be text or a list, not 3",
        ),
        (
            lambda: types.ModelInput([{"type": "encoded_text", "tokens": "a"}]),  # type: ignore[list-item]  # wrong on purpose
            "field 'chunks[0].tokens' of ModelInput: must be a flat list of token ids, not a str;",
        ),
        (
            lambda: types.Datum({}, [1, 2]),  # type: ignore[arg-type]  # wrong on purpose
            "field 'model_input' of Datum: must be a ModelInput or a mapping of its fields, not [1, 2]",
        ),
    ],
)
def test_the_error_says_what_to_give(make: Any, problem: str) -> None:
    """Class, path of the field, what it takes, and what was given."""
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value).startswith(problem)


def test_a_secret_is_not_shown_when_it_does_not_fit() -> None:
    """A key given as bytes stays out of the error."""
    with pytest.raises(InputError) as caught:
        types.AuthTokenResponse(b"tml-secret")  # type: ignore[arg-type]  # wrong on purpose
    assert str(caught.value) == "field 'jwt' of AuthTokenResponse: must be text"


def test_mappings_and_numbers_of_libraries_are_converted() -> None:
    """A mapping of its fields makes a value, at any depth; numbers become Python's; times get a zone."""
    model = types.CreateModelRequest(
        "s",
        np.int64(0),  # type: ignore[arg-type]  # converted
        "b",
        lora_config={"rank": 8},  # type: ignore[arg-type]  # converted
        optimizer_config={"type": "new", "a": 1},  # type: ignore[arg-type]  # converted
    )
    assert model.lora_config == types.LoraConfig(8)
    assert (type(model.model_seq_id), model.optimizer_config.extra) == (int, {"a": 1})  # type: ignore[union-attr]  # converted
    assert types.CreateSessionRequest(("a",), {}, "1").tags == ["a"]  # type: ignore[arg-type]  # converted
    metrics = types.OptimStepResponse({"a": np.float32(1), "b": float("inf")}).metrics  # type: ignore[dict-item]  # converted
    assert metrics == {"a": 1.0, "b": float("inf")}
    run = types.TrainingRun("r", "b", "o", True, "2024-01-02T03:04:05")  # type: ignore[arg-type]  # converted
    assert run.last_request_time == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    chunk = {"type": "encoded_text", "tokens": [1]}
    tensor = {"data": [1], "dtype": "int64"}
    datum = types.Datum({"target_tokens": tensor}, {"chunks": [chunk]})  # type: ignore[arg-type]  # converted
    assert datum.model_input == types.ModelInput.from_ints([1])
    assert datum.loss_fn_inputs["target_tokens"] == types.TensorData([1], "int64")


def test_the_facades_own_values_stand_in_for_those_of_the_contract() -> None:
    """A request of the contract takes a datum or an input of a model as the clients have it."""
    prompt, params = types.ModelInput.from_ints([1]), types.SamplingParams()
    request = tinsmith_api.models.SampleRequest(prompt, params)  # type: ignore[arg-type]  # converted
    assert dict(request)["prompt"] == prompt
    assert dict(request)["sampling_params"] == params


def test_a_raw_call_takes_mappings_for_values() -> None:
    """And refuses those that do not fit before anything is sent."""
    server = testing.LedgerService()
    with ServiceClient(**server.settings()) as service:
        create: Any = service.raw.create_model
        session = service.raw.create_session(tags=[], user_metadata=None, sdk_version="1").result(WAIT_S)
        asked = {"session_id": session.session_id, "model_seq_id": 0, "base_model": "tinsmith/tiny"}
        with pytest.raises(
            InputError, match=r"field 'lora_config.rank' of CreateModelRequest: must be a whole"
        ):
            create(**asked, lora_config={"rank": "many"})
        made = create(**asked, lora_config={"rank": 4}).resolved().result(WAIT_S)
    assert made.model_id
