"""The embedded service behind uvicorn, for every client of this API: loopback, a random port, a random key.

Owns the socket and the server's life. The caller prints: `announce` gets the address.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
import orjson

from tinsmith_local.listening import ListeningServer, configured, hosts_of, listen, url_of
from tinsmith_local.options import Imitation, ServeOptions
from tinsmith_local.service import Service
from tinsmith_local.store.data_dir import DataDir
from tinsmith_local.store.database import Database
from tinsmith_local.store.session_table import TelemetryTable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import uvicorn
    from starlette.types import ASGIApp


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


class _Server(ListeningServer):
    """A server whose end does not wait for polls that are held."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

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
    app_of: Callable[[Address, Service], ASGIApp] = lambda address, service: service.app,
) -> None:
    """Serve until interrupted; ValueError for a host beyond loopback without `allow_remote`.

    `app_of` returns what is served: the app of the service, or one that has it beside others.
    """
    listener = listen(host, port, allow_remote=allow_remote)
    with listener:
        complete = _complete(options, host, allow_remote=allow_remote)
        service = Service(complete)
        try:
            address = _address(listener, host, service)
            server = _Server(_config(complete, app_of(address, service)), service)
            announce(address)
            server.run(sockets=[listener])
        finally:
            service.close()


@contextmanager
def serving(options: ServeOptions, *, port: int = 0) -> Iterator[tuple[Address, Service]]:
    """Serve on loopback from a thread while the block runs."""
    with listen("127.0.0.1", port, allow_remote=False) as listener:
        complete = _complete(options, "127.0.0.1", allow_remote=False)
        service = Service(complete)
        server = _Server(_config(complete, service.app), service)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield _address(listener, "127.0.0.1", service), service
        finally:
            server.should_exit = True
            thread.join()
            service.close()


def _complete(options: ServeOptions, host: str, *, allow_remote: bool) -> ServeOptions:
    """Return the options with a key required, and with the hosts that are answered."""
    hosts = options.allowed_hosts
    if hosts is None:
        hosts = hosts_of(host, allow_remote=allow_remote)
    reads_paths = options.reads_paths or not allow_remote
    return attrs.evolve(options, keep_token=True, allowed_hosts=hosts, reads_paths=reads_paths)


def _config(options: ServeOptions, app: ASGIApp) -> uvicorn.Config:
    """Configure uvicorn for a service."""
    return configured(
        app,
        head_s=options.head_s,
        max_connections=options.max_connections,
        max_header_bytes=options.max_header_bytes,
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
    return Address(base_url=url_of(listener, host), token=token)


def read_telemetry(data_dir: Path) -> Iterator[str]:
    """Read the kept telemetry as JSON lines; the service need not run."""
    database = Database(DataDir(data_dir).database)
    try:
        for session_id, received_at, event in TelemetryTable(database).read():
            line = {"session_id": session_id, "received_at": received_at, **orjson.loads(event)}
            yield orjson.dumps(line).decode()
    finally:
        database.close()
