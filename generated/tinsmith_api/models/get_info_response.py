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
    from ..models.model_data import ModelData
    from ..models.other_optimizer_config import OtherOptimizerConfig


T = TypeVar("T", bound="GetInfoResponse")


@_attrs_define
class GetInfoResponse:
    """What a model is."""

    model_data: ModelData
    """ What a model is made of. """
    model_id: str
    """ Id of a model in training. The hosted service forms it as `<session>:train:<model_seq_id>`, and the id of
    its training run is the same text. Treat it as opaque.
     """
    type_: None | str | Unset = UNSET
    """ The kind of answer, `get_info`. """
    optimizer_config: AdamOptimizerConfig | DimuonOptimizerConfig | None | OtherOptimizerConfig | Unset = (
        UNSET
    )
    """ Optimizer that the model is trained with. Absent or null where the server does not say; then it is AdamW.
    """
    is_lora: bool | None | Unset = UNSET
    """ Whether an adapter is trained, and not all weights. Absent or null where the server does not say. """
    lora_rank: int | None | Unset = UNSET
    """ Rank of the adapter. Absent or null where the server does not say. """
    model_name: None | str | Unset = UNSET
    """ Name of the base model, as in `model_data`. Absent or null where the server does not say. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.adam_optimizer_config import AdamOptimizerConfig  # noqa: PLC0415
        from ..models.dimuon_optimizer_config import DimuonOptimizerConfig  # noqa: PLC0415
        from ..models.other_optimizer_config import OtherOptimizerConfig  # noqa: PLC0415

        model_data = self.model_data.to_dict()

        model_id = self.model_id

        type_: None | str | Unset
        if isinstance(self.type_, Unset):
            type_ = UNSET
        else:
            type_ = self.type_

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

        is_lora: bool | None | Unset
        if isinstance(self.is_lora, Unset):
            is_lora = UNSET
        else:
            is_lora = self.is_lora

        lora_rank: int | None | Unset
        if isinstance(self.lora_rank, Unset):
            lora_rank = UNSET
        else:
            lora_rank = self.lora_rank

        model_name: None | str | Unset
        if isinstance(self.model_name, Unset):
            model_name = UNSET
        else:
            model_name = self.model_name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_data": model_data,
                "model_id": model_id,
            }
        )
        if type_ is not UNSET:
            field_dict["type"] = type_
        if optimizer_config is not UNSET:
            field_dict["optimizer_config"] = optimizer_config
        if is_lora is not UNSET:
            field_dict["is_lora"] = is_lora
        if lora_rank is not UNSET:
            field_dict["lora_rank"] = lora_rank
        if model_name is not UNSET:
            field_dict["model_name"] = model_name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.adam_optimizer_config import AdamOptimizerConfig  # noqa: PLC0415
        from ..models.dimuon_optimizer_config import DimuonOptimizerConfig  # noqa: PLC0415
        from ..models.model_data import ModelData  # noqa: PLC0415
        from ..models.other_optimizer_config import OtherOptimizerConfig  # noqa: PLC0415

        d = dict(src_dict)
        model_data = ModelData.from_dict(d.pop("model_data"))

        model_id = d.pop("model_id")

        type_ = cast(None | str | Unset, d.pop("type", UNSET))

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

        is_lora = cast(bool | None | Unset, d.pop("is_lora", UNSET))

        lora_rank = cast(int | None | Unset, d.pop("lora_rank", UNSET))

        model_name = cast(None | str | Unset, d.pop("model_name", UNSET))

        get_info_response = cls(
            model_data=model_data,
            model_id=model_id,
            type_=type_,
            optimizer_config=optimizer_config,
            is_lora=is_lora,
            lora_rank=lora_rank,
            model_name=model_name,
        )

        get_info_response.additional_properties = d
        return get_info_response

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
