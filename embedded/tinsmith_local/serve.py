"""The embedded service behind uvicorn, for every client of this API: loopback, a random port, a random key.

Owns the socket and the server's life. The caller prints: `announce` gets the address.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
import orjson
import uvicorn

from tinsmith_local.connections import bounded, log_accept_errors_once, most_connections
from tinsmith_local.options import Imitation, ServeOptions
from tinsmith_local.service import Service
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import Database
from tinsmith_local.store.session_table import TelemetryTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Host names under which a service on loopback answers."""


@attrs.frozen(kw_only=True)
class Address:
    """Where a service listens."""

    base_url: str
    """Root URL for clients."""
    token: str = attrs.field(repr=False)
    """Key for clients."""

    @property
    def export_lines(self) -> tuple[str, str]:
        """Return the two shell lines that a client needs."""
        return f"export TINKER_BASE_URL={self.base_url}", f"export TINKER_API_KEY={self.token}"


class _Server(uvicorn.Server):
    """A server whose end does not wait for polls that are held."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as usual; a service that runs out of descriptors says so once."""
        log_accept_errors_once(asyncio.get_running_loop())
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer held polls, then end as usual."""
        self._service.release_polls()
        await super().shutdown(sockets)


def serve(
    options: ServeOptions,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allow_remote: bool = False,
    announce: Callable[[Address], None] = lambda address: None,
) -> None:
    """Serve until interrupted; ValueError for a host beyond loopback without `allow_remote`."""
    listener = _listen(host, port, allow_remote=allow_remote)
    with listener:
        complete = _complete(options, host, allow_remote=allow_remote)
        service = Service(complete)
        try:
            server = _Server(_config(service, complete), service)
            announce(_address(listener, host, service))
            server.run(sockets=[listener])
        finally:
            service.close()


@contextmanager
def serving(options: ServeOptions, *, port: int = 0) -> Iterator[tuple[Address, Service]]:
    """Serve on loopback from a thread while the block runs."""
    with _listen("127.0.0.1", port, allow_remote=False) as listener:
        complete = _complete(options, "127.0.0.1", allow_remote=False)
        service = Service(complete)
        server = _Server(_config(service, complete), service)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield _address(listener, "127.0.0.1", service), service
        finally:
            server.should_exit = True
            thread.join()
            service.close()


def _listen(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Open the listening socket before anything else, so that its port is known."""
    if not allow_remote and not _is_loopback(host):
        raise ValueError(
            f"{host} is not a loopback address, so that other machines may reach the service;"
            " pass --allow-remote if you want that"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: asyncio switches delayed sending off for sockets that say they are TCP alone.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as cause:
        listener.close()
        hint = "; choose another port, or 0 for any free one" if cause.errno == errno.EADDRINUSE else ""
        raise OSError(cause.errno, f"{cause.strerror}: {host}:{port}{hint}") from cause
    except BaseException:
        listener.close()
        raise
    return listener


def _is_loopback(host: str) -> bool:
    """Whether a host can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _complete(options: ServeOptions, host: str, *, allow_remote: bool) -> ServeOptions:
    """Return the options with a key required, and with the hosts that are answered."""
    hosts = options.allowed_hosts
    if hosts is None and not allow_remote:
        hosts = (*LOOPBACK_HOSTS, host)
    reads_paths = options.reads_paths or not allow_remote
    return attrs.evolve(options, keep_token=True, allowed_hosts=hosts, reads_paths=reads_paths)


def _config(service: Service, options: ServeOptions) -> uvicorn.Config:
    """Configure uvicorn: quiet, and with the header cap."""
    return uvicorn.Config(
        service.app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        http=bounded(options.head_s, options.max_connections or most_connections()),
        ws="none",
        h11_max_incomplete_event_size=options.max_header_bytes * 2,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        server_header=False,
        headers=_headers(options),
    )


def _headers(options: ServeOptions) -> list[tuple[str, str]]:
    """Return the Server header, by which clients recognise this server, unless it imitates another one."""
    imitates = options.wire != "both" or options.imitate != Imitation()
    return [] if imitates else [("Server", "tinsmith")]


def _address(listener: socket.socket, host: str, service: Service) -> Address:
    """Return where the socket listens."""
    token = service.options.token
    assert token is not None
    shown = f"[{host}]" if ":" in host else host
    return Address(base_url=f"http://{shown}:{listener.getsockname()[1]}", token=token)


def read_telemetry(data_dir: Path) -> Iterator[str]:
    """Read the kept telemetry as JSON lines; the service need not run."""
    database = Database(DataDir(data_dir).database)
    try:
        for session_id, received_at, event in TelemetryTable(database).read():
            line = {"session_id": session_id, "received_at": received_at, **orjson.loads(event)}
            yield orjson.dumps(line).decode()
    finally:
        database.close()
