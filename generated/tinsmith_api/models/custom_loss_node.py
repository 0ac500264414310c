# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.custom_loss_node_op import CustomLossNodeOp, check_custom_loss_node_op
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.custom_loss_node_kwargs import CustomLossNodeKwargs


T = TypeVar("T", bound="CustomLossNode")


@_attrs_define
class CustomLossNode:
    """One step of a custom loss, in the form of a node of torch.fx."""

    op: CustomLossNodeOp
    """ The kind of step. """
    name: str
    """ Name of the step, by which later steps refer to it. """
    target: str
    """ What is called or read. """
    args: list[Any] | Unset = UNSET
    """ Positional arguments. Null, booleans, integers, finite numbers, texts and lists stand for themselves;
    anything else is an object of one key: `{"ref": name}` for an earlier step, `{"tuple": [...]}`, `{"dict":
    {...}}`, `{"slice": [start, stop, step]}`, `{"ellipsis": true}`, `{"float": "inf"}` for a number that JSON
    lacks, and `dtype`, `device`, `layout` or `memory_format` with its name as text. Absent means none.
     """
    kwargs: CustomLossNodeKwargs | Unset = UNSET
    """ Named arguments, written as in `args`. Absent means none. """

    def to_dict(self) -> dict[str, Any]:
        op: str = self.op

        name = self.name

        target = self.target

        args: list[Any] | Unset = UNSET
        if not isinstance(self.args, Unset):
            args = self.args

        kwargs: dict[str, Any] | Unset = UNSET
        if not isinstance(self.kwargs, Unset):
            kwargs = self.kwargs.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "op": op,
                "name": name,
                "target": target,
            }
        )
        if args is not UNSET:
            field_dict["args"] = args
        if kwargs is not UNSET:
            field_dict["kwargs"] = kwargs

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.custom_loss_node_kwargs import CustomLossNodeKwargs  # noqa: PLC0415

        d = dict(src_dict)
        op = check_custom_loss_node_op(d.pop("op"))

        name = d.pop("name")

        target = d.pop("target")

        args = cast(list[Any], d.pop("args", UNSET))

        _kwargs = d.pop("kwargs", UNSET)
        kwargs: CustomLossNodeKwargs | Unset
        if isinstance(_kwargs, Unset):
            kwargs = UNSET
        else:
            kwargs = CustomLossNodeKwargs.from_dict(_kwargs)

        custom_loss_node = cls(
            op=op,
            name=name,
            target=target,
            args=args,
            kwargs=kwargs,
        )

        return custom_loss_node
