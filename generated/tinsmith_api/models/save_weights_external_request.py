# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="SaveWeightsExternalRequest")


@_attrs_define
class SaveWeightsExternalRequest:
    """Store weights as files to download."""

    model_id: str
    """ Id of a model in training. The hosted service forms it as `<session>:train:<model_seq_id>`, and the id of
    its training run is the same text. Treat it as opaque.
     """
    path: str
    """ Name of the checkpoint, not a path. 1 to 255 letters, digits, `_`, `-` and `.`. """
    seq_id: int | None | Unset = UNSET
    """ Place of the request in the model's training order, from 1. Absent or null leaves it to the server. """
    ttl_seconds: int | None | Unset = UNSET
    """ Seconds until the server deletes the files, one hour to ten years. Absent or null keeps them. """
    age_encryption_recipients: list[str] | None | Unset = UNSET
    """ Public age keys that the files are encrypted for. Absent or null leaves them unencrypted. """
    type_: Literal["save_weights_external"] | Unset = "save_weights_external"
    """ The kind of request, always `save_weights_external`. """

    def to_dict(self) -> dict[str, Any]:
        model_id = self.model_id

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

        age_encryption_recipients: list[str] | None | Unset
        if isinstance(self.age_encryption_recipients, Unset):
            age_encryption_recipients = UNSET
        else:
            age_encryption_recipients = self.age_encryption_recipients

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "model_id": model_id,
                "path": path,
            }
        )
        if seq_id is not UNSET:
            field_dict["seq_id"] = seq_id
        if ttl_seconds is not UNSET:
            field_dict["ttl_seconds"] = ttl_seconds
        if age_encryption_recipients is not UNSET:
            field_dict["age_encryption_recipients"] = age_encryption_recipients
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_id = d.pop("model_id")

        path = d.pop("path")

        seq_id = cast(int | None | Unset, d.pop("seq_id", UNSET))

        ttl_seconds = cast(int | None | Unset, d.pop("ttl_seconds", UNSET))

        age_encryption_recipients = cast(list[str] | None | Unset, d.pop("age_encryption_recipients", UNSET))

        type_ = cast(Literal["save_weights_external"] | Unset, d.pop("type", UNSET))
        if type_ != "save_weights_external" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'save_weights_external', got '{type_}'")

        save_weights_external_request = cls(
            model_id=model_id,
            path=path,
            seq_id=seq_id,
            ttl_seconds=ttl_seconds,
            age_encryption_recipients=age_encryption_recipients,
            type_=type_,
        )

        return save_weights_external_request
