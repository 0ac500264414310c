"""The requests of a check: the smallest that the contract takes, and the few of a walk that have a content.

The smallest are put together from the document, without knowledge of an operation. Those of a walk (a model
of rank 1, a batch of one datum, a short sample, one event) hold what every server of this API takes, and no
more: some servers refuse fields that they do not know.
"""

from __future__ import annotations

import secrets
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinsmith.contract.document import Contract, Json, Operation
    from tinsmith.core.codec.wire import Encoding

TOKENS = (5, 6, 7, 8)
"""The text that is trained and sampled: numbers that every vocabulary has."""
OTHER_TOKENS = (5, 6, 7, 9)
"""Another text of the same length."""

ENCODINGS: tuple[Encoding, ...] = ("json", "protobuf")
"""The encodings of a batch, in the order in which they are tried."""

Batch = Literal["forward", "forward_backward"]
"""Operations that carry data."""
BATCHES: tuple[Batch, ...] = ("forward", "forward_backward")

_BY_TYPE = {"string": "x", "integer": 1, "number": 1.0, "boolean": False, "array": [], "null": None}


def smallest_body(
    contract: Contract,
    op: Operation,
    values: Mapping[str, Json],
    given: Mapping[str, Json] = MappingProxyType({}),
) -> Json:
    """Return the smallest body of an operation.

    `values` are what fields of these names get. `given` are fields that it has in any case: of groups of
    fields that exclude each other it takes the one that they belong to, else the first.
    """
    return _smallest(contract, contract.request_schema(op), values, given)


def parameters_of(
    contract: Contract, op: Operation, values: Mapping[str, Json], place: str
) -> dict[str, Json]:
    """Return the parameters that an operation requires in its `path` or its `query`."""
    return {
        each["name"]: values.get(each["name"], _smallest(contract, each["schema"], values))
        for each in contract.parameters(op)
        if each["in"] == place and each.get("required")
    }


def _smallest(
    contract: Contract,
    schema: Json,
    values: Mapping[str, Json],
    given: Mapping[str, Json] = MappingProxyType({}),
) -> Json:
    """Return the smallest value of a schema, filled from its defaults, examples and types."""
    schema = contract.resolve(schema)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "properties" in schema:
        properties = schema["properties"]
        smallest = {
            name: values[name] if name in values else _smallest(contract, properties[name], values)
            for name in _needed(schema, given)
        }
        return {**smallest, **given}
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    for key in ("oneOf", "anyOf"):
        if schema.get(key):
            return _smallest(contract, schema[key][0], values)
    if "then" in schema:  # a reference or null, as validators see it
        return _smallest(contract, schema["then"], values)
    kind = schema.get("type", "object")
    return {} if "object" in kind else _BY_TYPE[kind if isinstance(kind, str) else kind[0]]


def _needed(schema: Json, given: Mapping[str, Json]) -> list[str]:
    """Return the fields that are required, and one group of those that exclude each other."""
    groups = [one["required"] for one in schema.get("oneOf", ()) if "required" in one]
    group = max(groups, key=lambda names: len(given.keys() & names), default=())
    wanted = {*schema.get("required", ()), *group}
    return [name for name in schema["properties"] if name in wanted]


def unknown_ids() -> dict[str, str]:
    """Return an id of each kind that does not exist, with colons where such ids have colons."""
    name = f"x-contract-check-{secrets.token_hex(6)}"
    run, sampler, path = f"{name}:train:0", f"{name}:sample:0", f"tinker://{name}:train:0/weights/{name}"
    return {
        **dict.fromkeys(("session_id", "request_id", "checkpoint_name", "base_model"), name),
        **dict.fromkeys(("model_id", "training_run_id"), run),
        **dict.fromkeys(("sampler_id", "sampling_session_id"), sampler),
        **dict.fromkeys(("tinker_path", "source_path", "model_path"), path),
        "checkpoint_kind": "weights",
    }


SESSION: Mapping[str, Json] = {"tags": ["contract-check"], "user_metadata": {}}
"""Fields of the request that opens a session."""

MODEL: Mapping[str, Json] = {
    "user_metadata": {},
    "lora_config": {"rank": 1, "seed": 7, "train_mlp": True, "train_attn": True, "train_unembed": True},
}
"""Fields of a request that makes a model."""

_EVENT: Mapping[str, Json] = {
    "event": "GENERIC_EVENT",
    "event_id": "bd03b636-2bbf-41a9-97d5-5e1581b14e1d",
    "event_session_index": 0,
    "severity": "INFO",
    "timestamp": "2026-11-22T06:55:44.088675Z",
    "event_name": "contract.check",
    "event_data": {},
}
TELEMETRY: Mapping[str, Json] = {"events": [_EVENT], "process_uuid": _EVENT["event_id"]}
"""Fields of a request that reports one event."""


def batch(
    operation: Batch, encoding: Encoding, model_id: str, number: int, tokens: tuple[int, ...] = TOKENS
) -> Json:
    """Return a batch of one datum; bytes are protobuf, for which both operations have one route."""
    from tinsmith.core.codec.encode import encode_forward_backward
    from tinsmith.core.values import Datum, ModelInput, TensorData

    datum = Datum(
        model_input=ModelInput.from_ints(list(tokens[:-1])),
        loss_fn_inputs={
            "target_tokens": TensorData(list(tokens[1:]), "int64"),
            "weights": TensorData([1.0] * len(tokens[1:]), "float32"),
        },
    )
    pieces = encode_forward_backward(
        operation, [datum], "cross_entropy", None, model_id, number, encoding=encoding
    )
    body = b"".join(pieces)
    return body if encoding == "protobuf" else orjson.loads(body)


STREAM: Mapping[str, Json] = {
    "prompt": {"chunks": [{"type": "encoded_text", "tokens": list(TOKENS)}]},
    "sampling_params": {"max_tokens": 4, "seed": 5, "stop": []},
}
"""Fields of a request for one sample that is streamed."""


def sample(number: int, tokens: tuple[int, ...] = TOKENS, *, most: int = 4) -> dict[str, Json]:
    """Return fields of a request for one sample of at most `most` tokens."""
    return {
        "seq_id": number,
        "num_samples": 1,
        "prompt": {"chunks": [{"type": "encoded_text", "tokens": list(tokens)}]},
        "sampling_params": {"max_tokens": most, "seed": 5, "temperature": 1.0, "stop": []},
        "prompt_logprobs": True,
    }
