# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.forward_backward_input import ForwardBackwardInput


T = TypeVar("T", bound="ForwardBackwardRequest")


@_attrs_define
class ForwardBackwardRequest:
    """Compute the loss, and add its gradients to those already there."""

    forward_backward_input: ForwardBackwardInput
    """ A batch, and the loss to compute over it. """
    model_id: str
    """ Id of a model in training. The hosted service forms it as `<session>:train:<model_seq_id>`, and the id of
    its training run is the same text. Treat it as opaque.
     """
    seq_id: int | None | Unset = UNSET
    """ Place of the request in the model's training order, from 1. Absent or null leaves it to the server. """

    def to_dict(self) -> dict[str, Any]:
        forward_backward_input = self.forward_backward_input.to_dict()

        model_id = self.model_id

        seq_id: int | None | Unset
        if isinstance(self.seq_id, Unset):
            seq_id = UNSET
        else:
            seq_id = self.seq_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "forward_backward_input": forward_backward_input,
                "model_id": model_id,
            }
        )
        if seq_id is not UNSET:
            field_dict["seq_id"] = seq_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.forward_backward_input import ForwardBackwardInput  # noqa: PLC0415

        d = dict(src_dict)
        forward_backward_input = ForwardBackwardInput.from_dict(d.pop("forward_backward_input"))

        model_id = d.pop("model_id")

        seq_id = cast(int | None | Unset, d.pop("seq_id", UNSET))

        forward_backward_request = cls(
            forward_backward_input=forward_backward_input,
            model_id=model_id,
            seq_id=seq_id,
        )

        return forward_backward_request
