# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="TryAgainResponse")


@_attrs_define
class TryAgainResponse:
    """The result is not there yet. Body of a 408, and of a 200 on servers that say it so. Some servers send only `detail`."""

    type_: str | Unset = UNSET
    """ Kind of answer, `try_again`. """
    request_id: str | Unset = UNSET
    """ The promise that was asked for. Absent where the server does not repeat it. """
    queue_state: str | Unset = UNSET
    """ Why the work waits: `active` is at work or next, `paused_capacity` waits for machines, `paused_rate_limit`
    waits for one's own limit. Absent where the server does not say.
     """
    queue_state_reason: None | str | Unset = UNSET
    """ The reason in words, for people. Absent or null where the server gives none. """
    detail: Any | Unset = UNSET
    """ What servers of the FastAPI family say instead of the fields above. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        request_id = self.request_id

        queue_state = self.queue_state

        queue_state_reason: None | str | Unset
        if isinstance(self.queue_state_reason, Unset):
            queue_state_reason = UNSET
        else:
            queue_state_reason = self.queue_state_reason

        detail = self.detail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if type_ is not UNSET:
            field_dict["type"] = type_
        if request_id is not UNSET:
            field_dict["request_id"] = request_id
        if queue_state is not UNSET:
            field_dict["queue_state"] = queue_state
        if queue_state_reason is not UNSET:
            field_dict["queue_state_reason"] = queue_state_reason
        if detail is not UNSET:
            field_dict["detail"] = detail

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = d.pop("type", UNSET)

        request_id = d.pop("request_id", UNSET)

        queue_state = d.pop("queue_state", UNSET)

        queue_state_reason = cast(None | str | Unset, d.pop("queue_state_reason", UNSET))

        detail = d.pop("detail", UNSET)

        try_again_response = cls(
            type_=type_,
            request_id=request_id,
            queue_state=queue_state,
            queue_state_reason=queue_state_reason,
            detail=detail,
        )

        try_again_response.additional_properties = d
        return try_again_response

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
