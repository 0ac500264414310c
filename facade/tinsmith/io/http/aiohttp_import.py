"""Import aiohttp without reading the certificates of the system, which takes longer than all the rest of it.

aiohttp makes two TLS contexts when it is imported, for callers that bring none. Ours bring their own. Here
these two read the certificates when a connection first uses them, so that other users of aiohttp in the
process have them as they expect.
"""

from __future__ import annotations

import ssl
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

_guard = threading.Lock()


def aiohttp_module() -> ModuleType:
    """Return aiohttp, imported if it was not."""
    with _guard:
        if "aiohttp" not in sys.modules:
            context: Any = ssl.SSLContext
            context.set_default_verify_paths = _read_at_first_use
            try:
                return import_module("aiohttp")
            finally:
                del context.set_default_verify_paths  # the method of the base class is back
    return import_module("aiohttp")


def _read_at_first_use(context: Any) -> None:
    """Have a context read the default certificates before the first connection that it wraps."""

    def read() -> None:
        del context.wrap_bio, context.wrap_socket
        context.set_default_verify_paths()

    def wrap_bio(*arguments: Any, **options: Any) -> Any:
        read()
        return context.wrap_bio(*arguments, **options)

    def wrap_socket(*arguments: Any, **options: Any) -> Any:
        read()
        return context.wrap_socket(*arguments, **options)

    context.wrap_bio, context.wrap_socket = wrap_bio, wrap_socket
