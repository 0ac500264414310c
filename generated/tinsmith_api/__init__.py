# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""A client of the training API that stands alone: README.md shows how to use it.

`api` has a module for each operation, `models` the values they take and give, `promises` waits for results,
`operations` lists all operations as data, and `contract.json` is the contract itself. What is named here is
loaded when it is used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import AuthenticatedClient as AuthenticatedClient
    from .client import Client as Client
    from .promises import wait as wait
    from .promises import wait_async as wait_async

_MODULE_OF = {
    "AuthenticatedClient": ".client",
    "Client": ".client",
    "wait": ".promises",
    "wait_async": ".promises",
}

__all__ = (
    "AuthenticatedClient",
    "Client",
    "wait",
    "wait_async",
)


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(module, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
