# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.adam_optimizer_config import AdamOptimizerConfig
    from ..models.dimuon_optimizer_config import DimuonOptimizerConfig
    from ..models.other_optimizer_config import OtherOptimizerConfig


T = TypeVar("T", bound="WeightsInfoResponse")


@_attrs_define
class WeightsInfoResponse:
    """What a checkpoint was trained on."""

    base_model: str
    """ Name of a base model, as `get_server_capabilities` lists it. """
    is_lora: bool
    """ Whether it is an adapter, and not all weights. """
    optimizer_config: AdamOptimizerConfig | DimuonOptimizerConfig | None | OtherOptimizerConfig | Unset = (
        UNSET
    )
    """ Optimizer that it was trained with. Absent or null where the server does not say; then it is AdamW. """
    lora_rank: int | None | Unset = UNSET
    """ Rank of the adapter. Absent or null where it is none. """
    train_unembed: bool | None | Unset = UNSET
    """ Whether the unembedding was adapted. Absent or null where the server does not say. """
    train_mlp: bool | None | Unset = UNSET
    """ Whether the MLP projections were adapted. Absent or null where the server does not say. """
    train_attn: bool | None | Unset = UNSET
    """ Whether the attention projections were adapted. Absent or null where the server does not say. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.adam_optimizer_config import AdamOptimizerConfig  # noqa: PLC0415
        from ..models.dimuon_optimizer_config import DimuonOptimizerConfig  # noqa: PLC0415
        from ..models.other_optimizer_config import OtherOptimizerConfig  # noqa: PLC0415

        base_model = self.base_model

        is_lora = self.is_lora

        optimizer_config: dict[str, Any] | None | Unset
        if isinstance(self.optimizer_config, Unset):
            optimizer_config = UNSET
        elif isinstance(self.optimizer_config, AdamOptimizerConfig):
            optimizer_config = self.optimizer_config.to_dict()
        elif isinstance(self.optimizer_config, DimuonOptimizerConfig):
            optimizer_config = self.optimizer_config.to_dict()
        elif isinstance(self.optimizer_config, OtherOptimizerConfig):
            optimizer_config = self.optimizer_config.to_dict()
        else:
            optimizer_config = self.optimizer_config

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
        if optimizer_config is not UNSET:
            field_dict["optimizer_config"] = optimizer_config
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
        from ..models.adam_optimizer_config import AdamOptimizerConfig  # noqa: PLC0415
        from ..models.dimuon_optimizer_config import DimuonOptimizerConfig  # noqa: PLC0415
        from ..models.other_optimizer_config import OtherOptimizerConfig  # noqa: PLC0415

        d = dict(src_dict)
        base_model = d.pop("base_model")

        is_lora = d.pop("is_lora")

        def _parse_optimizer_config(
            data: Any,
        ) -> AdamOptimizerConfig | DimuonOptimizerConfig | None | OtherOptimizerConfig | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            tag = data["type"]
            if tag == "adamw":
                return AdamOptimizerConfig.from_dict(data)
            if tag == "dimuon":
                return DimuonOptimizerConfig.from_dict(data)
            return OtherOptimizerConfig.from_dict(data)

        optimizer_config = _parse_optimizer_config(d.pop("optimizer_config", UNSET))

        lora_rank = cast(int | None | Unset, d.pop("lora_rank", UNSET))

        train_unembed = cast(bool | None | Unset, d.pop("train_unembed", UNSET))

        train_mlp = cast(bool | None | Unset, d.pop("train_mlp", UNSET))

        train_attn = cast(bool | None | Unset, d.pop("train_attn", UNSET))

        weights_info_response = cls(
            base_model=base_model,
            is_lora=is_lora,
            optimizer_config=optimizer_config,
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
