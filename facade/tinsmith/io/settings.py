"""What one server says of itself, fetched when it is first needed and kept for the life of the client.

It owns the request of `client/config` and the probes, and sends each once. It must not decide what an answer
means: `core.negotiation` does.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

import attrs

from tinsmith.core import __version__
from tinsmith.core.codec.wire import CONTENT_TYPES
from tinsmith.core.errors import InputError
from tinsmith.core.negotiation import (
    PARALLEL_FLAG,
    PROBE,
    PROBE_MODEL,
    encoding_shown_by,
    known_encoding,
    limits_of,
    probes_again,
    read_flags,
    sends_chunks_at_once,
    shows_protobuf,
    unreadable,
)
from tinsmith.core.retry import Fault, OpClass
from tinsmith.io.http import operations
from tinsmith.io.http.messages import Body, Lane, Request
from tinsmith.io.http.sender import new_idempotency_key
from tinsmith.io.runtime import SharedTask

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith_api.models import ClientConfigResponse

    from tinsmith.core.codec.wire import Encoding
    from tinsmith.core.config import ClientConfig
    from tinsmith.core.negotiation import Limits
    from tinsmith.io.http.auth import Credentials
    from tinsmith.io.http.sender import Sender
    from tinsmith.io.http.server import Server

_log = logging.getLogger("tinsmith")

_SAYS_NOTHING = frozenset({401, 402, 403, 408, 429})
"""Statuses that do not show whether the server has the operation."""

PROBE_RETRIES = 3
"""Re-sends of a probe that was lost or answered 500: after as many, the 500 is the answer."""

HOLD_MARGIN_S = 30.0
"""Seconds beyond the longest hold of a server after which an answer does not come any more."""


class ServerSettings:
    """The flags and limits of one server, and the encoding that it gets."""

    def __init__(
        self,
        config: ClientConfig,
        credentials: Credentials,
        sender: Sender,
        server: Server,
        *,
        on_limits: Callable[[Limits], None],
    ) -> None:
        self._own = config
        self._credentials = credentials
        self._sender = sender
        self._server = server
        self._on_limits = on_limits
        self.flags: ClientConfigResponse | None = None
        """What `client/config` said; None before it was fetched, and where the server has no such route."""
        self.limits = limits_of(config, None)
        """What holds now."""
        self.encoding: Encoding | None = None
        """How batches are written; None before the first one. Once known it never changes."""
        self.creates_by_load = True
        """Whether a model may be created by loading a checkpoint; False once the server refused."""
        self._fetched = False
        self._parallel_flag: object = None  # as the server says it; the flags tell no silence from a yes
        self._config = SharedTask(self._fetch_config)
        self._choice: SharedTask[Encoding] | None = None

    def hold_of(self, operation: str) -> float | None:
        """Return the seconds to wait for an answer that the server holds for long; None for the usual ones.

        Given up too early, the work goes on at the server, and a second try would begin it anew.
        """
        held_s = self._server.profile.create_hold_s if operation == "create_model" else None
        usual_s = self._own.timeouts.total_s
        return None if held_s is None else max(usual_s, held_s + HOLD_MARGIN_S)

    async def fetch(self) -> ClientConfigResponse | None:
        """Return the server's flags, fetched once; None where it has none."""
        if not self._fetched:
            await self._config.result()
        return self.flags

    async def choose(self, batch_bytes: int = 0) -> Encoding:
        """Return the encoding of batches, found at a first batch of about this size; raise for one not read.

        One probe at most finds what is parsed, a second one whether protobuf is read beside JSON where the
        batch is large. SkyRL is probed also where the encoding is known, since nothing else shows which
        version it is.
        """
        if self.encoding is None:
            self._choice = self._choice or SharedTask(partial(self._find_encoding, batch_bytes))
            found = await self._choice.result()
            problem = unreadable(found, self._server.profile)
            if problem is not None:
                raise InputError(problem, field="encoding")
            self.encoding = found
        return self.encoding

    async def _find_encoding(self, batch_bytes: int) -> Encoding:
        await self.fetch()
        found = known_encoding(self._own, self.flags, self._server.profile)
        if found is None or self._server.profile.name == "skyrl":
            probed = await self._probe()
            found = found or probed
            if probes_again(self._own, self._server.profile, found, batch_bytes):
                found = await self._probe_protobuf()
        return found

    @property
    def compresses(self) -> bool:
        """Whether the server wants batches in the binary form compressed."""
        return self.flags is not None and self.flags.proto_compress_fwdbwd

    @property
    def sends_chunks_at_once(self) -> bool:
        """Whether the chunks of one batch go out without waiting for each other; known once `choose` was."""
        chosen, profile = self._own.chunks_at_once, self._server.profile
        may_resend = self._server.may_resend_unknown
        return sends_chunks_at_once(chosen, profile, self._parallel_flag, may_resend=may_resend)

    def close(self) -> None:
        """Cancel what is under way."""
        self._config.cancel()
        if self._choice is not None:
            self._choice.cancel()

    async def _fetch_config(self) -> None:
        """Fetch the flags. A server that refuses has no such route: our own limits hold."""
        from tinsmith_api.models import ClientConfigResponse  # not needed for reads

        request = operations.request("client_config", body={"sdk_version": __version__})
        exchange = await self._sender.exchange(request, OpClass.READ, valid=operations.is_json)
        status, answer = exchange.outcome.status, exchange.answer
        given = (
            operations.decoded(answer, request.operation) if exchange.done and answer is not None else None
        )
        if isinstance(given, dict):
            flags, ignored = read_flags(ClientConfigResponse, given)
            if ignored:
                _log.warning("flags of the server with values of another kind: %s", ", ".join(ignored))
            self._parallel_flag = given.get(PARALLEL_FLAG)
            self.flags, self.limits = flags, limits_of(self._own, flags)
            self._on_limits(self.limits)
            self._credentials.adopt(flags)
        elif exchange.done or exchange.outcome.fault is Fault.BROKEN_BODY:
            _log.warning("the server's client/config cannot be read; the limits of this client hold")
        elif status is None or status in _SAYS_NOTHING or (status >= 500 and status != 501):
            error = self._sender.error(exchange)
            error.applied = "no"
            raise error
        self._fetched = True

    async def _probe(self) -> Encoding:
        """Find which encoding is parsed, with a body that applies nothing and takes no number."""
        probe = _probing(Body.of((PROBE,)))
        short = attrs.evolve(self._own.retry, max_retries=PROBE_RETRIES)
        exchange = await self._sender.exchange(probe, OpClass.READ, retry=short, patient=True)
        status = exchange.outcome.status
        if status is None or status > 500:  # it was lost, not answered: as patient as any read
            exchange = await self._sender.exchange(probe, OpClass.READ, patient=True)
            status = exchange.outcome.status
        found = None if status is None else encoding_shown_by(status)
        if found is None:
            error = self._sender.error(exchange)
            error.applied = "no"
            error.add_note("This was the probe that finds the encoding; `encoding=` spares it.")
            raise error
        _log.debug("the server parses batches as %s (it answered the probe with %s)", found, status)
        self._server.was_probed(found)
        return found

    async def _probe_protobuf(self) -> Encoding:
        """Find whether protobuf is read too, by a forward pass of a model that is not there; sent once."""
        from tinsmith.core.codec.encode import encode_forward_backward  # loads what most servers need not
        from tinsmith.core.values import Datum, ModelInput

        data = [Datum({"target_tokens": [1]}, ModelInput.from_ints([1]))]
        body = encode_forward_backward(
            "forward", data, "cross_entropy", None, PROBE_MODEL, 1, encoding="protobuf"
        )
        probe = _probing(Body.of(body, CONTENT_TYPES["protobuf"]))
        exchange = await self._sender.exchange(probe, OpClass.BEST_EFFORT)
        answer = exchange.answer
        if answer is None or not shows_protobuf(answer.status, answer.body.decode("utf-8", "replace")):
            return "json"
        _log.debug("the server reads batches as protobuf too")
        return "protobuf"


def _probing(body: Body) -> Request:
    """Make the request of a probe: a batch that no server can apply."""
    operation, key = "forward_backward", new_idempotency_key()
    return Request(operation, "POST", operations.target(operation), Lane.CONTROL, body, idempotency_key=key)
