# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..models.save_weights_for_sampler_request_kind import (
    SaveWeightsForSamplerRequestKind,
    check_save_weights_for_sampler_request_kind,
)
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.user_metadata import UserMetadata


T = TypeVar("T", bound="SaveWeightsForSamplerRequest")


@_attrs_define
class SaveWeightsForSamplerRequest:
    """Store weights to sample from, under a name (`path`), or as a sampler that lives with the session
    (`sampling_session_seq_id`).

    """

    model_id: str
    """ Id of a model in training. The hosted service forms it as `<session>:train:<model_seq_id>`, and the id of
    its training run is the same text. Treat it as opaque.
     """
    path: None | str | Unset = UNSET
    """ Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. Absent or null for a sampler
    that lives with the session.
     """
    sampling_session_seq_id: int | None | Unset = UNSET
    """ Number, in its session, of the sampler that the weights become, from 0. Absent or null when a name is given.
     """
    kind: SaveWeightsForSamplerRequestKind | Unset = UNSET
    """ Whether the sampler keeps the weights of now (`snapshot`) or follows the training (`inflight`). Absent means
    `snapshot`.
     """
    seq_id: int | None | Unset = UNSET
    """ Place of the request in the model's training order, from 1. Absent or null leaves it to the server. """
    ttl_seconds: int | None | Unset = UNSET
    """ Seconds until the server deletes it, one hour to ten years. Absent or null keeps it. """
    user_metadata: None | Unset | UserMetadata = UNSET
    """ Labels that the user attaches to the checkpoint, text by name. Absent or null means none. """
    type_: Literal["save_weights_for_sampler"] | Unset = "save_weights_for_sampler"
    """ The kind of request, always `save_weights_for_sampler`. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.user_metadata import UserMetadata  # noqa: PLC0415

        model_id = self.model_id

        path: None | str | Unset
        if isinstance(self.path, Unset):
            path = UNSET
        else:
            path = self.path

        sampling_session_seq_id: int | None | Unset
        if isinstance(self.sampling_session_seq_id, Unset):
            sampling_session_seq_id = UNSET
        else:
            sampling_session_seq_id = self.sampling_session_seq_id

        kind: str | Unset = UNSET
        if not isinstance(self.kind, Unset):
            kind = self.kind

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
        if sampling_session_seq_id is not UNSET:
            field_dict["sampling_session_seq_id"] = sampling_session_seq_id
        if kind is not UNSET:
            field_dict["kind"] = kind
        if seq_id is not UNSET:
            field_dict["seq_id"] = seq_id
        if ttl_seconds is not UNSET:
            field_dict["ttl_seconds"] = ttl_seconds
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

        sampling_session_seq_id = cast(int | None | Unset, d.pop("sampling_session_seq_id", UNSET))

        _kind = d.pop("kind", UNSET)
        kind: SaveWeightsForSamplerRequestKind | Unset
        if isinstance(_kind, Unset):
            kind = UNSET
        else:
            kind = check_save_weights_for_sampler_request_kind(_kind)

        seq_id = cast(int | None | Unset, d.pop("seq_id", UNSET))

        ttl_seconds = cast(int | None | Unset, d.pop("ttl_seconds", UNSET))

        def _parse_user_metadata(data: Any) -> None | Unset | UserMetadata:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return UserMetadata.from_dict(data)

        user_metadata = _parse_user_metadata(d.pop("user_metadata", UNSET))

        type_ = cast(Literal["save_weights_for_sampler"] | Unset, d.pop("type", UNSET))
        if type_ != "save_weights_for_sampler" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'save_weights_for_sampler', got '{type_}'")

        save_weights_for_sampler_request = cls(
            model_id=model_id,
            path=path,
            sampling_session_seq_id=sampling_session_seq_id,
            kind=kind,
            seq_id=seq_id,
            ttl_seconds=ttl_seconds,
            user_metadata=user_metadata,
            type_=type_,
        )

        return save_weights_for_sampler_request
