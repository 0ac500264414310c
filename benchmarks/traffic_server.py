"""The stand-in server of `traffic.py`: gives promises at once and results after a while.

Usage: traffic_server.py READY_S HOLD CAP. Results are ready READY_S seconds after the promise. With HOLD 1 a
poll is held until then, with 0 it is answered 408 at once; more than CAP samples at a time get a 429. At the
end it prints polls, refusals and the most samples that it had at a time.
"""

import asyncio
import sys
from functools import cache

import numpy as np
import orjson
from stand_in import JSON, MODEL, PROTOBUF, Reply, serve
from tinsmith.core.codec.encode import encode_result
from tinsmith.core.values import ForwardBackwardOutput, SampledSequence, SampleResponse, TensorData

READY_S, HOLD, CAP = float(sys.argv[1]), sys.argv[2] == "1", int(sys.argv[3])
SEQUENCES, TOKENS = 4, 200

WAITING = orjson.dumps({"type": "try_again", "request_id": "-", "queue_state": "active"})
BUSY = orjson.dumps({"detail": "too many samples"})

seen = {"polls": 0, "refused": 0, "most": 0, "samples": 0}
ready_at: dict[str, float] = {}


@cache
def sample(encoding: str) -> bytes:
    """Return the result of each sample."""
    tokens = np.arange(TOKENS, dtype=np.int32) + 1000
    logprobs = np.linspace(-1, 0, TOKENS, dtype=np.float32)
    if encoding == "json":
        drawn = [SampledSequence("length", tokens.tolist(), logprobs.tolist())] * SEQUENCES
    else:
        drawn = [SampledSequence("length", tokens, logprobs)] * SEQUENCES
    return encode_result(SampleResponse(drawn), encoding)


@cache
def step(encoding: str) -> bytes:
    """Return the result of each batch of one datum."""
    outputs = [{"logprobs": TensorData(np.zeros(8, np.float32), "float32", [8])}]
    return encode_result(ForwardBackwardOutput("ArrayRecord", outputs, {"loss:sum": 1.0}), encoding)


def promise(kind: str, reply: Reply) -> None:
    """Give a promise and start its clock."""
    seen["samples"] += 1
    name = f"{kind}{seen['samples']}"
    ready_at[name] = asyncio.get_running_loop().time() + READY_S
    seen["most"] = max(seen["most"], len(ready_at))
    reply(b'{"request_id":"%b","sample_sequence_ids":["a","b","c","d"]}' % name.encode())


def deliver(name: str, accept: str, reply: Reply) -> None:
    """Send a result."""
    ready_at.pop(name, None)
    encoding = "protobuf" if PROTOBUF in accept else "json"
    kind = PROTOBUF if encoding == "protobuf" else JSON
    if name[0] == "o":
        reply(b'{"metrics":{}}')
    else:
        reply(step(encoding) if name[0] == "f" else sample(encoding), kind)


def answer(route: str, fields: dict[str, str], body: bytes, reply: Reply) -> None:
    """Take work, and answer polls when they may be answered."""
    if route == "asample":
        if len(ready_at) >= CAP:
            seen["refused"] += 1
            reply(BUSY, status=429)
        else:
            promise("s", reply)
    elif route in ("forward_backward", "optim_step"):
        promise(route[0], reply)
    elif route == "retrieve_future":
        name = orjson.loads(body)["request_id"]
        if name == "model":
            reply(MODEL)
            return
        seen["polls"] += 1
        loop = asyncio.get_running_loop()
        left_s = ready_at.get(name, 0.0) - loop.time()
        accept = fields.get("accept", "")
        if left_s <= 0:
            deliver(name, accept, reply)
        elif HOLD:
            loop.call_later(left_s, deliver, name, accept, reply)
        else:
            reply(WAITING, status=408)
    else:
        reply(b"{}")


asyncio.run(serve(answer, seen))
