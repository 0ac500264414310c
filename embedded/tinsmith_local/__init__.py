"""The embedded service: a real small Tinker in this process.

Reached in two ways: `transport` (beneath the client, for `base_url="local:"`) and `serve` (the same app
behind uvicorn). Never imports the clients or `io`; `import tinsmith` loads nothing of it.
"""

from __future__ import annotations

import logging

logging.getLogger("tinsmith.local").addHandler(logging.NullHandler())
