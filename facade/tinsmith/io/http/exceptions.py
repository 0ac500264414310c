"""What an exception of an HTTP library says about a request, by the names of its classes.

`ConnectTimeout` alone proves nothing: the lean transport says it of resets too. So the whole chain of causes
is looked at, down to the socket. It must not import the libraries, nor decide what follows.
"""

from __future__ import annotations

import errno
import socket
import ssl
from asyncio import CancelledError

from tinsmith.core.retry import Fault
from tinsmith.io.http.messages import Faulted

MAX_REASON = 300
"""Characters of a library's message that a person is shown: some quote what they could not read."""

STOCK_CONNECTING = frozenset({"ConnectError", "ConnectTimeout", "ProxyError", "UnsupportedProtocol"})
"""Exceptions of httpx's own transport that come before the first byte of a request."""

LEAN_CONNECTING = frozenset(
    {
        "ClientConnectorError",
        "ClientProxyConnectionError",
        "ClientHttpProxyError",
        "ConnectionTimeoutError",
        "NonHttpUrlClientError",
        "InvalidUrlClientError",
    }
)
"""Exceptions of the lean transport that come before the first byte of a request."""


OF_THE_WIRE = frozenset({"HTTPError", "InvalidURL", "ClientError", "OSError"})
"""What the libraries and the socket raise of an exchange; anything else is a defect or a decision of ours."""


def is_of_the_wire(error: Exception) -> bool:
    """Say whether an exception comes from the exchange."""
    return any(cls.__name__ in OF_THE_WIRE for cls in type(error).__mro__)


def lacks_descriptors(error: BaseException) -> bool:
    """Say whether a connection was not opened because the process, or the machine, has no descriptor free."""
    return any(
        isinstance(each, OSError) and each.errno in (errno.EMFILE, errno.ENFILE)
        for cause in _causes(error)
        for each in (cause.exceptions if isinstance(cause, BaseExceptionGroup) else (cause,))
    )


def name_fault(error: Exception) -> Faulted:
    """Name what happened, in words that may quote a secret of the request."""
    chain = _causes(error)
    names = {cls.__name__ for each in chain for cls in type(each).__mro__}
    # A cancelled wait is how libraries end one that took too long; its text is about their insides.
    said = (str(each) for each in chain if not isinstance(each, CancelledError))
    reason = next(filter(None, said), type(error).__name__)
    reason = " ".join(reason.split())[:MAX_REASON]
    lean = any(type(each).__module__.startswith("aiohttp") for each in chain)
    if names & (LEAN_CONNECTING if lean else STOCK_CONNECTING):
        return Faulted(_connect_fault(chain, names, lean=lean), reason)
    if "WriteTimeout" in names:
        return Faulted(Fault.WRITE_TIMEOUT, reason)
    if "TimeoutException" in names and (not lean or "ServerTimeoutError" in names):
        return Faulted(Fault.READ_TIMEOUT, reason)
    if "DecodingError" in names or "ContentEncodingError" in names:
        return Faulted(Fault.BROKEN_BODY, reason)
    if names & {"ClientPayloadError", "ClientResponseError", "RemoteProtocolError"}:
        return Faulted(Fault.TRUNCATED, reason)
    return Faulted(Fault.RESET, reason)


def _connect_fault(chain: list[BaseException], names: set[str], *, lean: bool) -> Fault:
    if any(isinstance(each, ssl.SSLError) for each in chain):
        return Fault.TLS
    if "ClientConnectorDNSError" in names or any(isinstance(each, socket.gaierror) for each in chain):
        return Fault.DNS
    if "ConnectionTimeoutError" in names or (not lean and "ConnectTimeout" in names):
        return Fault.CONNECT_TIMEOUT
    return Fault.REFUSED


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return the chain of causes; a context counts, since one library hides its cause behind `from None`."""
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or error.__context__
    return chain
