# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.custom_loss_node import CustomLossNode


T = TypeVar("T", bound="CustomLossGraph")


@_attrs_define
class CustomLossGraph:
    """What a custom loss computes."""

    nodes: list[CustomLossNode]
    """ The steps, each behind those that it uses. """
    format_: int | Unset = UNSET
    """ Version of this form. There is only 1, which is also meant when it is absent. """

    def to_dict(self) -> dict[str, Any]:
        nodes = []
        for nodes_item_data in self.nodes:
            nodes_item = nodes_item_data.to_dict()
            nodes.append(nodes_item)

        format_ = self.format_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "nodes": nodes,
            }
        )
        if format_ is not UNSET:
            field_dict["format"] = format_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.custom_loss_node import CustomLossNode  # noqa: PLC0415

        d = dict(src_dict)
        nodes = []
        _nodes = d.pop("nodes")
        for nodes_item_data in _nodes:
            nodes_item = CustomLossNode.from_dict(nodes_item_data)

            nodes.append(nodes_item)

        format_ = d.pop("format", UNSET)

        custom_loss_graph = cls(
            nodes=nodes,
            format_=format_,
        )

        return custom_loss_graph
