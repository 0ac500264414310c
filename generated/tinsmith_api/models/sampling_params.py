# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="SamplingParams")


@_attrs_define
class SamplingParams:
    """How tokens are drawn. What is left out, the server fills in."""

    max_tokens: int | None | Unset = UNSET
    """ Most tokens to draw, at least 1. Absent or null leaves it to the server, up to what the context holds; some
    servers require it.
     """
    seed: int | None | Unset = UNSET
    """ Seed that makes the draw reproducible. Absent or null draws one. """
    stop: list[int] | list[str] | None | str | Unset = UNSET
    """ What ends a sequence, a text, several texts, or token ids. Absent or null means the model's own end of
    sequence, and `[]` nothing but the length. Send a list, because some servers refuse a bare text.
     """
    temperature: float | Unset = UNSET
    """ Divides the logits, at least 0; 0 always takes the likeliest token. Absent means 1. """
    top_k: int | Unset = UNSET
    """ Draw from the k likeliest tokens only; -1 draws from all. Absent means -1. """
    top_p: float | Unset = UNSET
    """ Draw from the smallest set of likeliest tokens that together have this probability, 0 to 1. Absent means 1.
     """

    def to_dict(self) -> dict[str, Any]:
        max_tokens: int | None | Unset
        if isinstance(self.max_tokens, Unset):
            max_tokens = UNSET
        else:
            max_tokens = self.max_tokens

        seed: int | None | Unset
        if isinstance(self.seed, Unset):
            seed = UNSET
        else:
            seed = self.seed

        stop: list[int] | list[str] | None | str | Unset
        if isinstance(self.stop, Unset):
            stop = UNSET
        else:
            stop = self.stop

        temperature = self.temperature

        top_k = self.top_k

        top_p = self.top_p

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if max_tokens is not UNSET:
            field_dict["max_tokens"] = max_tokens
        if seed is not UNSET:
            field_dict["seed"] = seed
        if stop is not UNSET:
            field_dict["stop"] = stop
        if temperature is not UNSET:
            field_dict["temperature"] = temperature
        if top_k is not UNSET:
            field_dict["top_k"] = top_k
        if top_p is not UNSET:
            field_dict["top_p"] = top_p

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        max_tokens = cast(int | None | Unset, d.pop("max_tokens", UNSET))

        seed = cast(int | None | Unset, d.pop("seed", UNSET))

        stop = cast(list[int] | list[str] | None | str | Unset, d.pop("stop", UNSET))

        temperature = d.pop("temperature", UNSET)

        top_k = d.pop("top_k", UNSET)

        top_p = d.pop("top_p", UNSET)

        sampling_params = cls(
            max_tokens=max_tokens,
            seed=seed,
            stop=stop,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )

        return sampling_params
