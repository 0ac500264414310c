# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.tensor_dtype import TensorDtype, check_tensor_dtype
from ..types import UNSET, Unset

T = TypeVar("T", bound="TensorData")


@_attrs_define
class TensorData:
    """A tensor in a request. It is dense, or, when both lists of indices are given, two-dimensional in compressed sparse
    row form.

    """

    data: list[float]
    """ The numbers, row by row; of a sparse tensor the stored ones only. Whole numbers for `int64`. """
    dtype: TensorDtype
    """ Type of a tensor's numbers. """
    shape: list[int] | None | Unset = UNSET
    """ Size along each axis; `[]` is a single number. Absent or null means one axis, as long as `data`. """
    sparse_crow_indices: list[int] | None | Unset = UNSET
    """ Where in `data` each row of a sparse tensor begins, and last where the last one ends (rows + 1 entries).
    Absent or null for a dense tensor.
     """
    sparse_col_indices: list[int] | None | Unset = UNSET
    """ Column of each number of a sparse tensor. Absent or null for a dense tensor. """

    def to_dict(self) -> dict[str, Any]:
        data = self.data

        dtype: str = self.dtype

        shape: list[int] | None | Unset
        if isinstance(self.shape, Unset):
            shape = UNSET
        else:
            shape = self.shape

        sparse_crow_indices: list[int] | None | Unset
        if isinstance(self.sparse_crow_indices, Unset):
            sparse_crow_indices = UNSET
        else:
            sparse_crow_indices = self.sparse_crow_indices

        sparse_col_indices: list[int] | None | Unset
        if isinstance(self.sparse_col_indices, Unset):
            sparse_col_indices = UNSET
        else:
            sparse_col_indices = self.sparse_col_indices

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "data": data,
                "dtype": dtype,
            }
        )
        if shape is not UNSET:
            field_dict["shape"] = shape
        if sparse_crow_indices is not UNSET:
            field_dict["sparse_crow_indices"] = sparse_crow_indices
        if sparse_col_indices is not UNSET:
            field_dict["sparse_col_indices"] = sparse_col_indices

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        data = cast(list[float], d.pop("data"))

        dtype = check_tensor_dtype(d.pop("dtype"))

        shape = cast(list[int] | None | Unset, d.pop("shape", UNSET))

        sparse_crow_indices = cast(list[int] | None | Unset, d.pop("sparse_crow_indices", UNSET))

        sparse_col_indices = cast(list[int] | None | Unset, d.pop("sparse_col_indices", UNSET))

        tensor_data = cls(
            data=data,
            dtype=dtype,
            shape=shape,
            sparse_crow_indices=sparse_crow_indices,
            sparse_col_indices=sparse_col_indices,
        )

        return tensor_data
