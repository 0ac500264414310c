# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateSamplingSessionRequest")


@_attrs_define
class CreateSamplingSessionRequest:
    """Make a sampler, over a base model (`base_model`) or over saved weights (`model_path`)."""

    session_id: str
    """ Id of a session. Opaque: servers form it as they like. """
    sampling_session_seq_id: int
    """ Number of a sampler within its session, from 0. `create_sampling_session` and unnamed
    `save_weights_for_sampler` share one counter.
     """
    base_model: None | str | Unset = UNSET
    """ Base model to sample. """
    model_path: None | str | Unset = UNSET
    """ Saved weights to sample, as a `tinker://` path. """
    type_: Literal["create_sampling_session"] | Unset = "create_sampling_session"
    """ The kind of request, always `create_sampling_session`. """

    def to_dict(self) -> dict[str, Any]:
        session_id = self.session_id

        sampling_session_seq_id = self.sampling_session_seq_id

        base_model: None | str | Unset
        if isinstance(self.base_model, Unset):
            base_model = UNSET
        else:
            base_model = self.base_model

        model_path: None | str | Unset
        if isinstance(self.model_path, Unset):
            model_path = UNSET
        else:
            model_path = self.model_path

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "session_id": session_id,
                "sampling_session_seq_id": sampling_session_seq_id,
            }
        )
        if base_model is not UNSET:
            field_dict["base_model"] = base_model
        if model_path is not UNSET:
            field_dict["model_path"] = model_path
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        session_id = d.pop("session_id")

        sampling_session_seq_id = d.pop("sampling_session_seq_id")

        base_model = cast(None | str | Unset, d.pop("base_model", UNSET))

        model_path = cast(None | str | Unset, d.pop("model_path", UNSET))

        type_ = cast(Literal["create_sampling_session"] | Unset, d.pop("type", UNSET))
        if type_ != "create_sampling_session" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'create_sampling_session', got '{type_}'")

        create_sampling_session_request = cls(
            session_id=session_id,
            sampling_session_seq_id=sampling_session_seq_id,
            base_model=base_model,
            model_path=model_path,
            type_=type_,
        )

        return create_sampling_session_request
