# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="WeightsInfoResponse")


@_attrs_define
class WeightsInfoResponse:
    """What a checkpoint was trained on."""

    base_model: str
    """ The name of a base model, as `get_server_capabilities` lists it. """
    is_lora: bool
    """ Whether it is an adapter. """
    lora_rank: int | None | Unset = UNSET
    """ Width of the adapter matrices. """
    train_unembed: bool | None | Unset = UNSET
    """ Whether the unembedding has an adapter. """
    train_mlp: bool | None | Unset = UNSET
    """ Whether the MLP matrices have adapters. """
    train_attn: bool | None | Unset = UNSET
    """ Whether the attention matrices have adapters. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        base_model = self.base_model

        is_lora = self.is_lora

        lora_rank: int | None | Unset
        if isinstance(self.lora_rank, Unset):
            lora_rank = UNSET
        else:
            lora_rank = self.lora_rank

        train_unembed: bool | None | Unset
        if isinstance(self.train_unembed, Unset):
            train_unembed = UNSET
        else:
            train_unembed = self.train_unembed

        train_mlp: bool | None | Unset
        if isinstance(self.train_mlp, Unset):
            train_mlp = UNSET
        else:
            train_mlp = self.train_mlp

        train_attn: bool | None | Unset
        if isinstance(self.train_attn, Unset):
            train_attn = UNSET
        else:
            train_attn = self.train_attn

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "base_model": base_model,
                "is_lora": is_lora,
            }
        )
        if lora_rank is not UNSET:
            field_dict["lora_rank"] = lora_rank
        if train_unembed is not UNSET:
            field_dict["train_unembed"] = train_unembed
        if train_mlp is not UNSET:
            field_dict["train_mlp"] = train_mlp
        if train_attn is not UNSET:
            field_dict["train_attn"] = train_attn

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        base_model = d.pop("base_model")

        is_lora = d.pop("is_lora")

        lora_rank = cast(int | None | Unset, d.pop("lora_rank", UNSET))

        train_unembed = cast(bool | None | Unset, d.pop("train_unembed", UNSET))

        train_mlp = cast(bool | None | Unset, d.pop("train_mlp", UNSET))

        train_attn = cast(bool | None | Unset, d.pop("train_attn", UNSET))

        weights_info_response = cls(
            base_model=base_model,
            is_lora=is_lora,
            lora_rank=lora_rank,
            train_unembed=train_unembed,
            train_mlp=train_mlp,
            train_attn=train_attn,
        )

        weights_info_response.additional_properties = d
        return weights_info_response

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
