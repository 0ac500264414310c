"""Resume TLS sessions: a further connection to a host spares the certificates, on both sides.

It uses what `ssl` offers for a context, so that every library that opens connections with it resumes. It must
not choose whom to trust: `io.http.transport` does. A server that does not resume makes a whole handshake.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class ResumingObject(ssl.SSLObject):
    """One end of a TLS connection: it offers the session of an earlier one, and keeps its own for the next.

    In TLS 1.3 the session comes with the first bytes behind the handshake, so that it is kept then.
    """

    sessions: ClassVar[MutableMapping[str | None, ssl.SSLSession]]
    """The newest session with each host; those of one context."""

    _has_begun = False
    _is_kept = False

    def do_handshake(self) -> None:
        """Make the handshake, or as much of it as can be made now."""
        if not self._has_begun:
            self._has_begun = True
            known = self.sessions.get(self.server_hostname)
            if known is not None:
                self.session = known
        super().do_handshake()

    def read(self, *arguments: Any) -> Any:
        """Read decrypted bytes."""
        came = super().read(*arguments)
        if not self._is_kept:
            self._is_kept = True
            if self.session is not None and self.session.has_ticket:
                self.sessions[self.server_hostname] = self.session
        return came


def resume(context: ssl.SSLContext) -> ssl.SSLContext:
    """Have the connections of a context resume each other's sessions; returns the context."""
    own: dict[str | None, ssl.SSLSession] = {}
    context.sslobject_class = type("ResumingObject", (ResumingObject,), {"sessions": own})
    return context
