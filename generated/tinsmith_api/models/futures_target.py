# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="FuturesTarget")


@_attrs_define
class FuturesTarget:
    """Whose promises to watch."""

    sampling_session_id: str
    """ Names a sampler. The hosted service forms it as `<session>:sample:<n>`. Treat it as opaque.
     """
    type_: Literal["sampling_session"] | Unset = "sampling_session"
    """ The only kind of target known. """
    cloned_sampler_id: int | None | Unset = UNSET
    """ The clone counter of a sampler that was copied into another process; null for the original.
     """

    def to_dict(self) -> dict[str, Any]:
        sampling_session_id = self.sampling_session_id

        type_ = self.type_

        cloned_sampler_id: int | None | Unset
        if isinstance(self.cloned_sampler_id, Unset):
            cloned_sampler_id = UNSET
        else:
            cloned_sampler_id = self.cloned_sampler_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "sampling_session_id": sampling_session_id,
            }
        )
        if type_ is not UNSET:
            field_dict["type"] = type_
        if cloned_sampler_id is not UNSET:
            field_dict["cloned_sampler_id"] = cloned_sampler_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        sampling_session_id = d.pop("sampling_session_id")

        type_ = cast(Literal["sampling_session"] | Unset, d.pop("type", UNSET))
        if type_ != "sampling_session" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'sampling_session', got '{type_}'")

        cloned_sampler_id = cast(int | None | Unset, d.pop("cloned_sampler_id", UNSET))

        futures_target = cls(
            sampling_session_id=sampling_session_id,
            type_=type_,
            cloned_sampler_id=cloned_sampler_id,
        )

        return futures_target
