"""Values do what the official ones do where programs touch them: dumps, copies, checks, fields, pydantic."""

from __future__ import annotations

import dataclasses
import inspect
import json
import pprint
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import attrs
import numpy as np
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from tinsmith import InputError, types
from tinsmith.core import values
from tinsmith_api.model import Value
from tinsmith_api.models import CreateModelRequest

from tests.core.made_values import classes
from tests.core.test_ownership import parts_of

PNG = b"\x89PNG\r\n\x1a\n"
SEEN = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
CHECKPOINT = types.Checkpoint("weights/a", "training", SEEN, "tinker://r/weights/a")


def test_a_value_is_dumped_as_the_official_one() -> None:
    """Names, order and forms were compared with those of tinker 0.38.0."""
    assert types.AdamParams().model_dump() == {
        "learning_rate": 1e-4,
        "beta1": 0.9,
        "beta2": 0.95,
        "eps": 1e-12,
        "weight_decay": 0.0,
        "grad_clip_norm": 0.0,
    }
    assert list(types.AdamParams()) == list(types.AdamParams().model_dump().items())
    prompt = types.ModelInput.from_ints([1, 2])
    assert prompt.model_dump() == {"chunks": [{"tokens": [1, 2], "type": "encoded_text"}]}
    assert list(prompt) == [("chunks", prompt.chunks)]
    picture = types.ImageChunk(PNG, "png").model_dump(exclude={"override_dimensions"})
    assert picture == {"data": "iVBORw0KGgo=", "format": "png", "expected_tokens": None, "type": "image"}
    assert CHECKPOINT.model_dump()["time"] == SEEN
    assert CHECKPOINT.model_dump(mode="json")["time"] == "2024-01-02T03:04:05Z"
    assert types.SamplingParams(max_tokens=3).model_dump_json(exclude_none=True, exclude={"temperature"}) == (
        '{"max_tokens":3,"top_k":-1,"top_p":1}'
    )
    indented = types.SamplingParams(max_tokens=3).model_dump_json(indent=3, include=["max_tokens"])
    assert indented == '{\n   "max_tokens": 3\n}'


def test_what_is_left_out_is_left_out_at_every_depth() -> None:
    """None and defaults, also of the values in a value."""
    answer = values.GetInfoResponse(values.ModelData(arch="a"), "m")
    assert answer.model_dump(exclude_none=True) == {
        "model_data": {"arch": "a"},
        "model_id": "m",
        "type": "get_info",
    }
    assert answer.model_dump(exclude_defaults=True) == {"model_data": {"arch": "a"}, "model_id": "m"}
    assert values.SessionSearchRequest().model_dump(exclude_defaults=True) == {}
    with pytest.raises(InputError, match="sets of names"):
        answer.model_dump(include={"model_data": True})


def test_everything_in_a_value_becomes_plain() -> None:
    """Arrays, tuples, enums and what a newer server says."""
    drawn = types.SampledSequence("stop", [1], [-0.5], [[(1, -0.5)]])
    assert drawn.model_dump()["topk_sampled_logprobs"] == [[(1, -0.5)]]
    assert json.loads(drawn.model_dump_json())["topk_sampled_logprobs"] == [[[1, -0.5]]]
    failed = values.RequestFailedResponse("no", extra={"new": 1})
    assert failed.model_dump(mode="json") == {"error": "no", "category": "unknown"}
    assert values.UnknownChunk({"type": "new", "a": [1]}).model_dump() == {"type": "new", "a": [1]}
    datum = types.Datum({"weights": np.ones(1)}, types.ModelInput.empty())
    assert datum.model_dump(exclude_none=True)["loss_fn_inputs"] == {
        "weights": {"data": [1.0], "dtype": "float32", "shape": [1]}
    }
    assert types.OptimStepResponse({"nan": float("nan")}).model_dump_json() == '{"metrics":{"nan":null}}'


def test_a_copy_has_changed_fields() -> None:
    """They are checked, and named when they are wrong."""
    params = types.SamplingParams(max_tokens=4, stop=["a"])
    assert params.model_copy(update={"seed": 3}) == types.SamplingParams(max_tokens=4, seed=3, stop=["a"])
    assert params.model_copy(deep=True) == params
    with pytest.raises(InputError, match="no field of SamplingParams; it has max_tokens") as caught:
        params.model_copy(update={"sed": 3})
    assert caught.value.field == "sed"
    with pytest.raises(InputError):
        params.model_copy(update={"seed": "x"})
    tensor = types.TensorData([1, 2], "int64", [2])
    assert attrs.evolve(tensor, data=[3, 4]) == types.TensorData([3, 4], "int64", [2])


SAVED = {
    "checkpoint_id": "a",
    "checkpoint_type": "training",
    "time": "2024-01-02T03:04:05",
    "tinker_path": "p",
}
"""The fields of a checkpoint that must be given."""


def test_mappings_become_values() -> None:
    """Nested ones too; what a value is open to is kept, and everything else is refused by name."""
    assert types.SamplingParams.model_validate({"max_tokens": "4"}) == types.SamplingParams(max_tokens=4)
    assert types.SamplingParams.model_validate_json('{"stop": [1]}') == types.SamplingParams(stop=[1])
    params = types.AdamParams()
    assert types.AdamParams.model_validate(params) is params
    chunks = [{"tokens": [1]}, {"type": "new", "a": 1}, {"location": "x", "format": "png"}]
    prompt = types.ModelInput.model_validate({"chunks": chunks})
    assert [chunk.type for chunk in prompt.chunks] == ["encoded_text", "new", "image_asset_pointer"]
    seen = types.Checkpoint.model_validate({**SAVED, "new": 1})
    assert (seen.time, seen.extra) == (SEEN, {"new": 1})
    inputs = {"weights": [1.0], "mine": {"data": [1], "dtype": "int64"}}
    datum = types.Datum.model_validate({"loss_fn_inputs": inputs, "model_input": prompt})
    assert datum.loss_fn_inputs["mine"] == types.TensorData([1], "int64")
    tokens = np.arange(2)
    assert list(types.EncodedTextChunk.model_validate({"tokens": tokens}).tokens) == [0, 1]
    failed = values.RequestFailedResponse.model_validate({"error": "e", "category": "user"})
    assert failed.category is types.RequestErrorCategory.User


REFUSED: list[tuple[Any, Any, str | None, str]] = [
    (types.AdamParams, {"foo": 1}, "foo", "no field of AdamParams"),
    (types.AdamParams, 3, None, "must be a AdamParams or a mapping of its fields, not 3"),
    (types.AdamParams, {"beta1": "x"}, "beta1", "must be a finite number, not 'x'"),
    (types.LoraConfig, {}, "rank", "is missing; LoraConfig needs it"),
    (types.LoraConfig, {"rank": 1, "train_mlp": "no"}, "train_mlp", "true or false"),
    (types.ImageChunk, {"data": "", "format": "gif"}, "format", "unknown image format 'gif'"),
    (types.Checkpoint, {**SAVED, "checkpoint_id": 1}, "checkpoint_id", "must be text, not 1"),
    (types.ModelInput, {"chunks": {}}, "chunks", "must be a list"),
    (types.ModelInput, {"chunks": [{"tokens": "a"}]}, "chunks[0].tokens", "not a str; pass what"),
    (types.ModelInput, {"chunks": [3]}, "chunks[0]", "mapping of its fields, not 3"),
    (types.Datum, {"loss_fn_inputs": [], "model_input": {"chunks": []}}, "loss_fn_inputs", "a mapping"),
    (values.SessionSearchRequest, {"owner": {"type": "new"}}, "owner", "unknown type, 'new'"),
    (types.DmelChunk, {"dmel": 5}, "dmel", "must be bytes or base64 text, not int"),
    (types.UnknownChunk, {"a": 5}, "type", "has a tag"),
    (values.CopyWeightsResponse, [("tinker_path", "a")], None, "must be a CopyWeightsResponse"),
    (values.CheckpointArchiveUrlResponse, {"url": "u", "expires": "soon"}, "expires", "ISO 8601"),
]


@pytest.mark.parametrize(("cls", "fields", "field", "words"), REFUSED)
def test_a_mapping_that_is_no_value_is_refused_by_name(
    cls: Any, fields: Any, field: str | None, words: str
) -> None:
    """The path of the field, and what it takes."""
    with pytest.raises(InputError) as caught:
        cls.model_validate(fields)
    assert caught.value.field == field
    assert words in str(caught.value)


def test_broken_json_is_refused() -> None:
    """As input, not as an answer of a server."""
    with pytest.raises(InputError, match="no JSON of a AdamParams"):
        types.AdamParams.model_validate_json("{")


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_every_value_comes_back_from_its_dump(cls: Any) -> None:
    """From plain Python and from JSON, and through pydantic, each with its schema."""
    value = cls(**{name: part for name, part in parts_of(cls).items() if name != "extra"})
    assert cls.model_validate(value.model_dump()) == value
    assert cls.model_validate_json(value.model_dump_json()) == value
    adapter = TypeAdapter(cls)
    assert adapter.validate_python(value) is value
    assert adapter.validate_json(adapter.dump_json(value)) == value
    assert adapter.dump_python(value, exclude_none=True) == value.model_dump(exclude_none=True)
    for mode in ("validation", "serialization"):
        assert adapter.json_schema(mode=mode)["title"] == cls.__name__
    if cls is not types.TensorData:
        assert [name for name, _ in value] == list(value.model_dump())


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.__name__)
def test_every_value_is_taken_for_a_dataclass(cls: Any) -> None:
    """Programs replace fields of datums and spans with what the standard library has for it."""
    value: Any = cls(**{name: part for name, part in parts_of(cls).items() if name != "extra"})
    kind: object = cls
    assert dataclasses.is_dataclass(kind)
    assert dataclasses.replace(value) == value
    names = [field.name for field in dataclasses.fields(value)]
    assert names == [name for name in inspect.signature(cls).parameters if name != "extra"]
    assert all(name in dataclasses.asdict(value) for name in names)
    assert pprint.pformat(value, width=1)


def test_replacing_a_field_checks_and_converts_it() -> None:
    """As in the constructor."""
    datum = types.Datum({"weights": [1.0]}, types.ModelInput.empty())
    replaced: Any = dataclasses.replace(datum, loss_fn_inputs={"weights": [2.0]})  # type: ignore[type-var]
    assert replaced.loss_fn_inputs["weights"] == types.TensorData([2.0], "float32", [1])
    assert not hasattr(Value, "__dataclass_fields__")


def test_a_tensor_is_not_iterated() -> None:
    """Pairs of names and fields would be taken for its numbers."""
    with pytest.raises(TypeError, match="not iterable"):
        list(types.TensorData([1], "int64"))  # type: ignore[call-overload]


def test_values_are_fields_of_pydantic_models() -> None:
    """They are read from mappings, checked, written, and wrong ones are errors of the model."""

    class Job(BaseModel):
        sampling: types.SamplingParams
        piece: types.ModelInputChunk

    job = Job.model_validate({"sampling": {"max_tokens": "4"}, "piece": {"tokens": [1]}})
    assert job.sampling == types.SamplingParams(max_tokens=4)
    assert Job.model_validate_json(job.model_dump_json()) == job
    assert job.model_dump(exclude_none=True)["sampling"] == {
        "max_tokens": 4,
        "temperature": 1,
        "top_k": -1,
        "top_p": 1,
    }
    assert Job.model_json_schema()["properties"]["sampling"]["properties"]["seed"]["anyOf"]
    with pytest.raises(ValidationError, match="max_tokens"):
        Job.model_validate({"sampling": {"max_tokens": "x"}, "piece": {"tokens": [1]}})


def test_schemas_of_pydantic_say_what_a_value_and_its_fields_are() -> None:
    """In the words of the contract, also where these take two lines."""
    schema = TypeAdapter(CreateModelRequest).json_schema()
    assert schema["description"] == "Create a model to train: a base model with a fresh adapter."
    said = schema["properties"]["user_metadata"]["description"]
    assert said.startswith("Labels that the user attaches to the training run,")
    assert said.endswith("Absent or null means none.")
    assert all("description" in part for part in schema["properties"].values())
    chunk = TypeAdapter(types.ModelInput).json_schema()["properties"]["chunks"]["items"]["anyOf"][0]
    assert chunk["description"] == "Token ids of a stretch of text."


def test_pydantic_is_not_loaded_by_any_of_it() -> None:
    """Nor by the methods that have its names."""
    program = (
        "import sys; from tinsmith import types;"
        "types.AdamParams.model_validate({}).model_copy().model_dump_json();"
        "sys.exit(any(name.startswith('pydantic') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


CONVERTED: list[tuple[Any, str, Any, Any]] = [
    (types.AdamParams, "learning_rate", "1e-5", 1e-5),
    (types.AdamParams, "learning_rate", " 1 ", 1),
    (types.SamplingParams, "max_tokens", 16.0, 16),
    (types.SamplingParams, "max_tokens", "16", 16),
    (types.SamplingParams, "max_tokens", "16.0", 16),
    (types.SamplingParams, "max_tokens", "1e3", 1000),
    (types.SamplingParams, "seed", np.float32(3), 3),
    (types.SamplingParams, "temperature", "0.7", 0.7),
    (types.LoraConfig, "rank", "8", 8),
    (types.CurrentCheckpointStorageUsageItem, "size_gigabytes", "0.5", 0.5),
    (types.ImageAssetPointerChunk, "expected_tokens", 4.0, 4),
]


@pytest.mark.parametrize(("cls", "field", "given", "kept"), CONVERTED)
def test_numbers_may_be_given_as_text_and_as_whole_floats(
    cls: Any, field: str, given: Any, kept: Any
) -> None:
    """Readers of configurations return them so: YAML's `1e-5` is text."""
    needed = {name: part for name, part in parts_of(cls).items() if name in _needed(cls)}
    found = getattr(cls(**{**needed, field: given}), field)
    assert found == kept
    assert type(found) is type(kept)


def _needed(cls: Any) -> set[str]:
    return {str(field.alias) for field in attrs.fields(cls) if field.default is attrs.NOTHING}


NUMERIC = [
    (cls, str(field.alias))
    for cls in classes()
    for field in attrs.fields(cls)
    if str(field.type) in {"int", "float", "int | None", "float | None"}
]


@pytest.mark.parametrize(("cls", "field"), NUMERIC)
def test_what_is_no_number_is_refused_in_every_numeric_field(cls: Any, field: str) -> None:
    """The error names the field."""
    parts = parts_of(cls)
    for wrong in ("abc", "", "nan", "inf", True, float("nan"), float("inf"), "1e999", [1]):
        with pytest.raises(InputError) as caught:
            cls(**{**parts, field: wrong})
        assert caught.value.field == field
