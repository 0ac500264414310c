"""TensorData: one named array of a datum or of a result.

Owns dtype rules and conversions; knows no wire format.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs
from tinsmith_api.model import Extra, Model
from tinsmith_api.ownership import is_array, own, own_array

from tinsmith.core.deferred import Deferred
from tinsmith.core.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
else:  # annotations can be read without the libraries
    np = Deferred("numpy")
    npt = Deferred("numpy.typing")
    torch = Deferred("torch")

TensorDtype = Literal["int64", "float32"]
"""The two element types of the API."""

MAX_DIMENSIONS = 64
"""What numpy takes."""

_set = object.__setattr__
"""How the constructor of a frozen class fills it."""

Numbers = Sequence[int] | Sequence[float]
"""Flat numbers, row by row."""


def _frozen_array(value: Any, dtype: str) -> Any:
    """Return the numbers of an array as a flat, read-only one that nobody else writes to."""
    import numpy as np

    if value.ndim == 1 and value.dtype == dtype and value.dtype.isnative:
        return own_array(value)
    if dtype == "float32" and value.dtype.kind == "f" and value.dtype.itemsize > 4:
        # What float32 does not hold becomes infinite, and is found before sending.
        with np.errstate(over="ignore"):
            flat = np.array(value, dtype=dtype)
    else:
        flat = np.array(value, dtype=dtype)
    if flat.ndim != 1:
        flat = flat.reshape(-1)
    flat.setflags(write=False)
    return flat


def _places_kept(places: Any, field: str) -> Any:
    if is_array(places):
        return _frozen_array(places, "int64")
    if isinstance(places, (list, tuple, range)):
        return list(places)
    raise InputError(f"must be an array or a list, not a {type(places).__name__}", field=field)


def dtype_of(array: Any) -> TensorDtype:
    """Choose the API's dtype for a numpy array; only floats and signed integers have one."""
    if array.dtype.kind == "f":
        return "float32"
    if array.dtype.kind == "i":
        return "int64"
    raise InputError(f"arrays of dtype {array.dtype} cannot be sent; convert to float32 or int64 first")


@attrs.frozen(init=False, eq=False, repr=False)
class TensorData(Model):
    """Flat numbers, their element type, and their shape.

    The numbers are copied when the value is made: an array stays a flat, read-only array, a list a list.
    Neither is converted into the other until somebody asks: `data` is always a list, `to_numpy()` always an
    array.
    """

    raw: Any = attrs.field(alias="data")
    """The numbers as kept: a flat read-only numpy array, or a flat list."""
    dtype: TensorDtype
    """`int64` or `float32`."""
    shape: list[int] | None = None
    """Shape, row-major; None means one dimension."""
    sparse_crow_indices: Any = None
    """Of a sparse tensor: where each row begins among the stored numbers, and where the last ends."""
    sparse_col_indices: Any = None
    """Of a sparse tensor: the column of each stored number."""
    _listed: Any = attrs.field(init=False)
    """`data`, once somebody asked for it."""
    _finite: bool = attrs.field(init=False)
    """Whether all numbers of an array were found finite; it never changes, so that one look is enough."""

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
            data = _frozen_array(array, dtype)
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
        _set(self, "sparse_crow_indices", None if rows is None else _places_kept(rows, "sparse_crow_indices"))
        _set(
            self, "sparse_col_indices", None if rows is None else _places_kept(columns, "sparse_col_indices")
        )
        _set(self, "extra", extra)
        _set(self, "_listed", raw if isinstance(raw, list) else None)
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
        return made

    @property
    def is_sparse(self) -> bool:
        """Whether only some numbers of the stated shape are stored."""
        return self.sparse_crow_indices is not None

    @property
    def data(self) -> list[int] | list[float]:
        """The numbers as a flat list, row by row; of a sparse tensor those that are stored."""
        if self._listed is None:
            listed = self.raw.tolist() if is_array(self.raw) else list(self.raw)
            object.__setattr__(self, "_listed", listed)
        return cast("list[int] | list[float]", self._listed)

    def __len__(self) -> int:
        return len(self.raw)

    def is_finite(self) -> bool:
        """Tell whether a tensor of an array holds neither NaN nor infinity."""
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
        import numpy as np

        whole = cls.from_torch(tensor)
        dense = whole.to_numpy()
        if dense.ndim != 2:
            raise InputError("a sparse tensor has a shape of two dimensions", field="shape")
        stored = dense != index(pad_value)
        rows = np.concatenate([[0], np.cumsum(stored.sum(axis=1))])
        return cls(dense[stored], whole.dtype, dense.shape, rows, np.nonzero(stored)[1])

    def to_numpy(self, pad_value: int = 0) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        """Return an array of the stated dtype and shape; `pad_value` is what a sparse tensor leaves out."""
        import numpy as np

        flat = self._flat()
        if self.is_sparse:
            assert self.shape is not None
            try:
                dense = np.full(self.shape, index(pad_value), dtype=self.dtype)
            except (ValueError, MemoryError) as cause:
                raise InputError(f"{self.shape} cannot be filled up: {cause}", field="shape") from cause
            rows = np.repeat(np.arange(self.shape[0]), np.diff(self.sparse_crow_indices))
            dense[rows, self.sparse_col_indices] = flat
            return dense
        return cast(
            "npt.NDArray[np.int64] | npt.NDArray[np.float32]",
            flat if self.shape is None else flat.reshape(self.shape),
        )

    def _flat(self) -> npt.NDArray[Any]:
        import numpy as np

        try:
            with np.errstate(over="ignore"):  # infinite, as when an array is given
                return np.asarray(self.raw, dtype=self.dtype)
        except (TypeError, ValueError, OverflowError) as cause:
            raise InputError(f"holds what is no number of {self.dtype}: {cause}", field="data") from cause

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
        if len(self) != len(other) or (self.is_sparse and _places(self) != _places(other)):
            return False
        return self.data == other.data or bool((self.to_numpy() == other.to_numpy()).all())

    __iter__ = None  # type: ignore[assignment]  # pairs of names and fields would be taken for the numbers
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(str(x) for x in self.raw[:4]) + (", ..." if len(self.raw) > 4 else "")
        kind = ", sparse" if self.is_sparse else ""
        return f"TensorData([{shown}], dtype={self.dtype!r}, shape={self.shape!r}{kind})"


def _places(tensor: TensorData) -> tuple[list[int], list[int]]:
    return list(tensor.sparse_crow_indices), list(tensor.sparse_col_indices)
