# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.prompt_alt_tokens import PromptAltTokens
    from ..models.sampled_sequence import SampledSequence
    from ..models.tensor_data_output import TensorDataOutput


T = TypeVar("T", bound="SampleResponse")


@_attrs_define
class SampleResponse:
    """The completions, and what was asked for about the prompt."""

    sequences: list[SampledSequence]
    """ One entry for each sample that was asked for. """
    prompt_logprobs: list[Any] | None | Unset = UNSET
    """ Logprob of each prompt token given those before it, in nats. The first entry is null; some servers leave it
    out. Absent or null unless asked for.
     """
    topk_prompt_logprobs: list[Any] | None | Unset = UNSET
    """ For each prompt token the likeliest ones, as pairs of token id and logprob in nats; null where there are
    none. Absent or null unless asked for.
     """
    target_prompt_logprobs: None | TensorDataOutput | Unset = UNSET
    """ Logprobs of the tokens that `target_prompt_logprobs` of the request named, in nats. Absent or null unless
    asked for.
     """
    prompt_cache_hit_tokens: int | None | Unset = UNSET
    """ Prompt tokens that the server had computed before. Absent means 0. """
    prompt_alt_tokens: None | PromptAltTokens | Unset = UNSET
    """ What `prompt_alt_tokens_k` of the request asked for. Absent or null otherwise. """
    type_: str | Unset = UNSET
    """ The kind of result, `sample`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.prompt_alt_tokens import PromptAltTokens  # noqa: PLC0415
        from ..models.tensor_data_output import TensorDataOutput  # noqa: PLC0415

        sequences = []
        for sequences_item_data in self.sequences:
            sequences_item = sequences_item_data.to_dict()
            sequences.append(sequences_item)

        prompt_logprobs: list[Any] | None | Unset
        if isinstance(self.prompt_logprobs, Unset):
            prompt_logprobs = UNSET
        else:
            prompt_logprobs = self.prompt_logprobs

        topk_prompt_logprobs: list[Any] | None | Unset
        if isinstance(self.topk_prompt_logprobs, Unset):
            topk_prompt_logprobs = UNSET
        else:
            topk_prompt_logprobs = self.topk_prompt_logprobs

        target_prompt_logprobs: dict[str, Any] | None | Unset
        if isinstance(self.target_prompt_logprobs, Unset):
            target_prompt_logprobs = UNSET
        elif isinstance(self.target_prompt_logprobs, TensorDataOutput):
            target_prompt_logprobs = self.target_prompt_logprobs.to_dict()
        else:
            target_prompt_logprobs = self.target_prompt_logprobs

        prompt_cache_hit_tokens: int | None | Unset
        if isinstance(self.prompt_cache_hit_tokens, Unset):
            prompt_cache_hit_tokens = UNSET
        else:
            prompt_cache_hit_tokens = self.prompt_cache_hit_tokens

        prompt_alt_tokens: dict[str, Any] | None | Unset
        if isinstance(self.prompt_alt_tokens, Unset):
            prompt_alt_tokens = UNSET
        elif isinstance(self.prompt_alt_tokens, PromptAltTokens):
            prompt_alt_tokens = self.prompt_alt_tokens.to_dict()
        else:
            prompt_alt_tokens = self.prompt_alt_tokens

        type_ = self.type_

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "sequences": sequences,
            }
        )
        if prompt_logprobs is not UNSET:
            field_dict["prompt_logprobs"] = prompt_logprobs
        if topk_prompt_logprobs is not UNSET:
            field_dict["topk_prompt_logprobs"] = topk_prompt_logprobs
        if target_prompt_logprobs is not UNSET:
            field_dict["target_prompt_logprobs"] = target_prompt_logprobs
        if prompt_cache_hit_tokens is not UNSET:
            field_dict["prompt_cache_hit_tokens"] = prompt_cache_hit_tokens
        if prompt_alt_tokens is not UNSET:
            field_dict["prompt_alt_tokens"] = prompt_alt_tokens
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.prompt_alt_tokens import PromptAltTokens  # noqa: PLC0415
        from ..models.sampled_sequence import SampledSequence  # noqa: PLC0415
        from ..models.tensor_data_output import TensorDataOutput  # noqa: PLC0415

        d = dict(src_dict)
        sequences = []
        _sequences = d.pop("sequences")
        for sequences_item_data in _sequences:
            sequences_item = SampledSequence.from_dict(sequences_item_data)

            sequences.append(sequences_item)

        prompt_logprobs = cast(list[Any] | None | Unset, d.pop("prompt_logprobs", UNSET))

        topk_prompt_logprobs = cast(list[Any] | None | Unset, d.pop("topk_prompt_logprobs", UNSET))

        def _parse_target_prompt_logprobs(data: Any) -> None | TensorDataOutput | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return TensorDataOutput.from_dict(data)

        target_prompt_logprobs = _parse_target_prompt_logprobs(d.pop("target_prompt_logprobs", UNSET))

        prompt_cache_hit_tokens = cast(int | None | Unset, d.pop("prompt_cache_hit_tokens", UNSET))

        def _parse_prompt_alt_tokens(data: Any) -> None | PromptAltTokens | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return PromptAltTokens.from_dict(data)

        prompt_alt_tokens = _parse_prompt_alt_tokens(d.pop("prompt_alt_tokens", UNSET))

        type_ = d.pop("type", UNSET)

        sample_response = cls(
            sequences=sequences,
            prompt_logprobs=prompt_logprobs,
            topk_prompt_logprobs=topk_prompt_logprobs,
            target_prompt_logprobs=target_prompt_logprobs,
            prompt_cache_hit_tokens=prompt_cache_hit_tokens,
            prompt_alt_tokens=prompt_alt_tokens,
            type_=type_,
        )

        sample_response.additional_properties = d
        return sample_response

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
