"""Holds recorded traffic against the contract; protobuf is held against it as the JSON that it stands for."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from contract_captures import Contract, Exchange, exchanges
from contract_document import CONTRACT, load
from tinsmith.core.codec import (
    ProtobufPayload,
    decode_forward_backward,
    decode_sample,
    decode_training_request,
    decompress,
    to_wire,
)
from tinsmith.core.values import ForwardRequest

LIMIT_BYTES = 1 << 20
CAPTURES = Path(__file__).parent / "captures"


def problems(folder: Path = CAPTURES) -> Iterator[str]:
    """Say what does not fit, naming the capture and the exchange."""
    contract = Contract(load(CONTRACT))
    for exchange in exchanges(folder):
        for problem in contract.problems(as_json(exchange)):
            yield f"{exchange.source}, {exchange.name}: {problem}"


def as_json(exchange: Exchange) -> Exchange:
    """Return an exchange whose bodies are what JSON would have said."""
    path, request, answer = exchange.path, exchange.request, exchange.answer
    if isinstance(request, dict) and "protobuf" in request:
        body = base64.b64decode(request["protobuf"])
        if exchange.request_headers.get("content-encoding") == "zstd":
            body = decompress(body, LIMIT_BYTES)
        found = decode_training_request(body)
        path = path.replace("forward_backward", "forward") if isinstance(found, ForwardRequest) else path
        request = _plain(to_wire(found))
    if isinstance(answer, dict) and "protobuf" in answer:
        payload = ProtobufPayload(base64.b64decode(answer["protobuf"]))
        is_sample = exchange.request_headers.get("x-tinker-request-type") == "Sample"
        answer = _plain(to_wire(decode_sample(payload) if is_sample else decode_forward_backward(payload)))
    return exchange._replace(path=path, request=request, answer=answer)


def _plain(value: Any) -> Any:
    """Turn arrays into lists."""
    return json.loads(json.dumps(value, default=_list))


def _list(value: Any) -> Any:
    assert isinstance(value, np.ndarray | np.generic)
    return value.tolist()
