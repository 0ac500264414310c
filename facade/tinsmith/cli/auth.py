"""`tinsmith auth`: whom the server takes the caller for. Keeps no key: that is the environment's business."""

from __future__ import annotations

import typer

from tinsmith.cli.connect import rest, service
from tinsmith.cli.output import Format, Properties, show

app = typer.Typer(help="Show who you are to the server.", no_args_is_help=True)


@app.callback()
def group(format: Format = None) -> None:
    """Show who you are to the server."""


@app.command("whoami")
def whoami(context: typer.Context, format: Format = None) -> None:
    """Show to whom the key belongs."""
    with rest(context) as client:
        found = client.whoami().result()
    rows = [
        ["Email", found.email or "N/A"],
        ["User", found.user_urn or "N/A"],
        ["Organization", found.org_urn or "N/A"],
    ]
    document = {"email": found.email, "user_urn": found.user_urn, "org_urn": found.org_urn}
    show(context, document, lambda: Properties(rows))


@app.command("status")
def status(context: typer.Context, format: Format = None) -> None:
    """Show which server is asked, and what it says of the key; an answer means that the key works."""
    from tinsmith_api.conversion import to_json

    with service(context) as client:
        address = client.config.base_url
        found = client.raw.get_api_key().result()
    key = to_json(found)
    owner = {
        "organization": found.details.org_details.name,
        "user": found.details.user_details.email,
    }
    told = {name: value for name, value in key.items() if name != "details"} | owner
    rows = [["Server", address]]
    rows += [[name.replace("_", " ").title(), str(value)] for name, value in told.items()]
    show(context, {"base_url": address, "key": key}, lambda: Properties(rows))
