# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.custom_loss_node import CustomLossNode


T = TypeVar("T", bound="CustomLossGraph")


@_attrs_define
class CustomLossGraph:
    """A computation."""

    format_: int
    """ The version of this form. """
    nodes: list[CustomLossNode]
    """ The steps, each after those that it uses. """

    def to_dict(self) -> dict[str, Any]:
        format_ = self.format_

        nodes = []
        for nodes_item_data in self.nodes:
            nodes_item = nodes_item_data.to_dict()
            nodes.append(nodes_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "format": format_,
                "nodes": nodes,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.custom_loss_node import CustomLossNode  # noqa: PLC0415

        d = dict(src_dict)
        format_ = d.pop("format")

        nodes = []
        _nodes = d.pop("nodes")
        for nodes_item_data in _nodes:
            nodes_item = CustomLossNode.from_dict(nodes_item_data)

            nodes.append(nodes_item)

        custom_loss_graph = cls(
            format_=format_,
            nodes=nodes,
        )

        return custom_loss_graph
