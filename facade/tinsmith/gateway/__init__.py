"""The gateway: any model of a service behind the OpenAI API.

>>> import tinsmith
>>> from starlette.testclient import TestClient
>>> from tinsmith.gateway import gateway_app
>>> with tinsmith.ServiceClient(base_url="local:") as service:
...     client = TestClient(gateway_app(service))
...     body = {"model": "tinsmith/tiny", "prompt": "one", "max_tokens": 2, "seed": 1}
...     answer = client.post("/v1/completions", json=body).json()
>>> answer["object"], answer["usage"]["completion_tokens"]
('text_completion', 2)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinsmith.gateway.gateway_options import GatewayOptions as GatewayOptions
    from tinsmith.gateway.gateway_options import parse_aliases as parse_aliases
    from tinsmith.gateway.routes import Beside as Beside
    from tinsmith.gateway.routes import gateway_app as gateway_app

_HOME = {
    "Beside": "routes",
    "GatewayOptions": "gateway_options",
    "gateway_app": "routes",
    "parse_aliases": "gateway_options",
}

__all__ = ["Beside", "GatewayOptions", "gateway_app", "parse_aliases"]

if not TYPE_CHECKING:  # a checker takes the names from above, and refuses all others

    def __getattr__(name: str) -> object:
        """Load a public name when it is first asked for: who reads sampled text needs no Starlette."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
