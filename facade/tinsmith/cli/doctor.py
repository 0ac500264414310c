"""`tinsmith doctor`: goes the way to a server step by step, and says where it ends and what to do.

Each check is a sentence. A check that others need stops them; the rest are made whatever came before.
"""

from __future__ import annotations

import platform
import socket
import ssl
import statistics
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import typer

from tinsmith.cli.connect import config_of, service
from tinsmith.cli.failure import sentence
from tinsmith.cli.login import key_info, owner_of, source_words
from tinsmith.cli.options import shared
from tinsmith.cli.output import Properties, count, show

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tinsmith.clients.raw import RawOperations
    from tinsmith.clients.service import ServiceClient
    from tinsmith.core.negotiation import Limits

PATIENCE_S = 8.0
"""Seconds for one check: a person waits for it."""

REQUESTS = 5
"""Requests whose median time is the latency."""

SLOW_S = 1.0
"""Latency from which a server is called slow: each step of training takes a few requests."""

CLOCK_OFF_S = 30.0
"""Difference of the clocks that is worth a warning: tokens and times to live end at other moments then."""

EXTRAS = {
    "local": "starlette", "gateway": "uvicorn", "images": "PIL", "parquet": "pyarrow", "plot": "matplotlib",
    "tensorboard": "tensorboardX", "trackio": "trackio", "wandb": "wandb", "torch": "torch", "jax": "jax",
    "hub": "huggingface_hub",
}  # fmt: skip
"""Extras, and a library of each by which it is known."""


class Diagnosis(NamedTuple):
    """What a check found."""

    check: str
    """What was looked at."""
    status: Literal["ok", "warn", "bad"]
    """`bad` where nothing works until it is mended."""
    finding: str
    """What there is, or what is wrong."""
    advice: str = ""
    """What to do; empty where nothing is wrong."""


class BlockedError(Exception):
    """A check that the next ones need has failed; its finding is the argument."""


def doctor(context: typer.Context) -> None:
    """Check the way to the server, the key and this installation, and say what is wrong and what to do.

    A session is opened and ended again. The exit code is 1 where something is bad.

    Example: tinsmith doctor --base-url local:
    """
    findings = [_versions(), _extras(), *_way(context)]
    address = next(
        (each.finding for each in findings if each.check == "Server" and each.status == "ok"), "N/A"
    )
    worst = next((each for each in ("bad", "warn") if any(f.status == each for f in findings)), "ok")
    rows = [
        [f"{f.status:<5}{f.check}", f"{f.finding}; {f.advice}" if f.advice else f.finding] for f in findings
    ]
    document = {"base_url": address, "status": worst, "checks": [each._asdict() for each in findings]}
    show(context, document, Properties(rows))
    if worst == "bad":
        raise typer.Exit(1)


def _versions() -> Diagnosis:
    import tinsmith

    words = f"tinsmith {tinsmith.__version__}, Python {platform.python_version()}, {platform.system()}"
    return Diagnosis("Versions", "ok", words)


def _extras() -> Diagnosis:
    there = [name for name, library in EXTRAS.items() if find_spec(library)]
    return Diagnosis("Extras", "ok", ", ".join(there) or "none")


def _way(context: typer.Context) -> Generator[Diagnosis]:
    """Yield the findings on the way to the server: all that can be made, whatever came before."""
    from tinsmith.core.addresses import DEFAULT_BASE_URL, check_base_url, is_local
    from tinsmith.core.config import set_variables
    from tinsmith.core.errors import TinkerError

    url = shared(context, "base_url") or set_variables("TINKER_BASE_URL").get("TINKER_BASE_URL")
    try:
        url = check_base_url(url or DEFAULT_BASE_URL, insecure=bool(shared(context, "insecure")))
    except TinkerError as wrong:
        yield Diagnosis("Server", "bad", sentence(wrong).rstrip("."), "give another --base-url")
        return
    yield Diagnosis("Server", "ok", url)
    reached = is_local(url) or (yield from _until_blocked(_network(url)))
    if (yield from _until_blocked(_key(context, url))) and reached:
        with service(context, url, deadline_s=PATIENCE_S) as client:
            yield from _until_blocked(_conversation(client))


def _until_blocked(checks: Iterator[Diagnosis]) -> Generator[Diagnosis, None, bool]:
    """Yield findings up to one that blocks the next ones, and return whether there was none."""
    try:
        yield from checks
    except BlockedError as blocked:
        yield blocked.args[0]
        return False
    return True


def _key(context: typer.Context, url: str) -> Iterator[Diagnosis]:
    """Look for the key, and where it comes from."""
    from tinsmith.core.config import key_source
    from tinsmith.core.errors import TinkerError

    try:
        config = config_of(context, url)
        source = None if config.local else key_source()
    except TinkerError as wrong:
        raise _blocked("Key", sentence(wrong), "tinsmith auth login stores a key") from wrong
    yield Diagnosis("Key", "ok", f"from {source_words(source)}" if source else "none is needed")


def _blocked(check: str, finding: str, advice: str) -> BlockedError:
    return BlockedError(Diagnosis(check, "bad", finding.rstrip("."), advice))


def _network(url: str) -> Iterator[Diagnosis]:
    """Reach the machine: its proxy or itself, its name, its port, its certificate."""
    from urllib.parse import urlsplit

    from tinsmith.core.errors import InputError
    from tinsmith.io.http.addressing import proxy_for

    parts = urlsplit(url)
    try:
        proxy = proxy_for(url)
    except InputError as wrong:
        raise _blocked("Proxy", wrong.message, "correct the variable") from wrong
    yield Diagnosis("Proxy", "ok", f"requests go over {proxy.named}" if proxy else "none")
    parts = urlsplit(proxy.url) if proxy else parts
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as cause:
        advice = "check the name, and that this machine is online"
        raise _blocked("DNS", f"{host} has no address: {cause.strerror or cause}", advice) from cause
    addresses = sorted({str(address[0]) for *_, address in found})
    yield Diagnosis("DNS", "ok", f"{host} is {', '.join(addresses[:3])}")
    try:
        connection = socket.create_connection((host, port), timeout=PATIENCE_S)
    except OSError as cause:
        what = "does not answer" if isinstance(cause, TimeoutError) else cause.strerror or str(cause)
        advice = "check the port, that the server runs, and that no firewall is between"
        raise _blocked("Connection", f"{host}:{port}: {what}", advice) from cause
    with connection:
        yield Diagnosis("Connection", "ok", f"{host}:{port} accepts connections")
        if parts.scheme == "https":
            yield _tls(connection, host)


def _tls(connection: socket.socket, host: str) -> Diagnosis:
    from tinsmith.io.http.transport import trusted

    try:
        with trusted().wrap_socket(connection, server_hostname=host) as secured:
            return Diagnosis("TLS", "ok", f"{secured.version()}, the certificate is valid for {host}")
    except ssl.SSLCertVerificationError as cause:
        advice = "name the certificates of your own authority with SSL_CERT_FILE, or correct the address"
        raise _blocked("TLS", f"the certificate is not trusted: {cause.verify_message}", advice) from cause
    except OSError as cause:  # ssl.SSLError is one
        advice = "check whether the address is http and not https, and the port"
        raise _blocked("TLS", f"{host} speaks no TLS here: {cause.strerror or cause}", advice) from cause


def _conversation(client: ServiceClient) -> Iterator[Diagnosis]:
    """Talk to the server: HTTP, clocks, the key, what it offers, a session."""
    from tinsmith.core.config import RetryConfig

    raw = client.raw.retrying(RetryConfig(deadline_s=PATIENCE_S))
    yield from _http(client, raw)
    yield from _accepted(client)
    yield from _offer(client)
    yield from _session(client, raw)


def _http(client: ServiceClient, raw: RawOperations) -> Iterator[Diagnosis]:
    """Ask for something small a few times: whether the API answers, how fast, and at what time."""
    from tinsmith.core.errors import AuthenticationError, NotFoundError, TinkerError

    ask: Callable[[], Any] = raw.healthz
    times_s: list[float] = []
    for _ in range(REQUESTS):
        asked_s = time.monotonic()
        try:
            try:
                answer = ask().response()
            except NotFoundError:
                ask = raw.get_server_capabilities
                asked_s = time.monotonic()
                answer = ask().response()
        except AuthenticationError:
            yield Diagnosis("HTTP", "ok", "the API answers, and refuses the key")
            return
        except TinkerError as error:
            advice = "check that the address leads to a server of this API, and not to another page"
            raise _blocked("HTTP", sentence(error), advice) from error
        times_s.append(time.monotonic() - asked_s)
    name = answer.headers.get("server")
    yield Diagnosis("HTTP", "ok", f"the API answers{f', served by {name}' if name else ''}")
    yield _latency(times_s)
    if not client.config.local:
        yield _clock(answer.headers.get("date"))


def _latency(times_s: list[float]) -> Diagnosis:
    median_s = statistics.median(times_s)
    words = f"median {median_s * 1e3:.0f} ms of {count(len(times_s), 'request')}"
    if median_s < SLOW_S:
        return Diagnosis("Latency", "ok", words)
    return Diagnosis("Latency", "warn", words, "check the network, the proxy, and how busy the server is")


def _clock(sent: str | None) -> Diagnosis:
    if sent is None:
        return Diagnosis("Clock", "ok", "the server does not tell its time")
    with suppress(ValueError):
        there = parsedate_to_datetime(sent)
        off_s = (datetime.now(UTC) - (there if there.tzinfo else there.replace(tzinfo=UTC))).total_seconds()
        if abs(off_s) < CLOCK_OFF_S:
            return Diagnosis("Clock", "ok", "the same as the server's")
        words = f"this machine is {abs(off_s):.0f} s {'ahead of' if off_s > 0 else 'behind'} the server"
        return Diagnosis("Clock", "warn", words, "set it by NTP: tokens and times to live end early or late")
    return Diagnosis("Clock", "warn", f"the server sends no time, but {sent[:40]!r}", "nothing depends on it")


def _accepted(client: ServiceClient) -> Iterator[Diagnosis]:
    from tinsmith.core.errors import AuthenticationError, PermissionDeniedError, TinkerError

    try:
        owner = owner_of(key_info(client))
    except (AuthenticationError, PermissionDeniedError) as error:
        advice = "tinsmith auth login stores another one; TINKER_API_KEY goes before it"
        raise _blocked("Accepted", f"the server refuses the key: {sentence(error)}", advice) from error
    except TinkerError as error:
        raise _blocked("Accepted", sentence(error), "try again later") from error
    words = f"the key is that of {owner['user']} ({owner['organization']})" if owner else "the key is taken"
    yield Diagnosis("Accepted", "ok", "no key is needed" if client.config.local else words)


def _offer(client: ServiceClient) -> Iterator[Diagnosis]:
    """Ask what the server is, what it offers, and how batches will be written."""
    from tinsmith.core.errors import TinkerError

    try:
        models = client.get_server_capabilities().supported_models
        settings = client.holder.settings
        encoding = client.holder.connection.run(settings.choose()).result()
    except TinkerError as error:
        raise _blocked("Offer", sentence(error), "try again later") from error
    kind = client.server.name
    known = "not one that Tinsmith knows: it is treated as the contract says" if kind == "unknown" else kind
    yield Diagnosis("Kind", "ok", known)
    names = [model.model_name for model in models if model.model_name]
    if names:
        yield Diagnosis("Models", "ok", f"{len(names)}, such as {names[0]}")
    else:
        yield Diagnosis("Models", "warn", "the server names no base model", "ask whoever runs it")
    yield Diagnosis("Encoding", "ok", f"batches are sent as {encoding}")
    yield Diagnosis("Limits", "ok", _limits(settings.limits))


def _limits(limits: Limits) -> str:
    """Return what bounds a request, and what is in flight."""
    chunks, samples = limits.chunks, limits.samples_in_flight
    bounds = (
        (chunks.max_datums, "datums a request"),
        (chunks.max_items, "tokens a request"),
        (chunks.max_bytes, "bytes a request"),
        (samples, "samples in flight"),
    )
    return ", ".join(f"{number:,} {what}" for number, what in bounds if number is not None)


def _session(client: ServiceClient, raw: RawOperations) -> Iterator[Diagnosis]:
    """Open a session, keep it alive, and end it."""
    from tinsmith_api.models import FinishReason

    import tinsmith
    from tinsmith.core.errors import APIStatusError, TinkerError

    version = tinsmith.__version__
    try:
        project = client.config.project_id
        made = raw.create_session(
            tags=["tinsmith-doctor"], user_metadata=None, sdk_version=version, project_id=project
        ).result()
        raw.session_heartbeat(session_id=made.session_id).result()
    except TinkerError as error:
        advice = "ask whoever runs the server whether your key may open sessions"
        raise _blocked("Session", sentence(error), advice) from error
    with suppress(APIStatusError):  # not every server has this route; without it the session ends by itself
        raw.finish_session(made.session_id, reason=FinishReason("success")).result()
    yield Diagnosis("Session", "ok", "opened, kept alive and ended again")
