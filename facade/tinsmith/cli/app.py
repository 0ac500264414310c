"""The tree of commands. Owns their names and order; each group's module owns what they do."""

from typing import Annotated

import typer

from tinsmith.cli import audit, auth, billing, checkpoint, contract, model, run, sample, serve, session
from tinsmith.cli.output import Format, OutputFormat, chosen, show_json
from tinsmith.cli.usage import PlainGroup

app = typer.Typer(
    name="tinsmith",
    cls=PlainGroup,
    help="Train and sample language models over the Tinker API.",
    epilog="TINKER_API_KEY is the key and TINKER_BASE_URL the server; local: and local:PATH are built in.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="Server to talk to instead of TINKER_BASE_URL."),
]
AnyKey = Annotated[
    bool,
    typer.Option(
        "--any-key", help="Send a key that does not start with tml-; or set TINSMITH_ANY_KEY=1 (own servers)."
    ),
]
Insecure = Annotated[
    bool,
    typer.Option(
        "--insecure", help="Allow http to another machine, the key in the clear; or set TINSMITH_INSECURE=1."
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        import tinsmith

        typer.echo(f"tinsmith {tinsmith.__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_print_version),
]


@app.callback()
def root(
    base_url: BaseUrl = None,
    any_key: AnyKey = False,
    insecure: Insecure = False,
    format: Format = None,
    version: Version = False,
) -> None:
    """Take the options that every command shares, before or behind it; `output` and `connect` read them."""


@app.command("version")
def version(context: typer.Context, format: Format = None) -> None:
    """Print the version."""
    import tinsmith

    if chosen(context) is OutputFormat.json:
        show_json({"name": tinsmith.__title__, "version": tinsmith.__version__})
    else:
        typer.echo(f"tinsmith {tinsmith.__version__}")


def _whole_help(tree: typer.Typer) -> None:
    """Let the lists of commands say whole sentences; by themselves they are cut to one line."""
    for command in tree.registered_commands:
        command.short_help = (command.callback and command.callback.__doc__) or None
    for group in tree.registered_groups:
        if group.typer_instance is not None:
            group.short_help = group.typer_instance.info.help
            _whole_help(group.typer_instance)


app.add_typer(run.app, name="run")
app.add_typer(checkpoint.app, name="checkpoint")
app.add_typer(session.app, name="session")
app.add_typer(model.app, name="model")
app.add_typer(auth.app, name="auth")
app.add_typer(billing.app, name="billing")
app.add_typer(audit.app, name="audit")
app.add_typer(contract.app, name="contract")
app.command("sample")(sample.sample)
app.command("serve")(serve.serve)
_whole_help(app)
