"""Writes what the official client sends and reads. Runs in its environment, on its own compiled messages.

Usage: make_official.py DIRECTORY. Writes `official-*.bin`, bytes of each case as the official client makes
them, and `official.json`, what it reads in those and in `ours-*.bin`, which `ours` makes of the same cases.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tinker
from cases import OUTPUTS, REQUESTS, SAMPLES  # type: ignore[import-not-found]  # beside this script
from tinker import types
from tinker.proto import request_conv, response_conv
from tinker.proto import tinker_public_pb2 as wire
from tinker.types.forward_backward_input import ForwardBackwardInput
from tinker.types.forward_backward_request import ForwardBackwardRequest

NUMPY = {"float32": "<f4", "int64": "<i8", "int32": "<i4"}
DTYPES = {"float32": 1, "int64": 2, "int32": 3, "bfloat16": 4}


def chunk(fields: dict[str, Any]) -> Any:
    """Build one chunk."""
    kinds = {"encoded_text": types.EncodedTextChunk, "image": types.ImageChunk, "dmel": types.DmelChunk}
    given = {name: value for name, value in fields.items() if name != "type"}
    for name in ("data", "dmel"):
        if name in given:
            given[name] = base64.b64decode(given[name])
    return kinds[fields["type"]](**given)


def span(kind: str, sequence_id: str, offset: int, length: int) -> Any:
    """Build one span."""
    cls = types.PromptProvenanceSpan if kind == "prompt" else types.SampledProvenanceSpan
    return cls(sequence_id=sequence_id, offset=offset, length=length)


def request(case: dict[str, Any]) -> Any:
    """Build a request and convert it to its message."""
    data = [
        types.Datum(
            model_input=types.ModelInput(chunks=[chunk(fields) for fields in datum["chunks"]]),
            loss_fn_inputs={name: types.TensorData(**fields) for name, fields in datum["inputs"].items()},
            **{
                name: [span(*fields) for fields in datum[name]]
                for name in ("model_input_spans", "loss_fn_input_spans")
                if name in datum
            },
        )
        for datum in case["data"]
    ]
    batch = ForwardBackwardInput(
        data=data, loss_fn=case["loss_fn"], loss_fn_config=case.get("loss_fn_config")
    )
    made = ForwardBackwardRequest(forward_backward_input=batch, model_id="m:train:0", seq_id=3)
    return request_conv.forward_backward_request_to_proto(made)


def array_bytes(dtype: str, numbers: list[Any]) -> bytes:
    """Return numbers as the wire has them."""
    if dtype == "bfloat16":
        return (np.array(numbers, "<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return np.array(numbers, NUMPY[dtype]).tobytes()


def output(case: dict[str, Any]) -> Any:
    """Build the result of a batch."""
    message = wire.ForwardBackwardOutput(loss_fn_output_type=case["type"], metrics=case["metrics"])
    for fields in case["records"]:
        record = message.loss_fn_outputs.add(type_tag=case["type"])
        for name, tensors in fields.items():
            record.num_datums = len(tensors)
            parts = [array_bytes(dtype, numbers) for dtype, _, numbers in tensors]
            field = record.fields[name]
            field.data = b"".join(parts)
            field.offsets = np.cumsum([0, *map(len, parts)]).astype("<i8").tobytes()
            field.dtype = DTYPES[tensors[0][0]]
            field.trailing_shape.extend(tensors[0][1][1:])
    return message.SerializeToString()


def fill_topk(message: Any, rows: list[Any]) -> None:
    """Write rows of pairs, padded to the longest."""
    message.length, message.k = len(rows), max(len(row or ()) for row in rows)
    full = [[*(row or ()), *[[0, -99999.0]] * (message.k - len(row or ()))] for row in rows]
    message.token_ids = array_bytes("int32", [token for row in full for token, _ in row])
    message.logprobs = array_bytes("float32", [logprob for row in full for _, logprob in row])


def fill_tensor(message: Any, dtype: str, shape: list[int], numbers: list[Any]) -> None:
    """Write a dense tensor."""
    message.dense, message.dtype = array_bytes(dtype, numbers), DTYPES[dtype]
    message.shape.extend(shape)


def sample(case: dict[str, Any]) -> Any:
    """Build the result of a sample."""
    message = wire.SampleResponse()
    for given in case["sequences"]:
        sequence = message.sequences.add(
            stop_reason=0 if given["stop_reason"] == "stop" else 1,
            tokens=array_bytes("int32", given["tokens"]),
        )
        if "logprobs" in given:
            sequence.logprobs = array_bytes("float32", given["logprobs"])
        if "topk" in given:
            fill_topk(sequence.topk_sampled_logprobs, given["topk"])
    if "prompt_logprobs" in case:
        numbers = [float("nan") if x is None else x for x in case["prompt_logprobs"]]
        message.prompt_logprobs = array_bytes("float32", numbers)
        fill_topk(message.topk_prompt_logprobs, case["topk_prompt"])
        message.prompt_cache_hit_tokens = case["cached"]
        fill_tensor(message.target_prompt_logprobs, *case["target"])
        fill_tensor(message.prompt_alt_tokens.tokens, *case["alternatives"][0])
        fill_tensor(message.prompt_alt_tokens.logprobs, *case["alternatives"][1])
    return message.SerializeToString()


def seen_tensor(tensor: Any) -> list[Any]:
    """Describe a tensor as the official client holds it."""
    return [tensor.dtype, list(tensor.shape), list(tensor.data)]


def seen_output(body: bytes) -> dict[str, Any]:
    """Describe what the official client reads in the result of a batch."""
    found = response_conv.deserialize_forward_backward_output(body)
    outputs = [{name: seen_tensor(part) for name, part in one.items()} for one in found.loss_fn_outputs]
    return {"type": found.loss_fn_output_type, "outputs": outputs, "metrics": dict(found.metrics)}


def seen_sample(body: bytes) -> dict[str, Any]:
    """Describe what the official client reads in the result of a sample."""
    found = response_conv.deserialize_sample_response(body)
    alternatives, target = found.prompt_alt_tokens, found.target_prompt_logprobs
    return {
        "sequences": [
            {
                "stop_reason": one.stop_reason,
                "tokens": one.tokens,
                "logprobs": one.logprobs,
                "topk": one.topk_logprobs,
            }
            for one in found.sequences
        ],
        "prompt_logprobs": found.prompt_logprobs,
        "topk_prompt": found.topk_prompt_logprobs,
        "cached": found.prompt_cache_hit_tokens,
        "target": target and seen_tensor(target),
        "alternatives": alternatives
        and [seen_tensor(alternatives.tokens), seen_tensor(alternatives.logprobs)],
    }


def main(directory: Path) -> None:
    """Write the official bytes, and what the official client makes of both sides' bytes."""
    seen: dict[str, Any] = {"version": tinker.__version__, "sha256": {}, "reads": {}}
    for kind, cases, make, read in (
        ("output", OUTPUTS, output, seen_output),
        ("sample", SAMPLES, sample, seen_sample),
    ):
        for name, case in cases.items():
            (directory / f"official-{kind}-{name}.bin").write_bytes(make(case))
            for side in ("official", "ours"):
                file = directory / f"{side}-{kind}-{name}.bin"
                seen["reads"][file.stem] = read(file.read_bytes())
    for name, case in REQUESTS.items():
        message = request(case)
        file = directory / f"official-request-{name}.bin"
        file.write_bytes(message.SerializeToString(deterministic=True))
        ours = wire.ForwardBackwardRequest.FromString((directory / f"ours-request-{name}.bin").read_bytes())
        seen["reads"][f"ours-request-{name}"] = {"equal": ours == message}
    for file in sorted(directory.glob("ours-*.bin")):
        seen["sha256"][file.stem] = hashlib.sha256(file.read_bytes()).hexdigest()
    (directory / "official.json").write_text(json.dumps(seen, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
