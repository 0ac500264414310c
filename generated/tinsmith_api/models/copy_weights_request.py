# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CopyWeightsRequest")


@_attrs_define
class CopyWeightsRequest:
    """Copy a checkpoint into a project (`destination_project_id`), or into a session as if one of its models had saved it
    (`session_id` and `model_seq_id`).

    """

    source_path: str
    """ Where a checkpoint lives, as `tinker://<training run>/<kind>/<name>`. Some servers leave the kind out, so
    pass on a path that a server gave as it is.
     """
    session_id: None | str | Unset = UNSET
    """ Session to copy into, together with `model_seq_id`. """
    model_seq_id: int | None | Unset = UNSET
    """ Number, in that session, of the model that the copy is counted to. """
    destination_project_id: None | str | Unset = UNSET
    """ Project to copy into. """
    ttl_seconds: int | None | Unset = UNSET
    """ Seconds until the server deletes the copy, one hour to ten years. Absent or null keeps it. """
    weights_access_token: None | str | Unset = UNSET
    """ Secret that opens somebody else's checkpoint. The official client sends it as the header X-Tinker-Weights-
    Access-Token instead.
     """

    def to_dict(self) -> dict[str, Any]:
        source_path = self.source_path

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

        destination_project_id: None | str | Unset
        if isinstance(self.destination_project_id, Unset):
            destination_project_id = UNSET
        else:
            destination_project_id = self.destination_project_id

        ttl_seconds: int | None | Unset
        if isinstance(self.ttl_seconds, Unset):
            ttl_seconds = UNSET
        else:
            ttl_seconds = self.ttl_seconds

        weights_access_token: None | str | Unset
        if isinstance(self.weights_access_token, Unset):
            weights_access_token = UNSET
        else:
            weights_access_token = self.weights_access_token

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "source_path": source_path,
            }
        )
        if session_id is not UNSET:
            field_dict["session_id"] = session_id
        if model_seq_id is not UNSET:
            field_dict["model_seq_id"] = model_seq_id
        if destination_project_id is not UNSET:
            field_dict["destination_project_id"] = destination_project_id
        if ttl_seconds is not UNSET:
            field_dict["ttl_seconds"] = ttl_seconds
        if weights_access_token is not UNSET:
            field_dict["weights_access_token"] = weights_access_token

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        source_path = d.pop("source_path")

        session_id = cast(None | str | Unset, d.pop("session_id", UNSET))

        model_seq_id = cast(int | None | Unset, d.pop("model_seq_id", UNSET))

        destination_project_id = cast(None | str | Unset, d.pop("destination_project_id", UNSET))

        ttl_seconds = cast(int | None | Unset, d.pop("ttl_seconds", UNSET))

        weights_access_token = cast(None | str | Unset, d.pop("weights_access_token", UNSET))

        copy_weights_request = cls(
            source_path=source_path,
            session_id=session_id,
            model_seq_id=model_seq_id,
            destination_project_id=destination_project_id,
            ttl_seconds=ttl_seconds,
            weights_access_token=weights_access_token,
        )

        return copy_weights_request
