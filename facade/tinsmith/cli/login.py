"""`tinsmith auth`: stores the key of a server, removes it, and says which key is used and whose it is.

Prints no key. The core owns the file.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from tinsmith.cli.connect import config_of, rest, service
from tinsmith.cli.failure import AUTHENTICATION, sentence
from tinsmith.cli.output import Properties, changed, note, show, stdin_text

if TYPE_CHECKING:
    from pathlib import Path

    from tinsmith_api.models import ApiKeyInfo

    from tinsmith.clients.service import ServiceClient
    from tinsmith.core.config import ClientConfig, KeySource
    from tinsmith.core.key_file import StoredKey

LONGEST_KEY = 16 * 1024
"""Characters that are read of a key: above any that a header can carry."""

SHOWN_FROM = 16
"""Length of a key from which its ends are shown: too little of it is then known to guess it."""

app = typer.Typer()


@app.command("login")
def login(
    context: typer.Context,
    unchecked: Annotated[
        bool, Option("--no-check", help="Store the key without asking the server about it.")
    ] = False,
) -> None:
    """Store a key, typed without echo or sent to standard input, after asking the server about it.

    It is used where neither TINKER_API_KEY nor TINKER_CREDENTIAL_CMD is set, by the official client too.

    Example: tinsmith auth login < key.txt
    """
    from tinsmith.core.config import set_variables
    from tinsmith.core.key_file import store_key, stored_key

    path = _path()
    if there := stored_key(path):
        raise FileExistsError(f"the key {there.name!r} in {path}; remove it first: tinsmith auth logout")
    config = config_of(context, api_key=_read_key(context))
    if config.api_key is None:
        raise typer.BadParameter(f"{config.base_url} needs no key", ctx=context, param_hint="--base-url")
    info = None
    if not unchecked:
        with service(context, api_key=config.api_key) as client:
            info = key_info(client)
    stored = _stored(config.api_key.reveal(), info)
    store_key(path, stored)
    for name in set_variables("TINKER_API_KEY", "TINKER_CREDENTIAL_CMD"):
        note(f"{name} is set and goes before the stored key; unset it to use the latter.")
    owner = f" of {owner_of(info)['user']}" if info else ""
    document = {"file": str(path), "name": stored.name, "checked": not unchecked, **owner_of(info)}
    changed(context, f"Stored the key {stored.name!r}{owner} in {path}.", document)


def _path() -> Path:
    from tinsmith.core.config import key_file
    from tinsmith.core.errors import TinkerError

    path = key_file()
    if path is None:
        raise TinkerError("there is no home folder to keep the key in; name a file with TINSMITH_CREDENTIALS")
    return path


def _read_key(context: typer.Context) -> str:
    """Read the key from a person, who does not see it, or from standard input."""
    from tinsmith.core.config import is_one_piece

    if sys.stdin.isatty():
        import getpass

        try:
            text = getpass.getpass("API key (it is not shown): ", stream=sys.stderr)
        except EOFError:
            text = ""
    else:
        text = stdin_text(LONGEST_KEY + 1)
    key = text.strip()
    problem = None
    if not key:
        problem = "no key was given; type it, or send it to standard input: tinsmith auth login < key.txt"
    elif len(text) > LONGEST_KEY:
        problem = f"what was given has more than {LONGEST_KEY} characters, and is no key; send the key alone"
    elif not is_one_piece(key):
        problem = (
            "what was given holds a blank, a line end or a character that is not ASCII, as no key does; send"
            " the key alone"
        )
    if problem:
        raise typer.BadParameter(problem, ctx=context)
    return key


def key_info(client: ServiceClient) -> ApiKeyInfo | None:
    """Return what the server says of the key, or None if it takes the key but tells nothing of keys.

    AuthenticationError if it refuses the key.
    """
    from tinsmith.core.errors import NotFoundError

    try:
        return client.raw.get_api_key().result()
    except NotFoundError:
        client.get_server_capabilities()
        return None


def owner_of(info: ApiKeyInfo | None) -> dict[str, str]:
    """Return `organization` and `user` of a key; nothing where the server tells nothing of keys."""
    if info is None:
        return {}
    return {"organization": info.details.org_details.name, "user": info.details.user_details.email}


def _stored(key: str, info: ApiKeyInfo | None) -> StoredKey:
    from tinsmith_api.conversion import to_json

    from tinsmith.core.key_file import StoredKey

    if info is None:
        return StoredKey("manual", key, "manual")
    return StoredKey(str(info.key_id), key, info.name, info.note, to_json(info.details))


@app.command("logout")
def logout(context: typer.Context) -> None:
    """Remove the stored key from this machine; the server still takes it."""
    from tinsmith.core.key_file import forget_key

    path = _path()
    found = forget_key(path)
    message = f"Removed the key {found.name!r} from {path}." if found else f"There is no key in {path}."
    changed(context, message, {"file": str(path), "removed": found and found.name})


@app.command("status")
def status(context: typer.Context) -> None:
    """Show which key is used, where it comes from, and what the server says of it; exit code 4 if refused."""
    from tinsmith_api.conversion import to_json

    from tinsmith.core.config import key_source
    from tinsmith.core.errors import AuthenticationError, PermissionDeniedError

    problem = info = None
    with service(context) as client:
        config = client.config
        try:
            info = key_info(client)
        except (AuthenticationError, PermissionDeniedError) as error:
            problem = sentence(error)
    source = None if config.local else key_source()
    document = {
        "base_url": config.base_url,
        "source": source,
        "masked_key": _masked(config),
        "accepted": problem is None,
        "problem": problem,
        "key": to_json(info) if info else None,
    }
    rows = [
        ["Server", config.base_url],
        ["Source", source_words(source)],
        ["Key", _masked(config) or "not shown"],
        ["Accepted", "Yes" if problem is None else f"No: {problem}"],
    ]
    if info is not None:
        known = {name: value for name, value in to_json(info).items() if name != "details"}
        told = {**known, **owner_of(info)}
        rows += [[name.replace("_", " ").title(), str(value)] for name, value in told.items()]
    show(context, document, Properties(rows))
    if problem is not None:
        raise typer.Exit(AUTHENTICATION)


def _masked(config: ClientConfig) -> str | None:
    """Return a key by its first and last letters; None where there is none, or a command prints it."""
    if config.api_key is None:
        return None
    key = config.api_key.reveal()
    return f"{key[:4]}...{key[-4:]}" if len(key) >= SHOWN_FROM else "***"


def source_words(source: KeySource | None) -> str:
    """Return where the key comes from, and warn of a file that others can read."""
    from tinsmith.core.key_file import is_exposed

    if source is None:
        return "no key is needed"
    if source != "file":
        return {"environment": "TINKER_API_KEY", "command": "TINKER_CREDENTIAL_CMD"}[source]
    path = _path()
    if is_exposed(path):
        note(f"Others than you can read {path}; forbid it: chmod 600 {path}")
    return str(path)


@app.command("whoami")
def whoami(context: typer.Context) -> None:
    """Show to whom the key belongs."""
    with rest(context) as client:
        found = client.whoami().result()
    document = {"email": found.email, "user_urn": found.user_urn, "org_urn": found.org_urn}
    labels = ("Email", "User", "Organization")
    rows = [[label, value or "N/A"] for label, value in zip(labels, document.values(), strict=True)]
    show(context, document, Properties(rows))
