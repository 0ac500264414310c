# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""SessionTraceExport."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class SessionTraceExport(Model):
    """Where the trace of a session can be fetched. While it is pending, ask again every 5 seconds.

    * `status`: How far the export is. Known values: `pending`, `ready`, `failed`.
    * `url`: Where the trace can be fetched. Absent or null unless it is ready. The URL is signed
      and therefore a secret.
    * `error`: Why the export failed. Absent or null unless it did.
    """

    status: str
    """How far the export is. Known values: `pending`, `ready`, `failed`."""
    url: str | None = attrs.field(default=None, repr=False)
    """Where the trace can be fetched. Absent or null unless it is ready. The URL is signed and
    therefore a secret.
    """
    error: str | None = None
    """Why the export failed. Absent or null unless it did."""
