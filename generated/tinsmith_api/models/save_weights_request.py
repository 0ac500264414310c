# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.user_metadata import UserMetadata


T = TypeVar("T", bound="SaveWeightsRequest")


@_attrs_define
class SaveWeightsRequest:
    """Store a checkpoint to go on training from, with weights and optimizer state."""

    model_id: str
    """ Id of a model in training. The hosted service forms it as `<session>:train:<model_seq_id>`, and the id of
    its training run is the same text. Treat it as opaque.
     """
    path: None | str | Unset = UNSET
    """ Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. Absent or null lets the
    server choose.
     """
    seq_id: int | None | Unset = UNSET
    """ Place of the request in the model's training order, from 1. Absent or null leaves it to the server. """
    ttl_seconds: int | None | Unset = UNSET
    """ Seconds until the server deletes it, one hour to ten years. Absent or null keeps it. """
    overwrite: bool | Unset = UNSET
    """ Whether a checkpoint of the same name may be replaced. Absent means no, and the answer is then 409. """
    user_metadata: None | Unset | UserMetadata = UNSET
    """ Labels that the user attaches to the checkpoint, text by name. Absent or null means none. """
    type_: Literal["save_weights"] | Unset = "save_weights"
    """ The kind of request, always `save_weights`. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        model_id = self.model_id

        path: None | str | Unset
        if isinstance(self.path, Unset):
            path = UNSET
        else:
            path = self.path

        seq_id: int | None | Unset
        if isinstance(self.seq_id, Unset):
            seq_id = UNSET
        else:
            seq_id = self.seq_id

        ttl_seconds: int | None | Unset
        if isinstance(self.ttl_seconds, Unset):
            ttl_seconds = UNSET
        else:
            ttl_seconds = self.ttl_seconds

        overwrite = self.overwrite

        user_metadata: dict[str, Any] | None | Unset
        if isinstance(self.user_metadata, Unset):
            user_metadata = UNSET
        elif isinstance(self.user_metadata, UserMetadata):
            user_metadata = self.user_metadata.to_dict()
        else:
            user_metadata = self.user_metadata

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "model_id": model_id,
            }
        )
        if path is not UNSET:
            field_dict["path"] = path
        if seq_id is not UNSET:
            field_dict["seq_id"] = seq_id
        if ttl_seconds is not UNSET:
            field_dict["ttl_seconds"] = ttl_seconds
        if overwrite is not UNSET:
            field_dict["overwrite"] = overwrite
        if user_metadata is not UNSET:
            field_dict["user_metadata"] = user_metadata
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        d = dict(src_dict)
        model_id = d.pop("model_id")

        path = cast(None | str | Unset, d.pop("path", UNSET))

        seq_id = cast(int | None | Unset, d.pop("seq_id", UNSET))

        ttl_seconds = cast(int | None | Unset, d.pop("ttl_seconds", UNSET))

        overwrite = d.pop("overwrite", UNSET)

        def _parse_user_metadata(data: Any) -> None | Unset | UserMetadata:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return UserMetadata.from_dict(data)

        user_metadata = _parse_user_metadata(d.pop("user_metadata", UNSET))

        type_ = cast(Literal["save_weights"] | Unset, d.pop("type", UNSET))
        if type_ != "save_weights" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'save_weights', got '{type_}'")

        save_weights_request = cls(
            model_id=model_id,
            path=path,
            seq_id=seq_id,
            ttl_seconds=ttl_seconds,
            overwrite=overwrite,
            user_metadata=user_metadata,
            type_=type_,
        )

        return save_weights_request
