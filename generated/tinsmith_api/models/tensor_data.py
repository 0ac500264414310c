# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""TensorData."""

from __future__ import annotations

import attrs

from ..model import Value
from ..reading import own_fields
from .tensor_dtype import TensorDtype


@attrs.frozen(field_transformer=own_fields)
class TensorData(Value):
    """A tensor in a request. It is dense, or, when both lists of indices are given, two-dimensional in
    compressed sparse row form.

    * `data`: The numbers, row by row; of a sparse tensor the stored ones only. Whole numbers for
      `int64`.
    * `dtype`: Type of the numbers, `int64` or `float32`.
    * `shape`: Size along each axis; `[]` is a single number. Absent or null means one axis, as long
      as `data`.
    * `sparse_crow_indices`: Where in `data` each row of a sparse tensor begins, and last where the
      last one ends (rows + 1 entries). Absent or null for a dense tensor.
    * `sparse_col_indices`: Column of each number of a sparse tensor. Absent or null for a dense
      tensor.
    """

    data: list[float]
    """The numbers, row by row; of a sparse tensor the stored ones only. Whole numbers for `int64`."""
    dtype: TensorDtype
    """Type of the numbers, `int64` or `float32`."""
    shape: list[int] | None = None
    """Size along each axis; `[]` is a single number. Absent or null means one axis, as long as `data`."""
    sparse_crow_indices: list[int] | None = None
    """Where in `data` each row of a sparse tensor begins, and last where the last one ends (rows + 1
    entries). Absent or null for a dense tensor.
    """
    sparse_col_indices: list[int] | None = None
    """Column of each number of a sparse tensor. Absent or null for a dense tensor."""
