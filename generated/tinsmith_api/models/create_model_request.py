# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.adam_optimizer_config import AdamOptimizerConfig
    from ..models.dimuon_optimizer_config import DimuonOptimizerConfig
    from ..models.json_metadata import JsonMetadata
    from ..models.lora_config import LoraConfig
    from ..models.other_optimizer_config import OtherOptimizerConfig


T = TypeVar("T", bound="CreateModelRequest")


@_attrs_define
class CreateModelRequest:
    """Create a model to train: a base model with a fresh adapter."""

    session_id: str
    """ Id of a session. Opaque: servers form it as they like. """
    model_seq_id: int
    """ Number of a model within its session, from 0. A retry sends the same number, so that no second model is
    created.
     """
    base_model: str
    """ Name of a base model, as `get_server_capabilities` lists it. """
    user_metadata: JsonMetadata | None | Unset = UNSET
    """ Labels that the user attaches to the training run, with any JSON values. Absent or null means none. """
    lora_config: LoraConfig | None | Unset = UNSET
    """ Shape of the adapter. The known servers require it. """
    optimizer_config: AdamOptimizerConfig | DimuonOptimizerConfig | None | OtherOptimizerConfig | Unset = (
        UNSET
    )
    """ Optimizer to train with. Absent or null means the server's default, AdamW. """
    type_: Literal["create_model"] | Unset = "create_model"
    """ The kind of request, always `create_model`. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.adam_optimizer_config import AdamOptimizerConfig  # noqa: PLC0415
        from ..models.dimuon_optimizer_config import DimuonOptimizerConfig  # noqa: PLC0415
        from ..models.json_metadata import JsonMetadata  # noqa: PLC0415
        from ..models.lora_config import LoraConfig  # noqa: PLC0415
        from ..models.other_optimizer_config import OtherOptimizerConfig  # noqa: PLC0415

        session_id = self.session_id

        model_seq_id = self.model_seq_id

        base_model = self.base_model

        user_metadata: dict[str, Any] | None | Unset
        if isinstance(self.user_metadata, Unset):
            user_metadata = UNSET
        elif isinstance(self.user_metadata, JsonMetadata):
            user_metadata = self.user_metadata.to_dict()
        else:
            user_metadata = self.user_metadata

        lora_config: dict[str, Any] | None | Unset
        if isinstance(self.lora_config, Unset):
            lora_config = UNSET
        elif isinstance(self.lora_config, LoraConfig):
            lora_config = self.lora_config.to_dict()
        else:
            lora_config = self.lora_config

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

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "session_id": session_id,
                "model_seq_id": model_seq_id,
                "base_model": base_model,
            }
        )
        if user_metadata is not UNSET:
            field_dict["user_metadata"] = user_metadata
        if lora_config is not UNSET:
            field_dict["lora_config"] = lora_config
        if optimizer_config is not UNSET:
            field_dict["optimizer_config"] = optimizer_config
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.adam_optimizer_config import AdamOptimizerConfig  # noqa: PLC0415
        from ..models.dimuon_optimizer_config import DimuonOptimizerConfig  # noqa: PLC0415
        from ..models.json_metadata import JsonMetadata  # noqa: PLC0415
        from ..models.lora_config import LoraConfig  # noqa: PLC0415
        from ..models.other_optimizer_config import OtherOptimizerConfig  # noqa: PLC0415

        d = dict(src_dict)
        session_id = d.pop("session_id")

        model_seq_id = d.pop("model_seq_id")

        base_model = d.pop("base_model")

        def _parse_user_metadata(data: Any) -> JsonMetadata | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return JsonMetadata.from_dict(data)

        user_metadata = _parse_user_metadata(d.pop("user_metadata", UNSET))

        def _parse_lora_config(data: Any) -> LoraConfig | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return LoraConfig.from_dict(data)

        lora_config = _parse_lora_config(d.pop("lora_config", UNSET))

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

        type_ = cast(Literal["create_model"] | Unset, d.pop("type", UNSET))
        if type_ != "create_model" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'create_model', got '{type_}'")

        create_model_request = cls(
            session_id=session_id,
            model_seq_id=model_seq_id,
            base_model=base_model,
            user_metadata=user_metadata,
            lora_config=lora_config,
            optimizer_config=optimizer_config,
            type_=type_,
        )

        return create_model_request
