"""`tinsmith serve`: the embedded service behind a socket, for every client of this API."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer
from typer import Option

from tinsmith.cli.options import Aliases, usage_errors
from tinsmith.cli.output import note

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from tinsmith_local.options import ServeOptions
    from tinsmith_local.serve import Address
    from tinsmith_local.service import Service

    from tinsmith.clients.service import ServiceClient


def serve(
    context: typer.Context,
    data: Annotated[
        Path | None,
        Option(
            "--data", metavar="DIR", help="Directory for runs and checkpoints; without it they are dropped."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        Option(
            "--model",
            metavar="NAME=PATH",
            help="Offer one more base model: a Hugging Face directory or a GGUF file; may be repeated.",
        ),
    ] = None,
    host: Annotated[str, Option("--host", metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        Option("--port", min=0, max=65535, metavar="NUMBER", help="Port to listen on; 0 is any free one."),
    ] = 0,
    allow_remote: Annotated[
        bool, Option("--allow-remote", help="Allow an address that other machines can reach.")
    ] = False,
    hold: Annotated[
        float,
        Option("--hold", metavar="SECONDS", min=0.0, help="Longest time that a poll waits for a result."),
    ] = 20.0,
    imitate: Annotated[
        list[str] | None,
        Option(
            "--imitate",
            metavar="WORD",
            help="Behave like another server in one respect, such as arrival-order; may be repeated.",
        ),
    ] = None,
    wire: Annotated[
        str,
        Option(
            "--wire",
            metavar="ENCODING",
            help="Accept batches and send results as json, protobuf or both; some servers have only one.",
        ),
    ] = "both",
    client_flag: Annotated[
        list[str] | None,
        Option(
            "--client-flag",
            metavar="NAME=VALUE",
            help="Flag for client/config, such as sample_use_retrieve_futures=true; may be repeated.",
        ),
    ] = None,
    tokenizers: Annotated[
        Path | None,
        Option(
            "--tokenizers",
            metavar="DIR",
            help="Write the tokenizers of all models there, for clients that load them with transformers.",
        ),
    ] = None,
    alias: Aliases = None,
    print_telemetry: Annotated[
        bool, Option("--print-telemetry", help="Print the telemetry kept in --data and exit.")
    ] = False,
) -> None:
    """Serve the embedded service to any client of this API, until Ctrl-C.

    Example: tinsmith serve --data ./tinsmith-data --port 8000
    """
    import tempfile

    from tinsmith.core.optional_deps import require_extra

    require_extra("tinsmith serve", "local")
    from tinsmith_local.options import Imitation, ServeOptions, parse_flags, parse_wire
    from tinsmith_local.serve import serve as run
    from tinsmith_local.store.data_dir import is_open_to_others

    if print_telemetry:
        _print_telemetry(data, context)
        return
    with usage_errors(context, "--imitate"):
        imitation = Imitation.parse(imitate or [])
    with usage_errors(context, "--wire"):
        accepted = parse_wire(wire)
    with usage_errors(context, "--client-flag"):
        flags = parse_flags(client_flag or [])
    kept = tempfile.TemporaryDirectory(prefix="tinsmith-") if data is None else contextlib.nullcontext(data)
    with kept as directory:
        options = ServeOptions(
            data_dir=Path(directory),
            models=_models(context, model or []),
            imitate=imitation,
            hold_s=hold,
            wire=accepted,
            client_flags=flags,
        )
        if tokenizers is not None:
            _export_tokenizers(options, tokenizers)

        def announce(address: Address) -> None:
            """Print what a shell needs on stdout, and the rest on stderr."""
            sys.stdout.write("\n".join(address.export_lines) + "\n")
            sys.stdout.flush()
            note(f"Serving on {address.base_url}; Ctrl-C ends it.")
            if data is None:
                note("Runs and checkpoints are dropped at the end; --data DIR keeps them.")
            elif is_open_to_others(data):
                note(f"Other users of this machine can look into {data}; chmod 700 keeps it to yourself.")
            note(f"The OpenAI API is on {address.base_url}/v1, with the same key.")
            if model and tokenizers is None:
                note("--tokenizers DIR writes their tokenizers, for clients that look names up in a hub.")

        with usage_errors(context, "--alias"):
            beside = _Gateway(alias or [])
        with usage_errors(context), beside:
            run(
                options,
                host=host,
                port=port,
                allow_remote=allow_remote,
                announce=announce,
                app_of=beside.app_of,
            )


class _Gateway:
    """The OpenAI API beside a service, which it reaches as any other client does, once it is asked for."""

    def __init__(self, aliases: list[str]) -> None:
        from tinsmith.gateway import parse_aliases

        self._aliases = parse_aliases(aliases)
        self._client: ServiceClient | None = None

    def app_of(self, address: Address, service: Service) -> ASGIApp:
        """Return the app of a service with the routes of the gateway beside its own."""
        from tinsmith.gateway import Beside

        return Beside(service.app, lambda: self._made(address, service))

    def _made(self, address: Address, service: Service) -> ASGIApp:
        from tinsmith.clients.service import ServiceClient
        from tinsmith.core.config import ClientConfig
        from tinsmith.gateway import GatewayOptions, gateway_app

        config = ClientConfig.from_environment(
            base_url=address.base_url, api_key=address.token, insecure=True
        )
        self._client = ServiceClient(config=config)
        return gateway_app(
            self._client,
            GatewayOptions(
                aliases=self._aliases,
                token=address.token,
                allowed_hosts=service.options.allowed_hosts,
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close(timeout=0.0)


def _models(context: typer.Context, options: list[str]) -> dict[str, Path]:
    """Return the base models of the settings and of the options, by name."""
    from tinsmith_local.models.registry import parse_model_option

    from tinsmith.core.config import models_of_user

    paths = [(name, Path(path).expanduser()) for name, path in models_of_user().items()]
    paths += [parse_model_option(text) for text in options]
    for name, path in paths:
        if not path.exists():
            raise typer.BadParameter(
                f"{path} does not exist (model {name}); name a Hugging Face directory or a GGUF file",
                ctx=context,
                param_hint="--model",
            )
    return dict(paths)


def _export_tokenizers(options: ServeOptions, folder: Path) -> None:
    from tinsmith_local.models.hugging_face import write_tokenizer
    from tinsmith_local.models.registry import ModelRegistry

    registry = ModelRegistry(options.models.items())
    for name in registry.names():
        write_tokenizer(registry.source(name), folder / name)
    note(
        f"Tokenizers are in {folder}. A program that runs in that folder, the official SDK's get_tokenizer()"
    )
    note("included, finds them under the names of the models, without a hub.")


def _print_telemetry(data: Path | None, context: typer.Context) -> None:
    from tinsmith_local.serve import read_telemetry

    if data is None or not data.is_dir():
        raise typer.BadParameter("--print-telemetry needs the --data DIR of a service", ctx=context)
    for line in read_telemetry(data):
        sys.stdout.write(line + "\n")
