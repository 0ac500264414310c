# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="CustomLossInput")


@_attrs_define
class CustomLossInput:
    """One input of a custom loss."""

    name: str
    """ Its name, a key of a datum's `loss_fn_inputs`. """
    rank: int
    """ Number of its axes, 0 to 2. """

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        rank = self.rank

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "rank": rank,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        rank = d.pop("rank")

        custom_loss_input = cls(
            name=name,
            rank=rank,
        )

        return custom_loss_input
