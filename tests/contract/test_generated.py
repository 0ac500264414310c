"""The generated package: what it imports, how it reads, and what it lets into a path."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import tinsmith_api
import tinsmith_api.models
from contract_document import example_of, json_body, operations
from contract_validation import for_validation
from hypothesis import given
from hypothesis import strategies as st
from tinsmith_api.conversion import from_json, to_json
from tinsmith_api.models import (
    Checkpoint,
    ImageChunk,
    ModelInput,
    SamplingParams,
    TrainingRun,
    UntypedAPIFuture,
)
from tinsmith_api.operations import OPERATIONS
from tinsmith_api.types import InvalidBody, UnexpectedStatus, path_segment

from tests.contract.kept import kept

PACKAGE = Path(tinsmith_api.__file__).parent


def module_of(name: str) -> Any:
    """Import the module of one operation."""
    return importlib.import_module(f"tinsmith_api.api.{OPERATIONS[name].tag}.{name}")


def test_operations_are_those_of_the_contract(loaded: dict[str, Any]) -> None:
    """The table lists every operation, and every module agrees with it."""
    assert list(OPERATIONS) == [op.id for op in operations(loaded)]
    for op in OPERATIONS.values():
        module = module_of(op.id)
        endpoint = module.ENDPOINT
        assert (op.id, op.method, op.path) == (endpoint.operation, endpoint.method, endpoint.path)
        assert op.request == endpoint.body


def test_every_file_names_its_origin() -> None:
    """The first line of each file names the command that wrote it."""
    for file in PACKAGE.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            assert "codegen.sh" in file.read_text(encoding="utf-8").splitlines()[0], file


def test_models_are_loaded_when_they_are_used() -> None:
    """Importing an operation loads no model, and reading an answer loads the one that it is read as."""
    code = (
        "import sys; from tinsmith_api.api.sessions import create_session as op\n"
        "def told(): print(sorted(m[20:] for m in sys.modules if m.startswith('tinsmith_api.models.')))\n"
        "told(); op.parse(200, {'session_id': 's'}); told()"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines() == ["[]", "['create_session_response']"]


def test_models_are_found_by_name() -> None:
    """The lazy package gives every model it lists, lists them all, and refuses other names."""
    for name in tinsmith_api.models.__all__:
        assert getattr(tinsmith_api.models, name) is not None
    assert set(tinsmith_api.models.__all__) <= set(dir(tinsmith_api.models))
    with pytest.raises(AttributeError, match="Nothing"):
        _ = tinsmith_api.models.Nothing


def test_requests_are_built_as_the_contract_says(loaded: dict[str, Any]) -> None:
    """The example of each request passes through its model and arrives in the arguments of the send."""
    for op in operations(loaded):
        body = json_body(loaded, op.node.get("requestBody", {}))
        if body is None:
            continue
        model = getattr(tinsmith_api.models, OPERATIONS[op.id].request or "")
        example = example_of(loaded, body)
        extra = {"training_run_id": "run:train:0", "checkpoint_kind": "weights", "checkpoint_name": "a"}
        extra["session_id"] = "s"
        path = {key: value for key, value in extra.items() if f"{{{key}}}" in op.path}
        request = module_of(op.id).request(**path, body=from_json(model, example))
        assert kept(json.loads(request.content()), example)
        assert request.method == op.method.upper()
        assert request.target == op.path.format(**path)


def test_tags_are_sent_unasked() -> None:
    """A request's tag goes out although the caller did not name it, as clients since 0.18 do."""
    assert to_json(tinsmith_api.models.EncodedTextChunk(tokens=[1])) == {
        "tokens": [1],
        "type": "encoded_text",
    }
    body = tinsmith_api.models.GetInfoRequest(model_id="m")
    assert module_of("get_info").request(body=body).json() == {"model_id": "m", "type": "get_info"}


def test_union_is_read_by_its_tag() -> None:
    """A chunk is read as what its tag says, and the error of a broken one is its own."""
    image = {"type": "image", "data": "aGk=", "format": "png"}
    read = from_json(ModelInput, {"chunks": [image]})
    assert isinstance(read.chunks[0], ImageChunk)
    assert to_json(read) == {"chunks": [image]}
    with pytest.raises(InvalidBody, match=r"'chunks\[0\]\.format' is missing"):
        from_json(ModelInput, {"chunks": [{"type": "image", "data": "aGk="}]})
    with pytest.raises(InvalidBody, match="video"):
        from_json(ModelInput, {"chunks": [{"type": "video"}]})


def test_null_and_wrong_model_differ() -> None:
    """A nullable model is None where it is null or missing, else strictly itself: never a raw object."""
    run = {
        "training_run_id": "r",
        "base_model": "b",
        "model_owner": "o",
        "is_lora": True,
        "last_request_time": "2026-11-22T06:55:44.156658",
    }
    checkpoint = {
        "checkpoint_id": "weights/a",
        "checkpoint_type": "training",
        "time": "2026-11-22T06:55:44Z",
        "tinker_path": "tinker://r/weights/a",
    }
    assert from_json(TrainingRun, run).last_checkpoint is None
    assert from_json(TrainingRun, {**run, "last_checkpoint": None}).last_checkpoint is None
    assert isinstance(
        from_json(TrainingRun, {**run, "last_checkpoint": checkpoint}).last_checkpoint, Checkpoint
    )
    with pytest.raises(InvalidBody, match=r"last_checkpoint\.tinker_path"):
        from_json(
            TrainingRun,
            {**run, "last_checkpoint": {"checkpoint_id": "weights/a", "checkpoint_type": "x", "time": None}},
        )


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"request_id": "r", "model_id": "m", "sample_sequence_ids": ["a"]}, ("r", "m", ["a"], None)),
        ({"request_id": "r", "model_id": None, "sample_sequence_ids": None}, ("r", None, None, None)),
        ({"request_id": "r"}, ("r", None, None, None)),
        ({"request_id": "r", "model_id": "m", "new": 1}, ("r", "m", None, {"new": 1})),
        (
            {"request_id": "r", "model_id": "m", "sample_sequence_ids": [], "new": 1},
            ("r", "m", [], {"new": 1}),
        ),
        ({"request_id": "r", "model_id": 1, "sample_sequence_ids": []}, "model_id"),
        ({"request_id": "r", "model_id": "m", "sample_sequence_ids": [1]}, r"sample_sequence_ids\[0\]"),
        ({"request_id": None, "model_id": "m", "sample_sequence_ids": []}, "request_id"),
        ({"model_id": "m", "sample_sequence_ids": [], "new": 1}, "request_id"),
    ],
)
@pytest.mark.parametrize("kind", [dict, MappingProxyType])
def test_small_answers_are_read_alike(kind: Any, data: dict[str, Any], fields: Any) -> None:
    """Whether an object has all fields and no other, which is read at once, or more, fewer and wrong ones."""
    if isinstance(fields, str):
        with pytest.raises(InvalidBody, match=fields):
            from_json(UntypedAPIFuture, kind(data))
    else:
        made = from_json(UntypedAPIFuture, kind(data))
        assert (made.request_id, made.model_id, made.sample_sequence_ids, made.extra) == fields


@pytest.mark.parametrize("stop", ["\n", ["a", "b"], [1, 2], [], None])
def test_stop_passes_through(stop: Any) -> None:
    """The scalar union is not tried."""
    assert from_json(SamplingParams, {"stop": stop}).stop == stop


def test_big_arrays_pass_through() -> None:
    """A big array is handed on as the very list that was read."""
    numbers: list[Any] = [None, 0.5, -1.0]
    body = {"sequences": [], "prompt_logprobs": numbers}
    assert module_of("retrieve_future").parse(200, body)["prompt_logprobs"] is numbers
    assert from_json(tinsmith_api.models.SampleResponse, body).prompt_logprobs is numbers


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_success_is_read(status: int) -> None:
    """Servers answer 200, 201 and 202 for the same thing, and unknown values and fields do no harm."""
    parsed = module_of("create_session").parse(status, {"session_id": "s", "type": "new", "more": [1]})
    assert (parsed.session_id, parsed.type, parsed.extra) == ("s", "new", {"more": [1]})


@pytest.mark.parametrize("status", [100, 302, 404, 408, 429, 500, 520])
def test_errors_are_not_answers(status: int) -> None:
    """No error status becomes a value or None: the transport must have judged it before."""
    with pytest.raises(UnexpectedStatus, match=str(status)):
        module_of("create_session").parse(status, {"session_id": "s"})
    if status != 302:
        with pytest.raises(UnexpectedStatus, match="archive"):
            module_of("get_checkpoint_archive_url").parse(status)


@pytest.mark.parametrize("body", [None, [], "text", 7, {"type": "create_session"}, {"session_id": "s"}])
def test_misshapen_body_is_one_error(body: Any) -> None:
    """A body that does not fit is one kind of error, which names the operation; a good one is none."""
    if body == {"session_id": "s"}:
        assert module_of("create_session").parse(200, body).session_id == "s"
        return
    with pytest.raises(InvalidBody, match="create_session"):
        module_of("create_session").parse(200, body)


def test_missing_field_is_named() -> None:
    """The error of a missing field says which."""
    with pytest.raises(InvalidBody, match="'request_id' is missing"):
        module_of("forward").parse(200, {})


def test_colons_stay_in_paths() -> None:
    """Run ids hold colons, and servers expect them as they are."""
    url = module_of("publish_checkpoint").request("s:train:0", "weights", "step-1").target
    assert url == "/api/v1/training_runs/s:train:0/checkpoints/weights/step-1/publish"


@pytest.mark.parametrize(
    "value", ["", ".", "..", "a/b", "../x", "a\\b", "a\r\nX: 1", "a\x00", "\u2028", "a\tb"]
)
def test_path_cannot_be_bent(value: str) -> None:
    """What could lead to another path or into a header is refused, with the parameter's name."""
    with pytest.raises(ValueError, match="sampler_id"):
        module_of("get_sampler").request(value)


@given(st.text())
def test_path_segment_is_one_segment(text: str) -> None:
    """Whatever is let through is one segment: nothing in it ends the path or begins a query."""
    try:
        segment = path_segment("id", text)
    except ValueError:
        return
    assert segment not in ("", ".", "..")
    assert not set(segment) & set("/\\?# \r\n\t")
    assert segment.isascii()


def test_query_leaves_out_what_is_not_given() -> None:
    """Only given parameters are sent."""
    module = module_of("list_training_runs")
    assert module.request().query == {}
    assert module.request(limit=5, offset=0).target == "/api/v1/training_runs?limit=5&offset=0"


def test_shipped_contract_is_ready_to_validate(loaded: dict[str, Any]) -> None:
    """The JSON in the package is the contract with its extensions spelled out."""
    shipped = json.loads((PACKAGE / "contract.json").read_text(encoding="utf-8"))
    assert shipped.pop("x-generated")
    assert shipped == for_validation(loaded)
    assert (PACKAGE / "py.typed").exists()
