# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="SampledSequence")


@_attrs_define
class SampledSequence:
    """One sampled completion."""

    stop_reason: str
    """ Why it ended, because of the length (`length`) or because a stop was met (`stop`). """
    tokens: list[int]
    """ Token ids that were sampled, without the prompt. """
    logprobs: list[float] | None | Unset = UNSET
    """ Logprob of each sampled token under the model, before temperature, in nats. Absent or null where the server
    gives none.
     """
    topk_sampled_logprobs: list[Any] | None | Unset = UNSET
    """ For each sampled token the likeliest ones, as pairs of token id and logprob in nats. Absent or null unless
    asked for.
     """
    sequence_id: None | str | Unset = UNSET
    """ Id by which later requests say where tokens came from. Absent or null where the server gives none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        stop_reason = self.stop_reason

        tokens = self.tokens

        logprobs: list[float] | None | Unset
        if isinstance(self.logprobs, Unset):
            logprobs = UNSET
        else:
            logprobs = self.logprobs

        topk_sampled_logprobs: list[Any] | None | Unset
        if isinstance(self.topk_sampled_logprobs, Unset):
            topk_sampled_logprobs = UNSET
        else:
            topk_sampled_logprobs = self.topk_sampled_logprobs

        sequence_id: None | str | Unset
        if isinstance(self.sequence_id, Unset):
            sequence_id = UNSET
        else:
            sequence_id = self.sequence_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "stop_reason": stop_reason,
                "tokens": tokens,
            }
        )
        if logprobs is not UNSET:
            field_dict["logprobs"] = logprobs
        if topk_sampled_logprobs is not UNSET:
            field_dict["topk_sampled_logprobs"] = topk_sampled_logprobs
        if sequence_id is not UNSET:
            field_dict["sequence_id"] = sequence_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        stop_reason = d.pop("stop_reason")

        tokens = cast(list[int], d.pop("tokens"))

        logprobs = cast(list[float] | None | Unset, d.pop("logprobs", UNSET))

        topk_sampled_logprobs = cast(list[Any] | None | Unset, d.pop("topk_sampled_logprobs", UNSET))

        sequence_id = cast(None | str | Unset, d.pop("sequence_id", UNSET))

        sampled_sequence = cls(
            stop_reason=stop_reason,
            tokens=tokens,
            logprobs=logprobs,
            topk_sampled_logprobs=topk_sampled_logprobs,
            sequence_id=sequence_id,
        )

        sampled_sequence.additional_properties = d
        return sampled_sequence

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
