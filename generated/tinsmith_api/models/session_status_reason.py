# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="SessionStatusReason")


@_attrs_define
class SessionStatusReason:
    """Why a session failed or was ended, told apart by `type`. Of a failure: `request` (with `request_id` and
    `request_type`), `training_run` (with `training_run_id`) or `sampling_session` (with `sampling_session_id`). Of an
    end by the client: `success`, `errored` or `interrupted`, without further fields.

    """

    type_: str
    """ The kind of reason. """
    request_id: None | str | Unset = UNSET
    """ The promise that failed. Only for `request`. """
    request_type: None | str | Unset = UNSET
    """ What kind of work failed, `ForwardBackward` for example. Only for `request`. """
    training_run_id: None | str | Unset = UNSET
    """ The training run that failed. Only for `training_run`. """
    sampling_session_id: None | str | Unset = UNSET
    """ The sampler that failed. Only for `sampling_session`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        request_id: None | str | Unset
        if isinstance(self.request_id, Unset):
            request_id = UNSET
        else:
            request_id = self.request_id

        request_type: None | str | Unset
        if isinstance(self.request_type, Unset):
            request_type = UNSET
        else:
            request_type = self.request_type

        training_run_id: None | str | Unset
        if isinstance(self.training_run_id, Unset):
            training_run_id = UNSET
        else:
            training_run_id = self.training_run_id

        sampling_session_id: None | str | Unset
        if isinstance(self.sampling_session_id, Unset):
            sampling_session_id = UNSET
        else:
            sampling_session_id = self.sampling_session_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
            }
        )
        if request_id is not UNSET:
            field_dict["request_id"] = request_id
        if request_type is not UNSET:
            field_dict["request_type"] = request_type
        if training_run_id is not UNSET:
            field_dict["training_run_id"] = training_run_id
        if sampling_session_id is not UNSET:
            field_dict["sampling_session_id"] = sampling_session_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = d.pop("type")

        request_id = cast(None | str | Unset, d.pop("request_id", UNSET))

        request_type = cast(None | str | Unset, d.pop("request_type", UNSET))

        training_run_id = cast(None | str | Unset, d.pop("training_run_id", UNSET))

        sampling_session_id = cast(None | str | Unset, d.pop("sampling_session_id", UNSET))

        session_status_reason = cls(
            type_=type_,
            request_id=request_id,
            request_type=request_type,
            training_run_id=training_run_id,
            sampling_session_id=sampling_session_id,
        )

        session_status_reason.additional_properties = d
        return session_status_reason

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
