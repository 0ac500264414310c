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

from tinsmith.gateway.gateway_options import GatewayOptions as GatewayOptions
from tinsmith.gateway.gateway_options import parse_aliases as parse_aliases
from tinsmith.gateway.routes import Beside as Beside
from tinsmith.gateway.routes import gateway_app as gateway_app

__all__ = ["Beside", "GatewayOptions", "gateway_app", "parse_aliases"]
