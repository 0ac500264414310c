# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TensorDataOutput."""

from __future__ import annotations

import attrs

from ..model import Model
from ..reading import own_fields


@attrs.frozen(field_transformer=own_fields)
class TensorDataOutput(Model):
    """A tensor in a result.

    * `data`: The numbers, row by row.
    * `dtype`: Type of the numbers. Known values: `int64`, `float32`.
    * `shape`: Size along each axis. Absent or null means one axis, as long as `data`.
    """

    data: list[float]
    """The numbers, row by row."""
    dtype: str
    """Type of the numbers. Known values: `int64`, `float32`."""
    shape: list[int] | None = None
    """Size along each axis. Absent or null means one axis, as long as `data`."""
