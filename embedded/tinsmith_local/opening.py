"""One running service for each data directory of a process, shared by all who open it, closed by the last."""

import os
import threading
from pathlib import Path

import attrs
from starlette.types import ASGIApp

from .app.build import build_app
from .app.contract import Contract
from .app.requests import BodyReader
from .options import ServeOptions
from .service import Service


@attrs.frozen(eq=False)
class Running:
    """A service with its app."""

    service: Service
    """The service."""
    app: ASGIApp
    """Its ASGI app."""


@attrs.define(eq=False)
class _Shared:
    """A running service and how many hold it."""

    running: Running
    process: int
    holders: int = 1


_lock = threading.Lock()
_shared: dict[Path, _Shared] = {}


def start(options: ServeOptions) -> Running:
    """Start a service of one's own; the caller closes it."""
    contract = Contract()
    service = Service(options, BodyReader(contract))
    return Running(service, build_app(service, contract))


def take(options: ServeOptions) -> Running:
    """Take the process's service of a directory, started on first use."""
    directory = options.data_dir.expanduser().resolve()
    with _lock:
        shared = _shared.get(directory)
        if shared is not None and shared.process != os.getpid():
            raise RuntimeError(
                "this process was forked from one that runs the embedded service; start a new one"
            )
        if shared is None:
            running = start(attrs.evolve(options, data_dir=directory))
            _shared[directory] = _Shared(running, os.getpid())
            return running
        shared.running.service.base_models.offer(options.models)
        shared.holders += 1
        return shared.running


def give_back(running: Running) -> None:
    """Let go of a taken service; the last one closes it."""
    with _lock:
        for directory, shared in list(_shared.items()):
            if shared.running is running:
                shared.holders -= 1
                if shared.holders == 0:
                    del _shared[directory]
                    break
        else:
            return
    if shared.process == os.getpid():
        running.service.close()
