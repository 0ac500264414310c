"""The program as typer sees it: its name, its own options, and `version`. The commands are in `tree`."""

from typing import Annotated

import typer
from typer import Option

from tinsmith.cli.options import OutputFormat, wants_json
from tinsmith.cli.tree import CommandTree

app = typer.Typer(
    name="tinsmith",
    cls=CommandTree,
    help="Train and sample language models over the Tinker API.",
    epilog="TINKER_API_KEY is the key and TINKER_BASE_URL the server; local: and local:PATH are built in.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    """Print the version and end the program, where that is `wanted`."""
    if wanted:
        import tinsmith

        typer.echo(f"tinsmith {tinsmith.__version__}")
        raise typer.Exit


@app.callback()
def root(
    base_url: Annotated[
        str | None, Option("--base-url", metavar="URL", help="Server to talk to instead of TINKER_BASE_URL.")
    ] = None,
    any_key: Annotated[
        bool,
        Option(
            "--any-key",
            help="Allow a key that does not start with tml-, for your own server; or set TINSMITH_ANY_KEY=1.",
        ),
    ] = False,
    insecure: Annotated[
        bool,
        Option(
            "--insecure",
            help="Allow plain HTTP to another machine, with the key unencrypted; or set TINSMITH_INSECURE=1.",
        ),
    ] = False,
    format: Annotated[
        OutputFormat | None, Option("--format", "-f", help="How to print the result; the default is table.")
    ] = None,
    version: Annotated[
        bool,
        Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Take the options that every command shares; `options.shared` finds them."""


def version(context: typer.Context) -> None:
    """Print the version."""
    import tinsmith

    if wants_json(context):
        from tinsmith.cli.output import show_json

        show_json({"name": tinsmith.__title__, "version": tinsmith.__version__})
    else:
        _print_version(True)
