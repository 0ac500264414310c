"""The way of one client to one server: it sends requests and polls for promises.

It wires `io.http` and `io.polling` together. It must not know a queue or a session: `io.context` does.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tinsmith.core.optional_deps import require_extra
from tinsmith.io import runtime as _runtime
from tinsmith.io.billing import Billing
from tinsmith.io.events import Observers
from tinsmith.io.http.auth import Credentials
from tinsmith.io.http.sender import Sender
from tinsmith.io.http.server import Server
from tinsmith.io.http.transport import Transport
from tinsmith.io.polling.poller import Poller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import httpx

    from tinsmith.core.config import ClientConfig
    from tinsmith.core.errors import TinkerError
    from tinsmith.core.negotiation import Limits
    from tinsmith.io.events import Event


class Connection:
    """What sends and polls for one client. Two connections share nothing but the event loop."""

    def __init__(
        self,
        config: ClientConfig,
        *,
        http_client: httpx.AsyncClient | None = None,
        observers: Iterable[Callable[[Event], object]] = (),
        random: Random | None = None,
    ) -> None:
        if config.local:
            require_extra("base_url='local:'", "local")
        self.config = config
        """The settings of the user."""
        self.runtime = _runtime.current()
        """The event loop on which everything runs."""
        self.random = random or Random()  # noqa: S311  # jitter, not a secret
        """The source of jitter."""
        self.observers = Observers(observers)
        """Receive the events of this client."""
        self.billing = Billing(self.observers)
        """Reports pauses while the account cannot pay."""
        self.server = Server(config)
        """What is known of the server: its profile, recognised from its answers."""
        self.transport = Transport(config, http_client)
        """The HTTP connections."""
        self.credentials = Credentials(config, self.runtime, self.transport, self.random)
        """Adds the key that is valid now to each request."""
        self.sender = Sender(config, self.credentials, self.observers, self.billing, self.random, self.server)
        """Sends requests, and sends them again where that is safe."""
        self.poller = Poller(
            config, self.runtime, self.credentials, self.observers, self.billing, self.random, self.server
        )
        """Asks for the results of promises."""
        self.closing: TinkerError | None = None
        """The error of new calls, from the moment when `close` was called; None before."""
        self.ended: TinkerError | None = None
        """The error of every call after the end; None before."""

    @property
    def closed(self) -> bool:
        """Whether the client ended."""
        return self.ended is not None

    def check(self) -> None:
        """Raise where no new call is taken: after the end, while closing, and in the child of a fork.

        It is called before anything of a call is sent.
        """
        self.runtime.check()
        refusal = self.ended or self.closing
        if refusal is not None:
            raise refusal.again("no")

    def apply_limits(self, limits: Limits) -> None:
        """Apply the limits that the server dictates."""
        self.poller.apply_limits(limits)
        self.sender.apply_limits(limits)

    def end(self, error: TinkerError) -> None:
        """Fail every poll, and every later call, with the first error that is given here."""
        self.ended = self.ended or error
        self.poller.end(error)
