"""How commands reach a server: its address and key, a client, retries that are reported, pages of a list.

Reads no environment itself: the config does.
"""

from __future__ import annotations

import sys
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tinsmith.cli.options import shared
from tinsmith.cli.output import note, title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import typer

    from tinsmith.clients.rest import RestClient
    from tinsmith.clients.sampling import SamplingClient
    from tinsmith.clients.service import ServiceClient
    from tinsmith.core.config import ClientConfig, RetryConfig, Secret
    from tinsmith.io.events import Event, Progress
    from tinsmith.io.future import APIFuture
    from tinsmith.train.run_folder import RunFolder, RunWeights

DATABASE = "tinsmith.sqlite3"
"""The file by which the data directory of an embedded service is known."""

PRIVATE = "local:"
"""An embedded service that keeps nothing."""

PATIENCE_S, EVERY_S = 3.0, 10.0
"""Seconds of retrying before the first message about it, and between two messages; most faults end sooner."""

GIVEN_UP = "CancelledError"
"""How a request ends that the command itself gave up: no failure."""

DEADLINE_S = 60.0
"""Seconds of retrying before a command gives up: a person waits for it, while a training run must go on."""

RUN_DEADLINE_S = 300.0
"""Seconds of retrying for work of many requests: it should outlive the restart of a server."""


def config_of(
    context: typer.Context, url: str | None = None, *, creates: bool = False, **settings: Any
) -> ClientConfig:
    """Return what the options and the environment say of the server; `url` goes before both.

    Only a command that `creates` something may make the data directory of `local:PATH`.
    """
    import attrs

    from tinsmith.cli.failure import KeyRefusedError
    from tinsmith.core.config import ClientConfig
    from tinsmith.core.errors import InputError, TinkerError

    try:
        config = ClientConfig.from_environment(
            base_url=url or shared(context, "base_url"),
            require_key_prefix=False if shared(context, "any_key") else None,
            insecure=shared(context, "insecure") or None,
            **settings,
        )
    except InputError:
        raise
    except TinkerError as error:
        raise KeyRefusedError(_where_from(error.message, url or shared(context, "base_url"))) from error
    if not creates and _is_unused(config.base_url):
        config = attrs.evolve(config, base_url=PRIVATE)
    return config


def _where_from(message: str, url: str | None) -> str:
    """Say beside a complaint of the key which server wants one, where nobody named a server."""
    from tinsmith.core.addresses import DEFAULT_BASE_URL
    from tinsmith.core.config import set_variables

    if url or set_variables("TINKER_BASE_URL"):
        return message
    return f"no server is named, so that {DEFAULT_BASE_URL} is asked; {message}"


def _is_unused(base_url: str) -> bool:
    """Say whether a data directory holds nothing yet: reading it would create it for nothing."""
    from tinsmith.core.addresses import is_local, local_path

    path = local_path(base_url) if is_local(base_url) else None
    if path is None or (Path(path).expanduser() / DATABASE).exists():
        return False
    note(f"There is no data of an embedded service in {path}.")
    return True


def server_of(context: typer.Context) -> str:
    """Return the server of a new run: that of the options and the environment, or else the embedded one."""
    from tinsmith.core.addresses import DEFAULT_BASE_URL
    from tinsmith.core.config import key_source, set_variables
    from tinsmith.train.run_config import IN_FOLDER

    url: str | None = shared(context, "base_url") or set_variables("TINKER_BASE_URL").get("TINKER_BASE_URL")
    return kept_url(url) if url else DEFAULT_BASE_URL if key_source() else IN_FOLDER


def kept_url(url: str) -> str:
    """Return the address of a server as a run keeps it: valid from every folder.

    `local:` without a directory is a service whose state is in the folder of the run, and not one that keeps
    nothing.
    """
    from tinsmith.core.addresses import is_local, local_path
    from tinsmith.train.run_config import IN_FOLDER

    if not is_local(url):
        return url
    path = local_path(url)
    return IN_FOLDER if path is None else f"local:{Path(path).expanduser().absolute()}"


def retries(deadline_s: float) -> RetryConfig:
    """Return the rules by which a request is tried for `deadline_s` seconds, however often that is.

    The ten retries of a program are over in half a minute where a server refuses each at once.
    """
    from tinsmith.core.config import RetryConfig

    return RetryConfig(deadline_s=deadline_s, max_retries=sys.maxsize)


@contextmanager
def service(
    context: typer.Context,
    url: str | None = None,
    *,
    creates: bool = False,
    deadline_s: float = DEADLINE_S,
    api_key: Secret | None = None,
) -> Iterator[ServiceClient]:
    """Open a client for the server that the options and the environment name, and close it afterwards.

    `url` and `api_key` go before both. Only a command that `creates` something may make the data directory of
    `local:PATH`. `deadline_s` is how long a request is tried.
    """
    from tinsmith.clients.service import ServiceClient

    config = config_of(context, url, creates=creates, retry=retries(deadline_s), api_key=api_key)
    over = threading.Event()
    with warnings.catch_warnings(), ServiceClient(config=config, observer=_wait_reporter()) as client:
        warnings.showwarning = _show_warning
        threading.Thread(target=_report_retries, args=(client.progress, over), daemon=True).start()
        try:
            yield client
        finally:
            over.set()


@contextmanager
def rest(context: typer.Context, url: str | None = None) -> Iterator[RestClient]:
    """Open what lists and changes runs, checkpoints and sessions. It opens no session of its own.

    `url` goes before what the options and the environment say of the server.
    """
    with service(context, url) as client:
        yield client.create_rest_client()


def sampler_of(client: ServiceClient, name: str) -> SamplingClient:
    """Return the sampler of a checkpoint or of a base model, and wait until it is there."""
    from tinsmith.gateway.model_shelf import sampler_for

    return sampler_for(client, name).result()


def weights_of_run(context: typer.Context, path: Path) -> tuple[RunFolder, RunWeights]:
    """Return a run and what it has trained, which for one that is not finished is said.

    BadParameter for a folder without a run, a run without a checkpoint, and one whose embedded service is in
    use by the process that trains it.
    """
    import typer

    from tinsmith.cli.options import usage_errors
    from tinsmith.core.addresses import is_local
    from tinsmith.train import RunFolder

    with usage_errors(context, "CHECKPOINT"):
        folder = RunFolder.open(path)
        if is_local(shared(context, "base_url") or folder.base_url) and folder.is_being_trained:
            raise typer.BadParameter(
                f"the run in {path} is not finished, and its service takes one process; {folder.advice}",
                ctx=context,
                param_hint="CHECKPOINT",
            )
        weights = folder.weights()
    if weights.unfinished_step is not None:
        note(f"The run is not finished; this is its checkpoint after step {weights.unfinished_step}.")
    return folder, weights


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Say what the library warns of, without the line of its source and the arguments of its calls."""
    note(f"Warning: {str(message).partition(' Pass ')[0]}")


def _wait_reporter(now: Callable[[], float] = time.monotonic) -> Callable[[Event], None]:
    """Make what says what a long wait is for: one line for all requests that wait at the same time.

    It says nothing where a result has come since the wait began: then the server is only slow, and works.
    """
    done, came_s, said_s = 0, float("-inf"), float("-inf")

    def report(event: Event) -> None:
        nonlocal done, came_s, said_s
        if event.kind == "progress" and event.done > done:
            done, came_s = event.done, now()
        if event.kind == "wait" and now() - came_s >= event.waited_s and now() - said_s >= EVERY_S:
            said_s = now()
            note(f"Has waited {event.waited_s:.0f} s for {event.waits_for}")

    return report


def _report_retries(progress: Callable[[], Progress], over: threading.Event) -> None:
    """Say now and then that requests fail and are sent again: a command that only waits looks broken."""
    reported: Mapping[str, int] = {}
    pause_s = PATIENCE_S
    while not over.wait(pause_s):
        pause_s = EVERY_S
        errors = {kind: count for kind, count in progress().errors.items() if kind != GIVEN_UP}
        if errors != reported:
            reported = errors
            kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(errors.items()))
            note(f"No answer yet ({kinds}); trying again. Ctrl-C gives up.")


class Listing(NamedTuple):
    """The entries that were asked for, and their place in the whole list."""

    entries: list[Any]
    total: int | None
    """Entries in all; None when the server did not say."""
    offset: int
    limit: int

    def cursor(self) -> dict[str, int | None]:
        """Return the place as the API writes it."""
        return {"offset": self.offset, "limit": self.limit, "total_count": self.total}

    def document(self, name: str) -> dict[str, object]:
        """Return the listing as JSON has it, the entries under `name`."""
        return {name: self.entries, "cursor": self.cursor(), "total": self.total}

    def title(self, noun: str, where: str = "") -> str:
        """Return the heading of its table."""
        return title(len(self.entries), self.total and self.total - self.offset, noun, where)


def collect(ask: Callable[..., APIFuture[Any]], rows: str, *, limit: int, offset: int, page: int) -> Listing:
    """Fetch pages of at most `page` entries until there are `limit` (0: all) or the list ends.

    `ask(limit=, offset=)` asks for one page, whose field `rows` holds the entries.
    """
    from tinsmith.core.codec.answers import is_last_page, rows_sent  # loaded with the answer

    entries: list[Any] = []
    total: int | None = None
    place = offset
    while not limit or place - offset < limit:
        wanted = min(page, limit - (place - offset)) if limit else page
        answer = ask(limit=wanted, offset=place).result()
        entries += getattr(answer, rows)
        sent, cursor = rows_sent(answer, rows), getattr(answer, "cursor", None)
        total = cursor.total_count if cursor else None
        place += sent
        if is_last_page(wanted, sent, place, total):
            break
    if total is None and (not limit or place - offset < limit):
        total = place
    return Listing(entries, total, offset, limit)
