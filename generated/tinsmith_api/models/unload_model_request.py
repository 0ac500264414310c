# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="UnloadModelRequest")


@_attrs_define
class UnloadModelRequest:
    """Free the memory of a model. What was not saved is lost."""

    model_id: str
    """ Id of a model in training. The hosted service forms it as `<session>:train:<model_seq_id>`, and the id of
    its training run is the same text. Treat it as opaque.
     """
    type_: Literal["unload_model"] | Unset = "unload_model"
    """ The kind of request, always `unload_model`. """

    def to_dict(self) -> dict[str, Any]:
        model_id = self.model_id

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "model_id": model_id,
            }
        )
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_id = d.pop("model_id")

        type_ = cast(Literal["unload_model"] | Unset, d.pop("type", UNSET))
        if type_ != "unload_model" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'unload_model', got '{type_}'")

        unload_model_request = cls(
            model_id=model_id,
            type_=type_,
        )

        return unload_model_request
