"""The stand-in server of `codec.py`: takes batches in either encoding and has results ready.

Usage: codec_server.py LENGTH. Prints its port, serves on loopback until its standard input closes, and then
prints the CPU seconds it took, to show that it was not the limit. A batch is counted by a name that each
datum holds once; nothing is parsed.
"""

import asyncio
import sys
import time
from functools import cache

import numpy as np
import orjson
from tinsmith.core import codec
from tinsmith.core.values import ForwardBackwardOutput, TensorData

LENGTH = int(sys.argv[1])
PROTOBUF = "application/x-protobuf"
PLAIN = {
    "client/config": {},
    "client/dynamic_config": {},
    "get_server_capabilities": {"supported_models": [{"model_name": "a/b"}]},
    "create_session": {"type": "create_session", "session_id": "s"},
    "create_model": {"request_id": "model"},
    "get_info": {"type": "get_info", "model_data": {"model_name": "a/b"}, "model_id": "s:train:0"},
}


@cache
def result(datums: int, encoding: str) -> bytes:
    """Return the result of a batch."""
    row = np.linspace(-1, 0, LENGTH, dtype=np.float32)
    outputs = [{"logprobs": TensorData(row, "float32", [LENGTH])} for _ in range(datums)]
    return codec.encode_result(ForwardBackwardOutput("ArrayRecord", outputs, {"loss:sum": 1.0}), encoding)


class Connection(asyncio.Protocol):
    """One connection: requests by Content-Length or in chunks, one after another."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.promises = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self.kept += data
        while (end := self.kept.find(b"\r\n\r\n")) >= 0:
            head = self.kept[:end].decode("latin-1").split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in head[1:])
            stop = end + 4 + int(fields.get("content-length", 0))
            if "transfer-encoding" in fields:
                last = self.kept.find(b"\r\n0\r\n\r\n", end + 2)
                stop = last + 7 if last >= 0 else sys.maxsize
            if len(self.kept) < stop:
                return
            body = bytes(self.kept[end + 4 : stop])
            del self.kept[:stop]
            self.answer(head[0].split(" ")[1].partition("/api/v1/")[2], fields, body)

    def answer(self, route: str, fields: dict[str, str], body: bytes) -> None:
        """Send what the route gives."""
        kind, answer = "application/json", PLAIN.get(route, {})
        if route == "forward_backward":
            answer = {"request_id": f"{body.count(b'target_tokens')}"}
        elif route == "retrieve_future":
            wanted = orjson.loads(body)["request_id"]
            if wanted == "model":
                answer = {"type": "create_model", "model_id": "s:train:0"}
            else:
                kind = PROTOBUF if PROTOBUF in fields.get("accept", "") else kind
                answer = result(int(wanted), "protobuf" if kind == PROTOBUF else "json")
        sent = answer if isinstance(answer, bytes) else orjson.dumps(answer)
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len(sent)}\r\n\r\n"
        self.transport.write(head.encode() + sent)


async def main() -> None:
    """Serve until standard input closes."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(time.process_time(), flush=True)


asyncio.run(main())
