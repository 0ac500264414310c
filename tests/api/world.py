"""A served service with one of each kind of thing in it, and the arguments of every operation about them."""

from __future__ import annotations

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import tinsmith_api
from contract_document import Operation, example_of, json_body, resolve
from tinsmith_api import AuthenticatedClient, models
from tinsmith_api.api.models import create_model
from tinsmith_api.api.sampling import create_sampling_session
from tinsmith_api.api.sessions import create_session
from tinsmith_api.api.weights import save_weights
from tinsmith_api.conversion import from_json
from tinsmith_api.operations import OPERATIONS
from tinsmith_local.options import ServeOptions
from tinsmith_local.serve import serving

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

BASE_MODEL: Final = "tinsmith/tiny"
FORMS: Final = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")


@contextmanager
def served(directory: Path) -> Iterator[AuthenticatedClient]:
    """Serve on a real loopback socket, and open a client there."""
    with (
        serving(ServeOptions(data_dir=directory)) as (address, _),
        AuthenticatedClient(address.base_url, address.token) as client,
    ):
        yield client


def module_of(operation: str) -> ModuleType:
    """Import the module of one operation."""
    return importlib.import_module(f"tinsmith_api.api.{OPERATIONS[operation].tag}.{operation}")


def things(client: AuthenticatedClient) -> dict[str, Any]:
    """Make a session, a model, a checkpoint and a sampler; return their ids by the names of fields."""
    session = create_session.sync(
        client=client,
        body=models.CreateSessionRequest(tags=[], user_metadata=None, sdk_version="0.38.0"),
    ).session_id
    config = models.LoraConfig(rank=4, seed=1)
    promise = create_model.sync(
        client=client,
        body=models.CreateModelRequest(
            session_id=session, model_seq_id=0, base_model=BASE_MODEL, lora_config=config
        ),
    )
    model = tinsmith_api.wait(client, promise, models.CreateModelResponse, timeout_s=WAIT_S).model_id
    promise = save_weights.sync(
        client=client, body=models.SaveWeightsRequest(model_id=model, seq_id=1, path="a")
    )
    path = tinsmith_api.wait(client, promise, models.SaveWeightsResponse, timeout_s=WAIT_S).path
    sampler = create_sampling_session.sync(
        client=client,
        body=models.CreateSamplingSessionRequest(
            session_id=session, sampling_session_seq_id=0, base_model=BASE_MODEL
        ),
    ).sampling_session_id
    return {
        "session_id": session,
        "model_id": model,
        "training_run_id": model,
        "sampler_id": sampler,
        "sampling_session_id": sampler,
        "request_id": promise.request_id,
        "base_model": BASE_MODEL,
        "model_path": path,
        "tinker_path": path,
        "source_path": path,
        "checkpoint_kind": "weights",
        "checkpoint_name": "a",
        "model_seq_id": 1,
        "sampling_session_seq_id": 1,
        "seq_id": 2,
        "timeout": 0,
    }


def arguments(document: Any, op: Operation, there: dict[str, Any]) -> dict[str, Any]:
    """Make the arguments of an operation from the contract's examples, about what is `there`."""
    given: dict[str, Any] = {}
    for each in [*op.shared_parameters, *op.node.get("parameters", [])]:
        parameter = resolve(document, each)
        if parameter["in"] in ("path", "query") and parameter.get("required"):
            name = parameter["name"]
            given[name] = there.get(name, example_of(document, parameter["schema"]))
    schema = json_body(document, op.node.get("requestBody", {}))
    if schema is not None:
        kind = getattr(models, OPERATIONS[op.id].request or "")
        there = {**there, **fitting(there).get(op.id, {})}
        given["body"] = from_json(kind, about(there, example_of(document, schema)))
    return given


def fitting(there: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the fields whose examples do not fit this service, such as tokens beyond its vocabulary."""
    datum = {
        "model_input": {"chunks": [{"type": "encoded_text", "tokens": [1, 2]}]},
        "loss_fn_inputs": {
            "target_tokens": {"data": [2, 3], "dtype": "int64"},
            "weights": {"data": [1.0, 1.0], "dtype": "float32"},
        },
    }
    batch = {"data": [datum], "loss_fn": "cross_entropy"}
    return {
        "search_sessions": {"cursor": None},
        "forward": {"forward_input": batch},
        "forward_backward": {"forward_backward_input": batch},
        "load_weights": {"path": there["model_path"]},
        "save_weights_for_sampler": {"sampling_session_seq_id": None},
        "asample": {"tokens": [1, 2]},
        "stream_sample": {"tokens": [1, 2]},
    }


def about(there: dict[str, Any], example: Any) -> Any:
    """Have an example speak of what is there."""
    if isinstance(example, dict):
        return {
            key: there[key] if key in there and value is not None else about(there, value)
            for key, value in example.items()
        }
    return [about(there, each) for each in example] if isinstance(example, list) else example
