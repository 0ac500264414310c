"""How commands reach a server. Reads no environment itself: the config does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tinsmith.cli.output import lookup

if TYPE_CHECKING:
    from collections.abc import Iterator

    import typer

    from tinsmith.clients.rest import RestClient
    from tinsmith.clients.service import ServiceClient


@contextmanager
def service(context: typer.Context) -> Iterator[ServiceClient]:
    """Open a client for the server that the options and the environment name, and close it afterwards."""
    from tinsmith.cli.failure import KeyRefusedError
    from tinsmith.clients.service import ServiceClient
    from tinsmith.core.config import ClientConfig
    from tinsmith.core.errors import InputError, TinkerError

    try:
        config = ClientConfig.from_environment(base_url=lookup(context, "base_url"))
    except InputError:
        raise
    except TinkerError as error:
        raise KeyRefusedError(error.message) from error
    with ServiceClient(config=config) as client:
        yield client


@contextmanager
def rest(context: typer.Context) -> Iterator[RestClient]:
    """Open what lists and changes runs, checkpoints and sessions. It opens no session of its own."""
    with service(context) as client:
        yield client.create_rest_client()
