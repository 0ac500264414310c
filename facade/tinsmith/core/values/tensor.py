"""TensorData: one named array of a datum or of a result.

Owns dtype rules and conversions; knows no wire format.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any, cast

import attrs
from tinsmith_api.model import Extra, Model
from tinsmith_api.ownership import is_array, own

from tinsmith.core.errors import InputError, MissingExtraError
from tinsmith.core.inputs import (
    TensorDtype,
    as_array,
    dense_array,
    dtype_of,
    frozen_array,
    index_array,
    sparse_parts,
)
from tinsmith.core.optional_deps import Deferred

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
else:  # annotations can be read without the libraries
    np = Deferred("numpy")
    npt = Deferred("numpy.typing")
    torch = Deferred("torch")

MAX_DIMENSIONS = 64
"""What numpy takes."""

_set = object.__setattr__
"""How the constructor of a frozen class fills it."""


@attrs.frozen(init=False, eq=False, repr=False)
class TensorData(Model):
    """Flat numbers, their element type, and their shape.

    The numbers are copied when the value is made: a flat, read-only array of an array, a list of a list.
    Neither becomes the other until it is read: `data` is always a list, `to_numpy()` always an array.
    """

    raw: Any = attrs.field(alias="data")
    """The numbers, flat; kept as a read-only numpy array or as a list."""
    dtype: TensorDtype
    """`int64` or `float32`."""
    shape: list[int] | None = None
    """Length of each dimension, row-major; None means one dimension."""
    sparse_crow_indices: Any = None
    """Of a sparse tensor: where each row begins among the stored numbers, and where the last ends."""
    sparse_col_indices: Any = None
    """Of a sparse tensor: the column of each stored number."""
    _listed: Any = attrs.field(init=False)
    """`data`, once it was read twice."""
    _was_listed: bool = attrs.field(init=False)
    """Whether `data` was read. Most results are read once, and a kept list is ten times the array."""
    _shaped: Any = attrs.field(init=False)
    """The array of `to_numpy`, unless the tensor is sparse or it was not read yet."""
    _finite: bool = attrs.field(init=False)
    """Whether all numbers of an array were found finite; they never change, so it is checked once."""

    def __init__(
        self,
        data: Sequence[int] | Sequence[float] | npt.NDArray[Any],
        dtype: TensorDtype,
        shape: Sequence[int] | None = None,
        sparse_crow_indices: Sequence[int] | npt.NDArray[Any] | None = None,
        sparse_col_indices: Sequence[int] | npt.NDArray[Any] | None = None,
        *,
        extra: Extra | None = None,
    ) -> None:
        if dtype not in ("int64", "float32"):
            raise InputError(f"dtype must be 'int64' or 'float32', not {dtype!r}", field="dtype")
        if is_array(data):
            array = cast("npt.NDArray[Any]", data)
            if shape is None and array.ndim != 1:
                shape = array.shape
            data = frozen_array(array, dtype)
        elif not isinstance(data, tuple):
            data = list(data)
        self._keep(data, dtype, shape, sparse_crow_indices, sparse_col_indices, own(extra))

    def _keep(
        self, raw: Any, dtype: str, shape: Sequence[int] | None, rows: Any, columns: Any, extra: Extra | None
    ) -> None:
        if (rows is None) != (columns is None):
            raise InputError("a sparse tensor needs crow and col indices", field="sparse_crow_indices")
        if rows is not None and (shape is None or len(shape) != 2):
            raise InputError("a sparse tensor has a shape of two dimensions", field="shape")
        _set(self, "raw", raw)
        _set(self, "dtype", dtype)
        try:
            _set(self, "shape", None if shape is None else list(map(index, shape)))
        except TypeError:
            raise InputError(f"must be a list of whole numbers, not {shape!r:.100}", field="shape") from None
        _set(self, "sparse_crow_indices", None if rows is None else index_array(rows, "sparse_crow_indices"))
        _set(self, "sparse_col_indices", None if rows is None else index_array(columns, "sparse_col_indices"))
        _set(self, "extra", extra)
        _set(self, "_listed", raw if isinstance(raw, list) else None)
        _set(self, "_was_listed", False)
        _set(self, "_shaped", None)
        _set(self, "_finite", dtype == "int64")

    @classmethod
    def of_frozen(
        cls,
        raw: npt.NDArray[Any],
        dtype: TensorDtype,
        shape: Sequence[int] | None = None,
        sparse_crow_indices: npt.NDArray[Any] | None = None,
        sparse_col_indices: npt.NDArray[Any] | None = None,
        extra: Extra | None = None,
    ) -> TensorData:
        """Keep a flat, read-only array of the stated dtype as it is: decoders make such, and nobody else."""
        made = cls.__new__(cls)
        made._keep(raw, dtype, shape, sparse_crow_indices, sparse_col_indices, extra)
        if sparse_crow_indices is None and (shape is None or len(shape) == 1):
            _set(made, "_shaped", raw)
        return made

    @property
    def is_sparse(self) -> bool:
        """Whether only some numbers of the stated shape are stored."""
        return self.sparse_crow_indices is not None

    def _indices(self) -> tuple[list[int], list[int]]:
        return list(self.sparse_crow_indices), list(self.sparse_col_indices)

    @property
    def data(self) -> list[int] | list[float]:
        """The numbers as a flat list, row by row; of a sparse tensor those that are stored."""
        listed: list[int] | list[float] | None = self._listed
        if listed is None:
            listed = self.raw.tolist() if is_array(self.raw) else list(self.raw)
            if self._was_listed:
                _set(self, "_listed", listed)
            _set(self, "_was_listed", True)
        return listed

    def __len__(self) -> int:
        return len(self.raw)

    def is_finite(self) -> bool:
        """Say whether a tensor of an array holds neither NaN nor infinity."""
        if not self._finite:
            import numpy as np

            object.__setattr__(self, "_finite", bool(np.logical_and.reduce(np.isfinite(self.raw))))
        return self._finite

    @classmethod
    def from_numpy(cls, array: npt.NDArray[Any]) -> TensorData:
        """Take a numpy array: floats become float32, signed integers int64; anything else is an error."""
        return cls(array, dtype_of(array), list(array.shape))

    @classmethod
    def from_torch(cls, tensor: torch.Tensor) -> TensorData:
        """Take a torch tensor: floats become float32, everything else int64; CSR stays sparse."""
        flat = tensor.detach().cpu()
        if str(flat.layout) == "torch.sparse_csr":
            rows, columns = flat.crow_indices().numpy(), flat.col_indices().numpy()
            stored = cls.from_torch(flat.values())
            return cls(stored.raw, stored.dtype, list(flat.shape), rows, columns)
        if flat.is_floating_point():
            return cls(flat.float().numpy(), "float32", list(flat.shape))
        return cls(flat.long().numpy(), "int64", list(flat.shape))

    @classmethod
    def from_torch_sparse(cls, tensor: torch.Tensor, pad_value: int = 0) -> TensorData:
        """Take a torch tensor of two dimensions, and store only what is not `pad_value`."""
        if pad_value == 0:
            return cls.from_torch(tensor.to_sparse_csr())
        whole = cls.from_torch(tensor)
        dense = whole.to_numpy()
        stored, rows, columns = sparse_parts(dense, pad_value)
        return cls(stored, whole.dtype, dense.shape, rows, columns)

    def to_numpy(self, pad_value: int = 0) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        """Return an array of the stated dtype and shape; `pad_value` is what a sparse tensor leaves out.

        The array is read-only, and the same at each call; that of a sparse tensor is a new one.
        """
        shaped: npt.NDArray[np.int64] | npt.NDArray[np.float32] | None = self._shaped
        return self._make_array(pad_value) if shaped is None else shaped

    def _make_array(self, pad_value: int) -> npt.NDArray[Any]:
        array: npt.NDArray[Any] = self.raw if is_array(self.raw) else as_array(self.raw, self.dtype)
        if self.is_sparse:
            indices = self.sparse_crow_indices, self.sparse_col_indices
            filled: npt.NDArray[Any] = dense_array(self.shape, self.dtype, pad_value, array, *indices)
            return filled
        array = array if self.shape is None else array.reshape(self.shape)
        array.setflags(write=False)
        _set(self, "_shaped", array)
        return array

    def to_torch(self, pad_value: int = 0) -> torch.Tensor:
        """Return a torch tensor of the stated dtype and shape, filled up as by `to_numpy`. Needs torch."""
        try:
            import torch
        except ImportError as cause:
            raise MissingExtraError("TensorData.to_torch", "torch") from cause
        return torch.from_numpy(self.to_numpy(pad_value).copy())

    def tolist(self, pad_value: int = 0) -> Any:
        """Return the numbers as lists nested by shape (a plain number for shape []), filled up likewise."""
        return list(self.data) if self.shape is None else self.to_numpy(pad_value).tolist()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorData):
            return NotImplemented
        if (self.dtype, self.shape, self.is_sparse) != (other.dtype, other.shape, other.is_sparse):
            return False
        if len(self) != len(other) or (self.is_sparse and self._indices() != other._indices()):
            return False
        return self.data == other.data or (
            self.dtype == "float32" and bool((self.to_numpy() == other.to_numpy()).all())
        )

    _repr_html_ = None  # type: ignore[assignment]  # the line of its repr says more than a table of its fields
    __iter__ = None  # type: ignore[assignment]  # pairs of names and fields would be taken for the numbers
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(str(x) for x in self.raw[:4]) + (", ..." if len(self.raw) > 4 else "")
        kind = ", sparse" if self.is_sparse else ""
        return f"TensorData([{shown}], dtype={self.dtype!r}, shape={self.shape!r}{kind})"
