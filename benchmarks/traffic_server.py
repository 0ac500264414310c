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
from tinsmith.core.codec.wire import Encoding
from tinsmith.core.values import ForwardBackwardOutput, SampledSequence, SampleResponse, TensorData

SEQUENCES, TOKENS = 4, 200
"""Of each sample."""
ROW = 8
"""Tokens of each datum of a batch, as its result has them."""

WAITING = orjson.dumps({"type": "try_again", "request_id": "-", "queue_state": "active"})
BUSY = orjson.dumps({"detail": "too many samples"})


@cache
def sample(encoding: Encoding) -> bytes:
    """Return the result of each sample."""
    tokens = np.arange(TOKENS, dtype=np.int32) + 1000
    logprobs = np.linspace(-1, 0, TOKENS, dtype=np.float32)
    if encoding == "json":
        drawn = [SampledSequence("length", tokens.tolist(), logprobs.tolist())] * SEQUENCES
    else:
        drawn = [SampledSequence("length", tokens, logprobs)] * SEQUENCES  # type: ignore[arg-type]
    return encode_result(SampleResponse(drawn), encoding)


@cache
def step(datums: int, encoding: Encoding) -> bytes:
    """Return the result of a batch."""
    outputs = [{"logprobs": TensorData(np.zeros(ROW, np.float32), "float32", [ROW])} for _ in range(datums)]
    return encode_result(ForwardBackwardOutput("ArrayRecord", outputs, {"loss:sum": 1.0}), encoding)


class Work:
    """Takes work, and has its results ready after a while."""

    def __init__(self, ready_s: float, hold: bool, cap: int) -> None:
        self._ready_s, self._hold, self._cap = ready_s, hold, cap
        self._ready_at: dict[str, float] = {}
        self.seen: dict[str, float] = {"polls": 0, "refused": 0, "most": 0, "samples": 0}
        """Counts, for the report."""

    def answer(self, route: str, fields: dict[str, str], body: bytes, reply: Reply) -> None:
        """Take work, and answer polls when they may be answered."""
        if route == "asample":
            if len(self._ready_at) >= self._cap:
                self.seen["refused"] += 1
                reply(BUSY, status=429)
            else:
                self._promise("s", reply)
        elif route == "forward_backward":
            self._promise(f"f{body.count(b'target_tokens')}-", reply)
        elif route == "optim_step":
            self._promise("o", reply)
        elif route == "retrieve_future":
            self._poll(orjson.loads(body)["request_id"], fields.get("accept", ""), reply)
        else:
            reply(b"{}")

    def _promise(self, kind: str, reply: Reply) -> None:
        """Give a promise and start its clock."""
        self.seen["samples"] += 1
        name = f"{kind}{self.seen['samples']:.0f}"
        self._ready_at[name] = asyncio.get_running_loop().time() + self._ready_s
        self.seen["most"] = max(self.seen["most"], len(self._ready_at))
        reply(b'{"request_id":"%b","sample_sequence_ids":["a","b","c","d"]}' % name.encode())

    def _poll(self, name: str, accept: str, reply: Reply) -> None:
        if name == "model":
            reply(MODEL)
            return
        self.seen["polls"] += 1
        loop = asyncio.get_running_loop()
        left_s = self._ready_at.get(name, 0.0) - loop.time()
        if left_s <= 0:
            self._deliver(name, accept, reply)
        elif self._hold:
            loop.call_later(left_s, self._deliver, name, accept, reply)
        else:
            reply(WAITING, status=408)

    def _deliver(self, name: str, accept: str, reply: Reply) -> None:
        """Send a result."""
        self._ready_at.pop(name, None)
        encoding: Encoding = "protobuf" if PROTOBUF in accept else "json"
        kind = PROTOBUF if encoding == "protobuf" else JSON
        if name[0] == "o":
            reply(b'{"metrics":{}}')
        elif name[0] == "f":
            reply(step(int(name[1:].partition("-")[0]), encoding), kind)
        else:
            reply(sample(encoding), kind)


if __name__ == "__main__":
    work = Work(float(sys.argv[1]), sys.argv[2] == "1", int(sys.argv[3]))
    asyncio.run(serve(work.answer, work.seen))
