"""The socket of a server, and how uvicorn serves on it: loopback unless more is asked for, with bounds.

Owns what `tinsmith serve` and `tinsmith gateway` have in common. Knows no service: it needs uvicorn alone.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from typing import TYPE_CHECKING

import uvicorn

from tinsmith_local.connections import bounded, log_accept_errors_once, most_connections

if TYPE_CHECKING:
    from starlette.types import ASGIApp

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Host names under which a server on loopback answers."""


class ListeningServer(uvicorn.Server):
    """A server that says once that it runs out of descriptors."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as usual; failures to take a connection are logged once."""
        log_accept_errors_once(asyncio.get_running_loop())
        await super().startup(sockets)


def serve_app(listener: socket.socket, app: ASGIApp) -> None:
    """Serve an app until interrupted."""
    ListeningServer(configured(app)).run(sockets=[listener])


def listen(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Open the listening socket before anything else, so that its port is known."""
    if not allow_remote and not is_loopback(host):
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
        raise OSError(cause.errno, _why_not(cause, host, port)) from cause
    except BaseException:
        listener.close()
        raise
    return listener


def _why_not(cause: OSError, host: str, port: int) -> str:
    """Say why nothing can listen there, and what to do."""
    if cause.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken by another program; choose another one with --port, or --port 0"
            " for any that is free"
        )
    if cause.errno == errno.EACCES:
        return f"port {port} of {host} is not for you: {cause.strerror}; choose one from 1024 on with --port"
    advice = "; --host takes an address of this machine" if cause.errno != errno.EMFILE else ""
    return f"nothing can listen on {host}:{port}: {cause.strerror}{advice}"


def is_loopback(host: str) -> bool:
    """Whether a host can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hosts_of(host: str, *, allow_remote: bool) -> tuple[str, ...] | None:
    """Return the Host headers that are served: those of loopback and `host`, or any where others may come."""
    return None if allow_remote else (*LOOPBACK_HOSTS, host)


def url_of(listener: socket.socket, host: str) -> str:
    """Return the root URL of what listens."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def configured(
    app: ASGIApp,
    *,
    head_s: float = 30.0,
    max_connections: int | None = None,
    max_header_bytes: int = 32 << 10,
    headers: list[tuple[str, str]] | None = None,
) -> uvicorn.Config:
    """Configure uvicorn: quiet, and with caps on headers and connections."""
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        http=bounded(head_s, max_connections or most_connections()),
        ws="none",
        h11_max_incomplete_event_size=max_header_bytes * 2,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        server_header=False,
        headers=headers or [],
    )
