"""TensorData: one named array of a datum or of a result.

Owns dtype rules and conversions; knows no wire format.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from tinsmith.core.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

TensorDtype = Literal["int64", "float32"]
"""The two element types of the API."""

Numbers = Sequence[int] | Sequence[float]
"""Flat numbers, row by row."""


def is_array(value: object) -> bool:
    """Tell whether a value is a numpy array, without importing numpy."""
    return type(value).__module__ == "numpy" and type(value).__name__ == "ndarray"


def _frozen_array(value: Any, dtype: str) -> Any:
    """Copy an array into a flat, read-only one, so that its owner may reuse the buffer after the call."""
    import numpy as np

    with np.errstate(
        over="ignore"
    ):  # what float32 does not hold becomes infinite, and is found before sending
        flat = np.array(value, dtype=dtype, copy=True).reshape(-1)
    flat.setflags(write=False)
    return flat


def dtype_of(array: Any) -> TensorDtype:
    """Choose the API's dtype for a numpy array; only floats and signed integers have one."""
    if array.dtype.kind == "f":
        return "float32"
    if array.dtype.kind == "i":
        return "int64"
    raise InputError(f"arrays of dtype {array.dtype} cannot be sent; convert to float32 or int64 first")


@attrs.frozen(init=False, eq=False, repr=False)
class TensorData:
    """Flat numbers, their element type, and their shape.

    A numpy array is copied and frozen when the value is made; a list is kept as it is. Neither is converted
    into the other until somebody asks: `data` is always a list, `to_numpy()` always an array.
    """

    raw: Any
    """The numbers as kept: a flat read-only numpy array, or a flat list."""
    dtype: TensorDtype
    """`int64` or `float32`."""
    shape: list[int] | None
    """Shape, row-major; None means one dimension."""
    _listed: Any
    """`data`, once somebody asked for it."""

    def __init__(
        self,
        data: Sequence[int] | Sequence[float] | npt.NDArray[Any],
        dtype: TensorDtype,
        shape: Sequence[int] | None = None,
    ) -> None:
        if dtype not in ("int64", "float32"):
            raise InputError(f"dtype must be 'int64' or 'float32', not {dtype!r}", field="dtype")
        if is_array(data):
            array = cast("npt.NDArray[Any]", data)
            if shape is None and array.ndim != 1:
                shape = array.shape
            data = _frozen_array(array, dtype)
        elif not isinstance(data, (list, tuple)):
            data = list(data)
        object.__setattr__(self, "raw", data)
        object.__setattr__(self, "dtype", dtype)
        object.__setattr__(self, "shape", None if shape is None else [int(n) for n in shape])
        object.__setattr__(self, "_listed", data if isinstance(data, list) else None)

    @property
    def data(self) -> list[int] | list[float]:
        """The numbers as a flat list, row by row."""
        if self._listed is None:
            listed = self.raw.tolist() if is_array(self.raw) else list(self.raw)
            object.__setattr__(self, "_listed", listed)
        return cast("list[int] | list[float]", self._listed)

    def __len__(self) -> int:
        return len(self.raw)

    @classmethod
    def from_numpy(cls, array: npt.NDArray[Any]) -> TensorData:
        """Take a numpy array: floats become float32, signed integers int64; anything else is an error."""
        return cls(array, dtype_of(array), list(array.shape))

    @classmethod
    def from_torch(cls, tensor: torch.Tensor) -> TensorData:
        """Take a torch tensor: floats become float32, everything else int64."""
        flat = tensor.detach().cpu()
        if flat.is_floating_point():
            return cls(flat.float().numpy(), "float32", list(flat.shape))
        return cls(flat.long().numpy(), "int64", list(flat.shape))

    def to_numpy(self) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        """Return an array of the stated dtype, in the stated shape."""
        import numpy as np

        flat = np.asarray(self.raw, dtype=self.dtype)
        return cast(
            "npt.NDArray[np.int64] | npt.NDArray[np.float32]",
            flat if self.shape is None else flat.reshape(self.shape),
        )

    def to_torch(self) -> torch.Tensor:
        """Return a torch tensor of the stated dtype, in the stated shape. Needs torch."""
        try:
            import torch
        except ImportError as cause:
            raise MissingExtraError("TensorData.to_torch", "torch") from cause
        return torch.from_numpy(self.to_numpy().copy())

    def tolist(self) -> Any:
        """Return the numbers as lists nested by shape (a plain number for shape [])."""
        return list(self.data) if self.shape is None else self.to_numpy().tolist()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TensorData):
            return NotImplemented
        if (self.dtype, self.shape, len(self)) != (other.dtype, other.shape, len(other)):
            return False
        return self.data == other.data or bool((self.to_numpy() == other.to_numpy()).all())

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(str(x) for x in self.raw[:4]) + (", ..." if len(self.raw) > 4 else "")
        return f"TensorData([{shown}], dtype={self.dtype!r}, shape={self.shape!r})"
