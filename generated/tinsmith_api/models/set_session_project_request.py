# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="SetSessionProjectRequest")


@_attrs_define
class SetSessionProjectRequest:
    """Move a session to a project."""

    project_id: str
    """ Id of a project, by which sessions and costs are grouped. """

    def to_dict(self) -> dict[str, Any]:
        project_id = self.project_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "project_id": project_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        project_id = d.pop("project_id")

        set_session_project_request = cls(
            project_id=project_id,
        )

        return set_session_project_request
