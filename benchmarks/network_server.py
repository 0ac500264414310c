"""The stand-in server of `network.py`: the one of `traffic.py` behind TLS, as a hosted service answers.

Usage: network_server.py CERTIFICATE READY_S HOLD CHUNK_DATUMS FILE_MB. CERTIFICATE is a file with the key and
the chain. Batches are read as protobuf only, with at most CHUNK_DATUMS datums each; the chunks of a call may
come together. The one file of each exported checkpoint has FILE_MB megabytes. It speaks HTTP/1.1.
"""

import asyncio
import os
import ssl
import sys
from itertools import repeat

import orjson
from stand_in import PROTOBUF, SETUP, Long, Reply, serve
from traffic_server import Work

NO_CAP = 1_000_000
PIECE = os.urandom(1_000_000)
"""What a file consists of, a megabyte at a time."""
FILE_ROUTE = "file"
NOT_PROTOBUF = orjson.dumps({"detail": "batches are read as protobuf"})


class Remote(Work):
    """Work as a hosted service takes it, and the files of checkpoints."""

    def __init__(self, ready_s: float, hold: bool, file_mb: int) -> None:
        super().__init__(ready_s, hold, NO_CAP)
        self._file_mb = file_mb
        self.seen["body_mb"] = 0.0

    def answer(self, route: str, fields: dict[str, str], body: bytes, reply: Reply) -> None:
        """Answer what is about files and encodings here, and the rest as all work."""
        self.seen["body_mb"] += len(body) / 1e6
        if route == "forward_backward" and PROTOBUF not in fields["content-type"]:
            reply(NOT_PROTOBUF, status=415)
        elif route.endswith("/external_weights_urls"):
            url = f"https://{fields['host']}/api/v1/{FILE_ROUTE}"
            reply(orjson.dumps({"urls": {"adapter": url}, "expires": "2999-01-01T00:00:00Z"}))
        elif route == FILE_ROUTE:
            size_bytes = self._file_mb * len(PIECE)
            reply(Long(size_bytes, repeat(PIECE, self._file_mb)), "application/octet-stream")
        else:
            super().answer(route, fields, body, reply)


def main() -> None:
    """Serve until standard input closes."""
    certificate, ready_s, hold, chunk_datums, file_mb = sys.argv[1:6]
    SETUP["client/config"] = {"fwdbwd_max_chunk_len": int(chunk_datums), "parallel_fwdbwd_chunks": True}
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    tls.set_alpn_protocols(["http/1.1"])
    remote = Remote(float(ready_s), hold == "1", int(file_mb))
    asyncio.run(serve(remote.answer, remote.seen, tls))


main()
