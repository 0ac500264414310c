# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.model_input import ModelInput
    from ..models.sampling_params import SamplingParams
    from ..models.tensor_data import TensorData


T = TypeVar("T", bound="SampleRequest")


@_attrs_define
class SampleRequest:
    """Sample completions of a prompt."""

    prompt: ModelInput
    """ What a model reads, one chunk after the other. """
    sampling_params: SamplingParams
    """ How tokens are drawn. What is left out, the server fills in. """
    num_samples: int | Unset = UNSET
    """ Number of completions, at least 1. Absent means 1. """
    base_model: None | str | Unset = UNSET
    """ Base model to sample, instead of a sampler. """
    model_path: None | str | Unset = UNSET
    """ Saved weights to sample, as a `tinker://` path, instead of a sampler. """
    sampling_session_id: None | str | Unset = UNSET
    """ The sampler. `seq_id` is then required. """
    seq_id: int | None | Unset = UNSET
    """ Number of the request within its sampler, from 0. A retry sends the same number. Absent or null without a
    sampler.
     """
    prompt_logprobs: bool | None | Unset = UNSET
    """ Whether to return the logprob of each prompt token. Absent or null means no. """
    topk_prompt_logprobs: int | Unset = UNSET
    """ Number of likeliest tokens to return at each prompt position. Absent means 0, none. """
    topk_sample_logprobs: int | Unset = UNSET
    """ Number of likeliest tokens to return at each sampled position. Absent means 0, none. """
    target_prompt_logprobs: None | TensorData | Unset = UNSET
    """ Token ids whose logprobs are wanted at each prompt position. Absent or null means none. """
    prompt_alt_tokens_k: int | Unset = UNSET
    """ Number of other tokens to draw at each prompt position. Absent means 0, none. """
    prompt_logprobs_last_n: int | None | Unset = UNSET
    """ Return the logprobs of this many last prompt positions only. Absent or null means all. """
    record_stability_info: bool | None | Unset = UNSET
    """ Whether to record what is needed to compare sampling with training. Absent or null leaves it to the server.
     """
    type_: Literal["sample"] | Unset = "sample"
    """ The kind of request, always `sample`. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.tensor_data import TensorData  # noqa: PLC0415

        prompt = self.prompt.to_dict()

        sampling_params = self.sampling_params.to_dict()

        num_samples = self.num_samples

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

        sampling_session_id: None | str | Unset
        if isinstance(self.sampling_session_id, Unset):
            sampling_session_id = UNSET
        else:
            sampling_session_id = self.sampling_session_id

        seq_id: int | None | Unset
        if isinstance(self.seq_id, Unset):
            seq_id = UNSET
        else:
            seq_id = self.seq_id

        prompt_logprobs: bool | None | Unset
        if isinstance(self.prompt_logprobs, Unset):
            prompt_logprobs = UNSET
        else:
            prompt_logprobs = self.prompt_logprobs

        topk_prompt_logprobs = self.topk_prompt_logprobs

        topk_sample_logprobs = self.topk_sample_logprobs

        target_prompt_logprobs: dict[str, Any] | None | Unset
        if isinstance(self.target_prompt_logprobs, Unset):
            target_prompt_logprobs = UNSET
        elif isinstance(self.target_prompt_logprobs, TensorData):
            target_prompt_logprobs = self.target_prompt_logprobs.to_dict()
        else:
            target_prompt_logprobs = self.target_prompt_logprobs

        prompt_alt_tokens_k = self.prompt_alt_tokens_k

        prompt_logprobs_last_n: int | None | Unset
        if isinstance(self.prompt_logprobs_last_n, Unset):
            prompt_logprobs_last_n = UNSET
        else:
            prompt_logprobs_last_n = self.prompt_logprobs_last_n

        record_stability_info: bool | None | Unset
        if isinstance(self.record_stability_info, Unset):
            record_stability_info = UNSET
        else:
            record_stability_info = self.record_stability_info

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "prompt": prompt,
                "sampling_params": sampling_params,
            }
        )
        if num_samples is not UNSET:
            field_dict["num_samples"] = num_samples
        if base_model is not UNSET:
            field_dict["base_model"] = base_model
        if model_path is not UNSET:
            field_dict["model_path"] = model_path
        if sampling_session_id is not UNSET:
            field_dict["sampling_session_id"] = sampling_session_id
        if seq_id is not UNSET:
            field_dict["seq_id"] = seq_id
        if prompt_logprobs is not UNSET:
            field_dict["prompt_logprobs"] = prompt_logprobs
        if topk_prompt_logprobs is not UNSET:
            field_dict["topk_prompt_logprobs"] = topk_prompt_logprobs
        if topk_sample_logprobs is not UNSET:
            field_dict["topk_sample_logprobs"] = topk_sample_logprobs
        if target_prompt_logprobs is not UNSET:
            field_dict["target_prompt_logprobs"] = target_prompt_logprobs
        if prompt_alt_tokens_k is not UNSET:
            field_dict["prompt_alt_tokens_k"] = prompt_alt_tokens_k
        if prompt_logprobs_last_n is not UNSET:
            field_dict["prompt_logprobs_last_n"] = prompt_logprobs_last_n
        if record_stability_info is not UNSET:
            field_dict["record_stability_info"] = record_stability_info
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_input import ModelInput  # noqa: PLC0415
        from ..models.sampling_params import SamplingParams  # noqa: PLC0415
        from ..models.tensor_data import TensorData  # noqa: PLC0415

        d = dict(src_dict)
        prompt = ModelInput.from_dict(d.pop("prompt"))

        sampling_params = SamplingParams.from_dict(d.pop("sampling_params"))

        num_samples = d.pop("num_samples", UNSET)

        base_model = cast(None | str | Unset, d.pop("base_model", UNSET))

        model_path = cast(None | str | Unset, d.pop("model_path", UNSET))

        sampling_session_id = cast(None | str | Unset, d.pop("sampling_session_id", UNSET))

        seq_id = cast(int | None | Unset, d.pop("seq_id", UNSET))

        prompt_logprobs = cast(bool | None | Unset, d.pop("prompt_logprobs", UNSET))

        topk_prompt_logprobs = d.pop("topk_prompt_logprobs", UNSET)

        topk_sample_logprobs = d.pop("topk_sample_logprobs", UNSET)

        def _parse_target_prompt_logprobs(data: Any) -> None | TensorData | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return TensorData.from_dict(data)

        target_prompt_logprobs = _parse_target_prompt_logprobs(d.pop("target_prompt_logprobs", UNSET))

        prompt_alt_tokens_k = d.pop("prompt_alt_tokens_k", UNSET)

        prompt_logprobs_last_n = cast(int | None | Unset, d.pop("prompt_logprobs_last_n", UNSET))

        record_stability_info = cast(bool | None | Unset, d.pop("record_stability_info", UNSET))

        type_ = cast(Literal["sample"] | Unset, d.pop("type", UNSET))
        if type_ != "sample" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'sample', got '{type_}'")

        sample_request = cls(
            prompt=prompt,
            sampling_params=sampling_params,
            num_samples=num_samples,
            base_model=base_model,
            model_path=model_path,
            sampling_session_id=sampling_session_id,
            seq_id=seq_id,
            prompt_logprobs=prompt_logprobs,
            topk_prompt_logprobs=topk_prompt_logprobs,
            topk_sample_logprobs=topk_sample_logprobs,
            target_prompt_logprobs=target_prompt_logprobs,
            prompt_alt_tokens_k=prompt_alt_tokens_k,
            prompt_logprobs_last_n=prompt_logprobs_last_n,
            record_stability_info=record_stability_info,
            type_=type_,
        )

        return sample_request
