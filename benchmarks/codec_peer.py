"""The official client in `codec.py`. Usage: codec_peer.py DATUMS LENGTH [URL]; a URL is for whole calls.

Runs in the peer's environment and never imports Tinsmith.
"""

import os
import sys
import warnings
from collections.abc import Callable

import numpy as np
from codec_data import arrays, calls, cpu_ms, reading_ms, report

warnings.simplefilter("ignore")

from tinker import ServiceClient, types  # noqa: E402
from tinker.proto import request_conv, response_conv  # noqa: E402
from tinker.proto import tinker_public_pb2 as wire  # noqa: E402
from tinker.types.forward_backward_input import ForwardBackwardInput  # noqa: E402
from tinker.types.forward_backward_request import ForwardBackwardRequest  # noqa: E402

RUNS = 5


def main() -> None:
    """Measure one size."""
    datums, length = int(sys.argv[1]), int(sys.argv[2])
    raw = arrays(datums, length)

    def build() -> list[types.Datum]:
        # The official client takes token ids as a list.
        return [
            types.Datum(model_input=types.ModelInput.from_ints(tokens.tolist()), loss_fn_inputs=dict(inputs))
            for tokens, inputs in raw
        ]

    if len(sys.argv) > 3:
        report(**whole(build, datums, sys.argv[3]))
        return
    data = build()
    message = wire.ForwardBackwardOutput(loss_fn_output_type="ArrayRecord", metrics={"loss:sum": 1.0})
    record = message.loss_fn_outputs.add(type_tag="ArrayRecord", num_datums=datums)
    field = record.fields["logprobs"]
    field.data = b"".join(inputs["logprobs"].tobytes() for _, inputs in raw)
    field.offsets = (np.arange(datums + 1) * 4 * length).tobytes()
    field.dtype = wire.DTYPE_FLOAT32
    body = message.SerializeToString()

    def encode() -> bytes:
        batch = ForwardBackwardInput(data=data, loss_fn="ppo")
        made = ForwardBackwardRequest(forward_backward_input=batch, model_id="m:train:0", seq_id=1)
        return request_conv.forward_backward_request_to_proto(made).SerializeToString()

    def logprobs() -> list[types.TensorData]:
        result = response_conv.deserialize_forward_backward_output(body)
        return [output["logprobs"] for output in result.loss_fn_outputs]

    report(
        build=cpu_ms(build),
        encode=cpu_ms(encode),
        decode=cpu_ms(lambda: response_conv.deserialize_forward_backward_output(body)),
        numpy=reading_ms(logprobs, lambda tensor: tensor.to_numpy()),
        lists=reading_ms(logprobs, lambda tensor: tensor.data),
        body_mb=len(encode()) / 1e6,
    )


def whole(build: Callable[[], list[types.Datum]], datums: int, url: str) -> dict[str, float]:
    """Measure forward_backward over loopback, from arrays to the result."""
    client = ServiceClient(base_url=url, api_key="tml-bench").create_lora_training_client("a/b", rank=8)

    def send(data: list[types.Datum]) -> int:
        return len(client.forward_backward(data, "ppo").result().loss_fn_outputs)

    return calls(send, build, datums, RUNS)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # how a client shuts down is not what is measured
