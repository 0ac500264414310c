# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="SessionTraceExport")


@_attrs_define
class SessionTraceExport:
    """Where the trace of a session can be fetched. While it is pending, ask again every 5 seconds."""

    status: str
    """ How far the export is. """
    url: None | str | Unset = UNSET
    """ Where the trace can be fetched. Absent or null unless it is ready. The URL is signed and therefore a secret.
     """
    error: None | str | Unset = UNSET
    """ Why the export failed. Absent or null unless it did. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status = self.status

        url: None | str | Unset
        if isinstance(self.url, Unset):
            url = UNSET
        else:
            url = self.url

        error: None | str | Unset
        if isinstance(self.error, Unset):
            error = UNSET
        else:
            error = self.error

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
            }
        )
        if url is not UNSET:
            field_dict["url"] = url
        if error is not UNSET:
            field_dict["error"] = error

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        status = d.pop("status")

        url = cast(None | str | Unset, d.pop("url", UNSET))

        error = cast(None | str | Unset, d.pop("error", UNSET))

        session_trace_export = cls(
            status=status,
            url=url,
            error=error,
        )

        session_trace_export.additional_properties = d
        return session_trace_export

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
