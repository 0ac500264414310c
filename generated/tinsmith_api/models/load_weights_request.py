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
    from ..models.other_optimizer_config import OtherOptimizerConfig


T = TypeVar("T", bound="LoadWeightsRequest")


@_attrs_define
class LoadWeightsRequest:
    """Load a checkpoint, in one of two forms: into an existing model (`model_id` and `seq_id`), or into a new model that
    it creates (`session_id` and `model_seq_id`, since 0.24.1). Some servers take the first form only as a model's first
    request.

    """

    path: str
    """ Where a checkpoint lives, as `tinker://<training run>/<kind>/<name>`. Some servers leave the kind out, so
    pass on a path that a server gave as it is.
     """
    optimizer: bool
    """ Whether to load the optimizer's state as well as the weights. """
    model_id: None | str | Unset = UNSET
    """ Model to load into. First form only. """
    seq_id: int | None | Unset = UNSET
    """ Place of the request in the model's training order, from 1. First form only. """
    session_id: None | str | Unset = UNSET
    """ Session that the new model belongs to. Second form only. """
    model_seq_id: int | None | Unset = UNSET
    """ Number of the new model in its session, from 0. Second form only. """
    base_model: None | str | Unset = UNSET
    """ Base model of the new model, where it differs from the one that the checkpoint was trained on. Second form
    only.
     """
    user_metadata: JsonMetadata | None | Unset = UNSET
    """ Labels that the user attaches to the new training run, with any JSON values. Second form only. """
    optimizer_config: AdamOptimizerConfig | DimuonOptimizerConfig | None | OtherOptimizerConfig | Unset = (
        UNSET
    )
    """ Optimizer to train the new model with. Absent or null means that of the checkpoint. Second form only. """
    weights_access_token: None | str | Unset = UNSET
    """ Secret that opens somebody else's checkpoint. Absent or null for one's own and for public ones. """
    type_: Literal["load_weights"] | Unset = "load_weights"
    """ The kind of request, always `load_weights`. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.adam_optimizer_config import AdamOptimizerConfig  # noqa: PLC0415
        from ..models.dimuon_optimizer_config import DimuonOptimizerConfig  # noqa: PLC0415
        from ..models.json_metadata import JsonMetadata  # noqa: PLC0415
        from ..models.other_optimizer_config import OtherOptimizerConfig  # noqa: PLC0415

        path = self.path

        optimizer = self.optimizer

        model_id: None | str | Unset
        if isinstance(self.model_id, Unset):
            model_id = UNSET
        else:
            model_id = self.model_id

        seq_id: int | None | Unset
        if isinstance(self.seq_id, Unset):
            seq_id = UNSET
        else:
            seq_id = self.seq_id

        session_id: None | str | Unset
        if isinstance(self.session_id, Unset):
            session_id = UNSET
        else:
            session_id = self.session_id

        model_seq_id: int | None | Unset
        if isinstance(self.model_seq_id, Unset):
            model_seq_id = UNSET
        else:
            model_seq_id = self.model_seq_id

        base_model: None | str | Unset
        if isinstance(self.base_model, Unset):
            base_model = UNSET
        else:
            base_model = self.base_model

        user_metadata: dict[str, Any] | None | Unset
        if isinstance(self.user_metadata, Unset):
            user_metadata = UNSET
        elif isinstance(self.user_metadata, JsonMetadata):
            user_metadata = self.user_metadata.to_dict()
        else:
            user_metadata = self.user_metadata

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

        weights_access_token: None | str | Unset
        if isinstance(self.weights_access_token, Unset):
            weights_access_token = UNSET
        else:
            weights_access_token = self.weights_access_token

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "path": path,
                "optimizer": optimizer,
            }
        )
        if model_id is not UNSET:
            field_dict["model_id"] = model_id
        if seq_id is not UNSET:
            field_dict["seq_id"] = seq_id
        if session_id is not UNSET:
            field_dict["session_id"] = session_id
        if model_seq_id is not UNSET:
            field_dict["model_seq_id"] = model_seq_id
        if base_model is not UNSET:
            field_dict["base_model"] = base_model
        if user_metadata is not UNSET:
            field_dict["user_metadata"] = user_metadata
        if optimizer_config is not UNSET:
            field_dict["optimizer_config"] = optimizer_config
        if weights_access_token is not UNSET:
            field_dict["weights_access_token"] = weights_access_token
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.adam_optimizer_config import AdamOptimizerConfig  # noqa: PLC0415
        from ..models.dimuon_optimizer_config import DimuonOptimizerConfig  # noqa: PLC0415
        from ..models.json_metadata import JsonMetadata  # noqa: PLC0415
        from ..models.other_optimizer_config import OtherOptimizerConfig  # noqa: PLC0415

        d = dict(src_dict)
        path = d.pop("path")

        optimizer = d.pop("optimizer")

        model_id = cast(None | str | Unset, d.pop("model_id", UNSET))

        seq_id = cast(int | None | Unset, d.pop("seq_id", UNSET))

        session_id = cast(None | str | Unset, d.pop("session_id", UNSET))

        model_seq_id = cast(int | None | Unset, d.pop("model_seq_id", UNSET))

        base_model = cast(None | str | Unset, d.pop("base_model", UNSET))

        def _parse_user_metadata(data: Any) -> JsonMetadata | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return JsonMetadata.from_dict(data)

        user_metadata = _parse_user_metadata(d.pop("user_metadata", UNSET))

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

        weights_access_token = cast(None | str | Unset, d.pop("weights_access_token", UNSET))

        type_ = cast(Literal["load_weights"] | Unset, d.pop("type", UNSET))
        if type_ != "load_weights" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'load_weights', got '{type_}'")

        load_weights_request = cls(
            path=path,
            optimizer=optimizer,
            model_id=model_id,
            seq_id=seq_id,
            session_id=session_id,
            model_seq_id=model_seq_id,
            base_model=base_model,
            user_metadata=user_metadata,
            optimizer_config=optimizer_config,
            weights_access_token=weights_access_token,
            type_=type_,
        )

        return load_weights_request
