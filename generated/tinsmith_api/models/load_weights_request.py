# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.optimizer_config import OptimizerConfig
    from ..models.user_metadata import UserMetadata


T = TypeVar("T", bound="LoadWeightsRequest")


@_attrs_define
class LoadWeightsRequest:
    """Load a checkpoint, in one of two forms: into an existing model (`model_id`, `seq_id`), or creating a model from it
    (`session_id`, `model_seq_id`, since 0.24.1). Some servers take the first form only as a model's first request.

    """

    path: str
    """ Where a checkpoint lives: `tinker://<training run>/<kind>/<name>`. Some servers leave the kind out, so a
    path that a server gave is passed on as it is.
     """
    optimizer: bool
    """ Whether to load the optimizer's state as well. """
    model_id: None | str | Unset = UNSET
    """ The model to load into. First form. """
    seq_id: int | None | Unset = UNSET
    """ The place in the training order. First form. """
    session_id: None | str | Unset = UNSET
    """ The session of the new model. Second form. """
    model_seq_id: int | None | Unset = UNSET
    """ The number of the new model. Second form. """
    base_model: None | str | Unset = UNSET
    """ Another base model than the one that the checkpoint was trained on. Second form. """
    user_metadata: None | Unset | UserMetadata = UNSET
    """ Labels of the new training run. Second form. """
    optimizer_config: None | OptimizerConfig | Unset = UNSET
    """ The optimizer. Second form. """
    weights_access_token: None | str | Unset = UNSET
    """ Opens somebody else's checkpoint. """
    type_: Literal["load_weights"] | Unset = "load_weights"
    """ The kind of this request. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.optimizer_config import OptimizerConfig  # noqa: PLC0415
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

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
        elif isinstance(self.user_metadata, UserMetadata):
            user_metadata = self.user_metadata.to_dict()
        else:
            user_metadata = self.user_metadata

        optimizer_config: dict[str, Any] | None | Unset
        if isinstance(self.optimizer_config, Unset):
            optimizer_config = UNSET
        elif isinstance(self.optimizer_config, OptimizerConfig):
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
        from ..models.optimizer_config import OptimizerConfig  # noqa: PLC0415
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        d = dict(src_dict)
        path = d.pop("path")

        optimizer = d.pop("optimizer")

        model_id = cast(None | str | Unset, d.pop("model_id", UNSET))

        seq_id = cast(int | None | Unset, d.pop("seq_id", UNSET))

        session_id = cast(None | str | Unset, d.pop("session_id", UNSET))

        model_seq_id = cast(int | None | Unset, d.pop("model_seq_id", UNSET))

        base_model = cast(None | str | Unset, d.pop("base_model", UNSET))

        def _parse_user_metadata(data: Any) -> None | Unset | UserMetadata:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return UserMetadata.from_dict(data)

        user_metadata = _parse_user_metadata(d.pop("user_metadata", UNSET))

        def _parse_optimizer_config(data: Any) -> None | OptimizerConfig | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return OptimizerConfig.from_dict(data)

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
