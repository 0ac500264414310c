# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

T = TypeVar("T", bound="SetCheckpointTtlRequest")


@_attrs_define
class SetCheckpointTtlRequest:
    """Set or remove the expiry of a checkpoint."""

    ttl_seconds: int | None
    """ Seconds from now until the server deletes it, one hour to ten years. Null, which is sent, keeps it. """

    def to_dict(self) -> dict[str, Any]:
        ttl_seconds: int | None
        ttl_seconds = self.ttl_seconds

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "ttl_seconds": ttl_seconds,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        ttl_seconds = cast(int | None, d.pop("ttl_seconds"))

        set_checkpoint_ttl_request = cls(
            ttl_seconds=ttl_seconds,
        )

        return set_checkpoint_ttl_request
