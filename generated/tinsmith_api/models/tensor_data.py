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
    """A tensor in a request. Dense, or two-dimensional in compressed sparse row form when both index lists are given."""

    data: list[float]
    """ The numbers, row by row; for a sparse tensor the stored ones only. Whole numbers for int64.
     """
    dtype: TensorDtype
    """ The type of the numbers of a tensor. """
    shape: list[int] | None | Unset = UNSET
    """ The size along each axis; null means one axis as long as `data`. `[]` is a single number.
     """
    sparse_crow_indices: list[int] | None | Unset = UNSET
    """ For a sparse tensor: where each row starts in `data`, with the end as last entry (rows + 1 entries).
     """
    sparse_col_indices: list[int] | None | Unset = UNSET
    """ For a sparse tensor: the column of each number in `data`. """

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
