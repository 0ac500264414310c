"""The requests of a walk: a model of rank 1, a batch of one datum, a short sample, one event.

They hold what every server of this API takes, and no more: some refuse fields that they do not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tinsmith.core import __version__

if TYPE_CHECKING:
    from tinsmith.contract.document import Json
    from tinsmith.core.codec.wire import Encoding

TOKENS = (5, 6, 7, 8)
"""The text that is trained and sampled: numbers that every vocabulary has."""
OTHER_TOKENS = (5, 6, 7, 9)
"""Another text of the same length."""

ENCODINGS: tuple[Encoding, ...] = ("json", "protobuf")
"""The forms of a batch, in the order in which they are tried."""

Batch = Literal["forward", "forward_backward"]
"""Operations that carry data."""
BATCHES: tuple[Batch, ...] = ("forward", "forward_backward")


def session() -> dict[str, Json]:
    """Return the body that opens a session."""
    return {
        "tags": ["contract-check"],
        "user_metadata": {},
        "sdk_version": __version__,
        "type": "create_session",
    }


def telemetry(session_id: str) -> dict[str, Json]:
    """Return one event."""
    event = {
        "event": "GENERIC_EVENT",
        "event_id": "bd03b636-2bbf-41a9-97d5-5e1581b14e1d",
        "event_session_index": 0,
        "severity": "INFO",
        "timestamp": "2026-11-22T06:55:44.088675Z",
        "event_name": "contract.check",
        "event_data": {},
    }
    return {
        "events": [event],
        "platform": "Linux",
        "sdk_version": __version__,
        "session_id": session_id,
        "process_uuid": event["event_id"],
    }


def model(session_id: str | None, number: int, base_model: str | None) -> dict[str, Json]:
    """Return the body that makes a model."""
    lora = {"rank": 1, "seed": 7, "train_mlp": True, "train_attn": True, "train_unembed": True}
    return {
        "session_id": session_id,
        "model_seq_id": number,
        "base_model": base_model,
        "user_metadata": {},
        "lora_config": lora,
        "type": "create_model",
    }


def batch(operation: Batch, model_id: str, number: int, tokens: tuple[int, ...] = TOKENS) -> dict[str, Json]:
    """Return a batch as JSON."""
    length = len(tokens) - 1
    datum = {
        "model_input": {"chunks": [{"type": "encoded_text", "tokens": list(tokens[:-1])}]},
        "loss_fn_inputs": {
            "target_tokens": {"data": list(tokens[1:]), "dtype": "int64", "shape": [length]},
            "weights": {"data": [1.0] * length, "dtype": "float32", "shape": [length]},
        },
    }
    return {
        f"{operation}_input": {"data": [datum], "loss_fn": "cross_entropy"},
        "model_id": model_id,
        "seq_id": number,
    }


def protobuf_batch(operation: Batch, model_id: str, number: int, tokens: tuple[int, ...] = TOKENS) -> bytes:
    """Return a batch as protobuf; both operations have one route there, and the body says which it is."""
    from tinsmith.core.codec import encode_forward_backward
    from tinsmith.core.values import Datum, ModelInput, TensorData

    length = len(tokens) - 1
    datum = Datum(
        model_input=ModelInput.from_ints(list(tokens[:-1])),
        loss_fn_inputs={
            "target_tokens": TensorData(data=list(tokens[1:]), dtype="int64", shape=[length]),
            "weights": TensorData(data=[1.0] * length, dtype="float32", shape=[length]),
        },
    )
    pieces = encode_forward_backward(
        operation, [datum], "cross_entropy", None, model_id, number, encoding="protobuf"
    )
    return b"".join(pieces)


def sample(
    sampler: str | None, number: int, tokens: tuple[int, ...] = TOKENS, *, most: int = 4
) -> dict[str, Json]:
    """Return a sample of at most `most` tokens."""
    return {
        "sampling_session_id": sampler,
        "seq_id": number,
        "num_samples": 1,
        "prompt": {"chunks": [{"type": "encoded_text", "tokens": list(tokens)}]},
        "sampling_params": {"max_tokens": most, "seed": 5, "temperature": 1.0, "stop": []},
        "prompt_logprobs": True,
        "type": "sample",
    }
