"""Tinsmith in `codec.py`. Usage: codec_ours.py ENCODING DATUMS LENGTH [URL]; a URL is for whole calls."""

import sys
from collections.abc import Callable

from codec_data import arrays, calls, cpu_ms, reading_ms, report
from tinsmith import types
from tinsmith.core.codec.decode import decode_forward_backward
from tinsmith.core.codec.encode import encode_forward_backward, encode_result
from tinsmith.core.codec.wire import ProtobufPayload
from tinsmith.core.values import ForwardBackwardOutput

RUNS = 5


def main() -> None:
    """Measure one encoding at one size."""
    encoding, datums, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    raw = arrays(datums, length)

    def build() -> list[types.Datum]:
        return [types.Datum(inputs, types.ModelInput.from_ints(tokens)) for tokens, inputs in raw]

    if len(sys.argv) > 4:
        report(**whole(encoding, build, datums, sys.argv[4]))
        return
    data = build()
    outputs = [{"logprobs": types.TensorData(inputs["logprobs"], "float32", [length])} for _, inputs in raw]
    body = encode_result(ForwardBackwardOutput("ArrayRecord", outputs, {"loss:sum": 1.0}), encoding)
    payload = ProtobufPayload(body) if encoding == "protobuf" else body

    def encode() -> list[bytes]:
        batch = ("forward_backward", data, "ppo", None, "m:train:0", 1)
        return list(encode_forward_backward(*batch, encoding=encoding))

    def logprobs() -> list[types.TensorData]:
        return [output["logprobs"] for output in decode_forward_backward(payload).loss_fn_outputs]

    size = sum(map(len, encode()))
    report(
        build=cpu_ms(build),
        encode=cpu_ms(encode),
        decode=cpu_ms(lambda: decode_forward_backward(payload)),
        numpy=reading_ms(logprobs, lambda tensor: tensor.to_numpy()),
        lists=reading_ms(logprobs, lambda tensor: tensor.data),
        body_mb=size / 1e6,
    )


def whole(encoding: str, build: Callable[[], list[types.Datum]], datums: int, url: str) -> dict[str, float]:
    """Measure forward_backward over loopback, from arrays to the result."""
    import tinsmith

    with tinsmith.ServiceClient(base_url=url, api_key="tml-bench", encoding=encoding) as service:
        client = service.create_lora_training_client("a/b", rank=8)

        def send(data: list[types.Datum]) -> int:
            return len(client.forward_backward(data, "ppo").result().loss_fn_outputs)

        return calls(send, build, datums, RUNS)


if __name__ == "__main__":
    main()
