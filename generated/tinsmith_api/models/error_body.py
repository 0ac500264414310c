# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""ErrorBody."""

from __future__ import annotations

from typing import Any

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class ErrorBody(Model):
    """Body of a refused request. Servers differ, so every field is optional and unknown fields are kept.

    * `detail`: What is wrong: a text, or, as FastAPI servers answer 422, a list of `{loc, msg,
      type}` that names each field.
    * `error`: What is wrong, on servers that use this field instead of `detail`. Absent or null
      elsewhere.
    * `category`: Whether the user or the server is to blame. Absent or null where the server does
      not say. Known values: `unknown`, `server`, `user`.
    """

    detail: Any = None
    """What is wrong: a text, or, as FastAPI servers answer 422, a list of `{loc, msg, type}` that
    names each field.
    """
    error: str | None = None
    """What is wrong, on servers that use this field instead of `detail`. Absent or null elsewhere."""
    category: str | None = None
    """Whether the user or the server is to blame. Absent or null where the server does not say. Known
    values: `unknown`, `server`, `user`.
    """
