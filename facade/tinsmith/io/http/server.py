"""What is known of the server: which kind it is, and so whether a request may be sent to it twice.

It looks at answers that came anyway. It must not send, nor decide what a mark means: `core.server_profiles`
does.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import attrs
import orjson

from tinsmith.core.addresses import DEFAULT_BASE_URL
from tinsmith.core.errors import ServerWarning
from tinsmith.core.server_profiles import Clues, profile_of, recognise, version_by_probe
from tinsmith.io.events import warn_visibly

if TYPE_CHECKING:
    from tinsmith.core.codec.wire import Encoding
    from tinsmith.core.config import ClientConfig
    from tinsmith.io.http.messages import Answer, Request

_log = logging.getLogger("tinsmith")

ANSWERS_LOOKED_AT = 16
"""Answers in which marks of a kind of server are looked for; the first of each kind have them, if any has."""


class Server:
    """The server of one client, as far as its answers have shown what it is."""

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._clues = Clues()
        self._looked = 0
        self.profile = self._clues.profile
        """What is known of this kind of server; its answers say more as they come."""
        self.may_resend_unknown = False
        """Whether a submission of unknown outcome is sent again."""
        self.is_recognised = False
        """Whether its answers are no longer looked at."""
        self.is_vouched_for = (
            config.server_deduplicates is not None or config.local or config.base_url == DEFAULT_BASE_URL
        )
        """Whether the user said, or the server showed, whether it applies a number once."""
        self._missing: set[str] = set()
        self._become(attrs.evolve(self._clues, profile=profile_of(config)))

    def has(self, operation: str) -> bool:
        """Say whether the server may have an operation: neither its kind nor an answer says otherwise."""
        return operation not in self.profile.lacks and operation not in self._missing

    def misses(self, operation: str) -> None:
        """Note that the server answered that it has no such route."""
        self._missing.add(operation)

    def examine(self, request: Request, answer: Answer) -> None:
        """Look for marks of a kind of server in an answer."""
        self._looked += 1
        try:
            payload = answer.json()
        except orjson.JSONDecodeError:
            payload = None
        self._become(recognise(self._clues, request.operation, answer.status, answer.headers, payload))
        self.is_recognised = self.profile.is_final or self._looked >= ANSWERS_LOOKED_AT

    def was_probed(self, found: Encoding) -> None:
        """Note the encoding that a probe found, which distinguishes versions of one kind."""
        self._become(attrs.evolve(self._clues, profile=version_by_probe(self.profile, found)))

    def _become(self, clues: Clues) -> None:
        """Take the server for what its answers show, and warn once of what that means for lost answers."""
        before, profile, config = self.profile, clues.profile, self._config
        self._clues, self.profile = clues, profile
        said = config.server_deduplicates  # by the user, which beats the profile
        deduplicates = profile.deduplicates if said is None else said
        self.may_resend_unknown = deduplicates and config.on_unknown == "resend"
        self.is_recognised = self.is_recognised or profile.is_final
        if profile is not before or not self._looked:
            does = "is sent again" if self.may_resend_unknown else "is not sent again"
            _log.debug("server profile %s: a submission of unknown outcome %s", profile.name, does)
        if profile is before or not profile.is_final:
            return
        if profile.deduplicates:
            self.is_vouched_for = True
        elif config.server_deduplicates is None:
            warn_visibly(
                f"{config.base_url} is a server of the kind {profile.name}, which would apply a request twice"
                " that is sent twice: one whose answer is lost is not sent again, and fails with applied"
                " 'unknown'. Pass server_deduplicates=False to say that this is known, or True to send"
                " again.",
                ServerWarning,
            )
