# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CopyWeightsRequest")


@_attrs_define
class CopyWeightsRequest:
    """Copy a checkpoint into a project, or into a session as if a model of it had saved it."""

    source_path: str
    """ Where a checkpoint lives: `tinker://<training run>/<kind>/<name>`. Some servers leave the kind out, so a
    path that a server gave is passed on as it is.
     """
    destination_project_id: None | str | Unset = UNSET
    """ Into this project. """
    session_id: None | str | Unset = UNSET
    """ Or into this session, with model_seq_id. """
    model_seq_id: int | None | Unset = UNSET
    """ The number of the model in that session. """
    ttl_seconds: int | None | Unset = UNSET
    """ When to delete the copy; absent or null keeps it. """

    def to_dict(self) -> dict[str, Any]:
        source_path = self.source_path

        destination_project_id: None | str | Unset
        if isinstance(self.destination_project_id, Unset):
            destination_project_id = UNSET
        else:
            destination_project_id = self.destination_project_id

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

        ttl_seconds: int | None | Unset
        if isinstance(self.ttl_seconds, Unset):
            ttl_seconds = UNSET
        else:
            ttl_seconds = self.ttl_seconds

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "source_path": source_path,
            }
        )
        if destination_project_id is not UNSET:
            field_dict["destination_project_id"] = destination_project_id
        if session_id is not UNSET:
            field_dict["session_id"] = session_id
        if model_seq_id is not UNSET:
            field_dict["model_seq_id"] = model_seq_id
        if ttl_seconds is not UNSET:
            field_dict["ttl_seconds"] = ttl_seconds

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        source_path = d.pop("source_path")

        destination_project_id = cast(None | str | Unset, d.pop("destination_project_id", UNSET))

        session_id = cast(None | str | Unset, d.pop("session_id", UNSET))

        model_seq_id = cast(int | None | Unset, d.pop("model_seq_id", UNSET))

        ttl_seconds = cast(int | None | Unset, d.pop("ttl_seconds", UNSET))

        copy_weights_request = cls(
            source_path=source_path,
            destination_project_id=destination_project_id,
            session_id=session_id,
            model_seq_id=model_seq_id,
            ttl_seconds=ttl_seconds,
        )

        return copy_weights_request
