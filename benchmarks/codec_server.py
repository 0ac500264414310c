"""The stand-in server of `codec.py`: takes batches in either encoding and has results ready.

Usage: codec_server.py LENGTH. A batch is counted by a name that each datum holds once; nothing is parsed.
"""

import asyncio
import sys
from functools import cache
from itertools import count

import numpy as np
import orjson
from stand_in import JSON, MODEL, PROTOBUF, Reply, serve
from tinsmith.core.codec.encode import encode_result
from tinsmith.core.values import ForwardBackwardOutput, TensorData

LENGTH = int(sys.argv[1])
NUMBER = count()


@cache
def result(datums: int, encoding: str) -> bytes:
    """Return the result of a batch."""
    row = np.linspace(-1, 0, LENGTH, dtype=np.float32)
    outputs = [{"logprobs": TensorData(row, "float32", [LENGTH])} for _ in range(datums)]
    return encode_result(ForwardBackwardOutput("ArrayRecord", outputs, {"loss:sum": 1.0}), encoding)


def answer(route: str, fields: dict[str, str], body: bytes, reply: Reply) -> None:
    """Send what the route gives."""
    if route == "forward_backward":
        reply(orjson.dumps({"request_id": f"{body.count(b'target_tokens')}-{next(NUMBER)}"}))
    elif route == "retrieve_future":
        wanted = orjson.loads(body)["request_id"].split("-")[0]
        if wanted == "model":
            reply(MODEL)
        elif PROTOBUF in fields.get("accept", ""):
            reply(result(int(wanted), "protobuf"), PROTOBUF)
        else:
            reply(result(int(wanted), "json"), JSON)
    else:
        reply(b"{}")


asyncio.run(serve(answer, {}))
