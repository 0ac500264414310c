"""The cases as our values, and the bytes that we make of them; given a directory, it writes `ours-*.bin`."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

from tinsmith.core.codec.encode import encode_forward_backward, encode_result
from tinsmith.core.values import (
    Datum,
    DmelChunk,
    EncodedTextChunk,
    ForwardBackwardOutput,
    ImageChunk,
    ModelInput,
    PromptAltTokens,
    PromptProvenanceSpan,
    SampledProvenanceSpan,
    SampledSequence,
    SampleResponse,
    TensorData,
)

from tests.core.wire_golden.cases import OUTPUTS, REQUESTS, SAMPLES

WIDENED: dict[str, Any] = {"bfloat16": "float32", "int32": "int64"}


def chunk(fields: dict[str, Any]) -> Any:
    """Build one chunk."""
    if fields["type"] == "encoded_text":
        return EncodedTextChunk(fields["tokens"])
    if fields["type"] == "dmel":
        return DmelChunk(base64.b64decode(fields["dmel"]))
    return ImageChunk(fields["data"], fields["format"], fields.get("expected_tokens"))


def spans(fields: list[Any] | None) -> list[Any] | None:
    """Build spans."""
    kinds: dict[str, Any] = {"prompt": PromptProvenanceSpan, "sampled": SampledProvenanceSpan}
    return fields and [kinds[kind](name, offset, length=length) for kind, name, offset, length in fields]


def batch(case: dict[str, Any]) -> list[Datum]:
    """Build the data of a request."""
    return [
        Datum(
            {name: TensorData(**fields) for name, fields in datum["inputs"].items()},
            ModelInput([chunk(fields) for fields in datum["chunks"]]),
            spans(datum.get("model_input_spans")),
            spans(datum.get("loss_fn_input_spans")),
        )
        for datum in case["data"]
    ]


def tensor(dtype: str, shape: list[int], numbers: list[Any]) -> TensorData:
    """Build a tensor as it is read: short types widened."""
    return TensorData(numbers, WIDENED.get(dtype, dtype), shape)


def output(case: dict[str, Any]) -> ForwardBackwardOutput:
    """Build the result of a batch."""
    outputs = [
        {name: tensor(*fields[name][at]) for name in fields}
        for fields in case["records"]
        for at in range(len(next(iter(fields.values()))))
    ]
    return ForwardBackwardOutput(case["type"].rpartition(":")[2], outputs, case["metrics"])


def topk(rows: list[Any] | None) -> Any:
    """Build rows of top-k."""
    return rows and [row and [tuple(pair) for pair in row] for row in rows]


def sample(case: dict[str, Any]) -> SampleResponse:
    """Build the result of a sample."""
    alternatives = case.get("alternatives")
    return SampleResponse(
        [
            SampledSequence(one["stop_reason"], one["tokens"], one.get("logprobs"), topk(one.get("topk")))
            for one in case["sequences"]
        ],
        case.get("prompt_logprobs"),
        topk(case.get("topk_prompt")),
        target_prompt_logprobs=tensor(*case["target"]) if case.get("target") else None,
        prompt_alt_tokens=PromptAltTokens(*(tensor(*part) for part in alternatives))
        if alternatives
        else None,
        prompt_cache_hit_tokens=case.get("cached", 0),
    )


def bodies() -> dict[str, bytes]:
    """Return our bytes of each case by the name of their file."""
    found = {}
    for name, case in REQUESTS.items():
        pieces = encode_forward_backward(
            "forward_backward",
            batch(case),
            case["loss_fn"],
            case.get("loss_fn_config"),
            "m:train:0",
            3,
            encoding="protobuf",
        )
        found[f"ours-request-{name}"] = b"".join(pieces)
    found |= {f"ours-output-{name}": encode_result(output(c), "protobuf") for name, c in OUTPUTS.items()}
    found |= {f"ours-sample-{name}": encode_result(sample(c), "protobuf") for name, c in SAMPLES.items()}
    return found


if __name__ == "__main__":
    for stem, body in bodies().items():
        (Path(sys.argv[1]) / f"{stem}.bin").write_bytes(body)
