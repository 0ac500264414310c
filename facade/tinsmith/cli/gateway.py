"""`tinsmith gateway`: the OpenAI API in front of a server, for the programs that speak nothing else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from tinsmith.cli.connect import sampler_of, service
from tinsmith.cli.options import Aliases, usage_errors
from tinsmith.cli.output import note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tinsmith.clients.service import ServiceClient

DEADLINE_S = 20.0
"""Seconds for which a request is tried; then its client is told to come back later."""


def gateway(
    context: typer.Context,
    alias: Aliases = None,
    host: Annotated[str, Option("--host", metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        Option("--port", min=0, max=65535, metavar="NUMBER", help="Port to listen on; 0 is any free one."),
    ] = 0,
    allow_remote: Annotated[
        bool, Option("--allow-remote", help="Allow an address that other machines can reach.")
    ] = False,
) -> None:
    """Serve the OpenAI API over the models of any server of this API, until Ctrl-C.

    Clients need the two lines that it prints. TINSMITH_GATEWAY_KEY sets the key; without it, each start draws
    one.

    Example: tinsmith gateway --base-url local: --alias tone=tinsmith/tiny
    """
    import secrets

    from tinsmith.core.config import gateway_key
    from tinsmith.core.optional_deps import require_extra

    require_extra("tinsmith gateway", "gateway")
    from tinsmith_local.listening import hosts_of, listen, serve_app, url_of

    from tinsmith.gateway import GatewayOptions, gateway_app, parse_aliases

    with usage_errors(context, "--alias"):
        aliases = parse_aliases(alias or [])
    options = GatewayOptions(
        aliases=aliases,
        token=gateway_key() or f"sk-{secrets.token_urlsafe(32)}",
        allowed_hosts=hosts_of(host, allow_remote=allow_remote),
    )
    with usage_errors(context):
        listener = listen(host, port, allow_remote=allow_remote)
    with listener, service(context, deadline_s=DEADLINE_S) as client:
        _check(client, aliases)
        url = url_of(listener, host)
        sys.stdout.write(f"export OPENAI_BASE_URL={url}/v1\nexport OPENAI_API_KEY={options.token}\n")
        sys.stdout.flush()
        note(f"Serving the OpenAI API on {url}/v1; Ctrl-C ends it.")
        serve_app(listener, gateway_app(client, options))


def _check(client: ServiceClient, aliases: Mapping[str, str]) -> None:
    """Reach the server, and make what the aliases name: what is wrong is told at the start."""
    offered = {model.model_name for model in client.get_server_capabilities().supported_models}
    for name, target in aliases.items():
        sampler_of(client, target)
        if name in offered and name != target:
            note(f"The alias {name} hides the base model of this name.")
