"""The key that goes with each request: the user's, the one that a command prints, or a token made of it.

Each request passes it on its way to the connections. It owns renewal and the one replay of a request that was
refused for its token alone. It must not retry: `io.http.sender` does.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import orjson

from tinsmith.core.access_token import AFTER_FAILURE_S, Lifetime, is_invalid_token, is_token
from tinsmith.core.config import Secret, check_key
from tinsmith.core.errors import AuthenticationError, TinkerError
from tinsmith.io.http.messages import Faulted, Lane, Request, json_body
from tinsmith.io.runtime import SharedTask

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping
    from random import Random

    from tinsmith_api.models import ClientConfigResponse

    from tinsmith.core.config import ClientConfig
    from tinsmith.io.http.messages import Answer
    from tinsmith.io.http.transport import Transport
    from tinsmith.io.runtime import Runtime

_log = logging.getLogger("tinsmith")

COMMAND_TIMEOUT_S = 30.0
"""Seconds that the command for the key may take; it may ask another service."""

LONGEST_KEY = 16 * 1024
"""Bytes that the command may print: above any token that a server takes in a header."""

EXCHANGE_TIMEOUT_S = 30.0
"""Seconds for one exchange of a key for a token."""


class Credentials:
    """The credentials of one client: each attempt gets the key that is valid now."""

    def __init__(self, config: ClientConfig, runtime: Runtime, transport: Transport, random: Random) -> None:
        self._config = config
        self._runtime = runtime
        self._transport = transport
        self._random = random
        self._key = config.api_key
        self._token: Secret | None = None
        self._life: Lifetime | None = None
        self._from_command = config.api_key is None and config.credential_command is not None
        self._exchanges = False
        self._renewing: SharedTask[None] | None = None

    def adopt(self, flags: ClientConfigResponse) -> None:
        """Do as the server says: take the key from the command, exchange it for a token."""
        if (
            flags.credential_default_source == "credential_cmd"
            and self._config.credential_command is not None
        ):
            self._from_command, self._key = True, None
        self._exchanges = flags.pjwt_auth_enabled
        self._life = None

    async def send(self, request: Request, extra_headers: Mapping[str, str] | None = None) -> Answer:
        """Make one attempt with the key that is valid now; once more if only the token was refused."""
        await self._be_ready()
        used = self._token or self._key
        answer = await self._send(request, extra_headers, used)
        if answer.ok or not is_invalid_token(answer.status, answer.headers):
            return answer
        if self._config.local:
            return answer
        if used is (self._token or self._key):  # else it was renewed meanwhile
            await self._renew(forced=True)
        renewed = self._token or self._key
        if used is renewed:
            return answer
        return await self._send(request, extra_headers, renewed)

    async def _send(
        self, request: Request, extra_headers: Mapping[str, str] | None, used: Secret | None
    ) -> Answer:
        """Make one attempt; a server may also quote the key behind the token."""
        held = [each.reveal() for each in (self._key, self._token) if each is not None and each is not used]
        return await self._transport.send(request, extra_headers, key=used, hidden=held)

    def renew_connections(self, lane: Lane) -> None:
        """Have the next request of a lane use new connections."""
        self._transport.renew(lane)

    async def _be_ready(self) -> None:
        """Have a key and, where tokens are used, a live one: renewed on the way, awaited at its end."""
        if self._key is None and self._from_command:
            await self._renew()
        if not self._exchanges or (self._key is not None and is_token(self._key.reveal())):
            return
        now_s = self._runtime.loop.time()
        if self._life is None or now_s >= self._life.last_s:
            await self._renew()
        elif now_s >= self._life.refresh_s and self._renewing is None:
            self._runtime.task(self._renew())

    async def _renew(self, *, forced: bool = False) -> None:
        """Renew once, however many ask."""
        if self._renewing is None:
            self._renewing = SharedTask(lambda: self._renewed(forced))
        question = self._renewing
        try:
            await question.result()
        finally:
            if self._renewing is question:
                self._renewing = None

    async def _renewed(self, forced: bool) -> None:
        if self._from_command and (self._key is None or forced):
            await self._ask_command()
        if self._key is None or is_token(self._key.reveal()) or not (self._exchanges or forced):
            return
        token = await self._exchange(self._key)
        now_s = self._runtime.loop.time()
        if token is None:
            self._life = Lifetime(now_s + AFTER_FAILURE_S, now_s + AFTER_FAILURE_S)
            return
        self._token, self._exchanges = token, True
        self._life = Lifetime.of(
            token.reveal(), now_s=now_s, wall_now_s=time.time(), random=self._random.random()
        )

    async def _ask_command(self) -> None:
        """Take the command's key. One at hand is used on, since the request may have been sent before."""
        try:
            self._key = await self._runtime.in_thread(self._run_command)
        except TinkerError as error:
            if self._key is None:
                raise
            _log.warning("the key could not be renewed: %s", error.message)

    async def _exchange(self, key: Secret) -> Secret | None:
        """Exchange a key for a token; None when it failed, and what is at hand is used on."""
        request = Request(
            "auth_token",
            "POST",
            "api/v1/auth/token",
            Lane.HEARTBEAT,
            json_body({}),
            timeout_s=EXCHANGE_TIMEOUT_S,
        )
        try:
            answer = await self._transport.send(request, key=key)
            found = answer.json().get("jwt") if answer.ok else None
            reason = f"status {answer.status}"
        except Faulted as fault:
            found, reason = None, str(fault.fault)
        except (orjson.JSONDecodeError, AttributeError):
            found, reason = None, "an answer that cannot be read"
        if not isinstance(found, str) or not found or not found.isascii() or not found.isprintable():
            _log.warning("the key could not be exchanged for a token (%s); again in a minute", reason)
            return None
        return Secret(found)

    def _run_command(self) -> Secret:
        """Run the user's command; neither it nor what it prints is ever shown."""
        found = _printed(self._config.credential_command or "")
        if isinstance(found, str):
            raise _refused(found)
        config = self._config
        try:
            check_key(found, base_url=config.base_url, require_prefix=config.require_key_prefix)
        except TinkerError:
            hint = (
                ", or for a self-hosted server require_key_prefix=False is missing" if found.reveal() else ""
            )
            raise _refused(f"what it printed is no key{hint}") from None
        return found


def _printed(command: str) -> Secret | str:
    """Return what a command prints, or why there is nothing. It reads nothing of this program's input."""
    import shlex
    import subprocess  # few programs have a command, and all would load it

    try:
        words = shlex.split(command)
        running = subprocess.Popen(  # noqa: S603  # the user's own
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except (OSError, ValueError, IndexError) as broken:
        return f"it cannot be run ({type(broken).__name__})"
    ends_s = time.monotonic() + COMMAND_TIMEOUT_S
    printed = _read_out(running)
    try:
        if printed is None or len(printed) > LONGEST_KEY:
            running.kill()
        code = running.wait(max(1.0, ends_s - time.monotonic()))
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
        printed = None
    if printed is None:
        return f"it took longer than {COMMAND_TIMEOUT_S:g} s"
    if len(printed) > LONGEST_KEY:
        return f"it printed more than {LONGEST_KEY} bytes"
    if code:
        return f"it ended with code {code}"
    return Secret(printed.decode("utf-8", "replace").strip())


def _read_out(running: subprocess.Popen[bytes]) -> bytes | None:
    """Read what a command prints, hardly more than a key; None where that did not end in time."""
    found: list[bytes] = []
    pipe = running.stdout
    assert pipe is not None

    def read() -> None:
        with pipe:
            found.append(pipe.read(LONGEST_KEY + 1))

    # A thread, since what a command leaves behind may hold the pipe when the command itself is gone.
    reader = threading.Thread(target=read, name="tinsmith-credential", daemon=True)
    reader.start()
    reader.join(COMMAND_TIMEOUT_S)
    return found[0] if found else None


def _refused(why: str) -> AuthenticationError:
    return AuthenticationError(
        f"the command of TINKER_CREDENTIAL_CMD gave no key: {why}", status_code=401, applied="no"
    )
