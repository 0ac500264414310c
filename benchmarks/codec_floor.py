"""The libraries alone in `codec.py`: no checks, no values. Usage: codec_floor.py ENCODING DATUMS LENGTH."""

import sys

import numpy as np
import orjson
from codec_data import arrays, cpu_ms, report
from tinsmith_api.wire import tinker_wire_pb2 as wire

DTYPES = {"float32": wire.DTYPE_FLOAT32, "int64": wire.DTYPE_INT64}


def protobuf(raw: list, result: bytes) -> dict[str, float]:
    """Fill messages and serialize them; parse, and look at the numbers."""

    def encode() -> bytes:
        request = wire.ForwardBackwardRequest(model_id="m:train:0", seq_id=1, loss_fn="ppo")
        for tokens, inputs in raw:
            datum = request.data.add()
            datum.model_input.add().encoded_text.tokens = tokens.astype("<i4").tobytes()
            for name, array in inputs.items():
                tensor = datum.loss_fn_inputs[name]
                tensor.dense = array.tobytes()
                tensor.dtype = DTYPES[array.dtype.name]
                tensor.shape.extend(array.shape)
        return request.SerializeToString()

    def decode() -> list:
        record = wire.ForwardBackwardOutput.FromString(result).loss_fn_outputs[0]
        field = record.fields["logprobs"]
        ends = np.frombuffer(field.offsets, "<i8") // 4
        return np.split(np.frombuffer(field.data, "<f4"), ends[1:-1])

    return {"encode": cpu_ms(encode), "decode": cpu_ms(decode), "body_mb": len(encode()) / 1e6}


def json(raw: list, result: bytes) -> dict[str, float]:
    """Write arrays as they are; read lists."""

    def encode() -> bytes:
        data = [
            {
                "loss_fn_inputs": {
                    name: {"data": array, "dtype": array.dtype.name, "shape": array.shape}
                    for name, array in inputs.items()
                },
                "model_input": {"chunks": [{"tokens": tokens, "type": "encoded_text"}]},
            }
            for tokens, inputs in raw
        ]
        body = {"forward_backward_input": {"data": data, "loss_fn": "ppo"}, "model_id": "m", "seq_id": 1}
        return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)

    return {
        "encode": cpu_ms(encode),
        "decode": cpu_ms(lambda: orjson.loads(result)),
        "body_mb": len(encode()) / 1e6,
    }


def main() -> None:
    """Measure one library at one size."""
    raw = arrays(int(sys.argv[2]), int(sys.argv[3]))
    if sys.argv[1] == "protobuf":
        message = wire.ForwardBackwardOutput()
        record = message.loss_fn_outputs.add(num_datums=len(raw))
        field = record.fields["logprobs"]
        field.data = b"".join(inputs["logprobs"].tobytes() for _, inputs in raw)
        field.offsets = (np.arange(len(raw) + 1) * 4 * int(sys.argv[3])).tobytes()
        report(**protobuf(raw, message.SerializeToString()))
    else:
        outputs = [{"logprobs": {"data": i["logprobs"], "dtype": "float32"}} for _, i in raw]
        report(**json(raw, orjson.dumps({"loss_fn_outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)))


if __name__ == "__main__":
    main()
