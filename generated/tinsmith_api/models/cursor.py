# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Cursor."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class Cursor(Model):
    """Which part of a list a page is.

    * `offset`: Number of entries before this page.
    * `limit`: Most entries that this page could hold.
    * `total_count`: Number of entries in all.
    """

    offset: int
    """Number of entries before this page."""
    limit: int
    """Most entries that this page could hold."""
    total_count: int
    """Number of entries in all."""
