# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.get_tokenizer_response_tokenizer_config_type_0 import (
        GetTokenizerResponseTokenizerConfigType0,
    )


T = TypeVar("T", bound="GetTokenizerResponse")


@_attrs_define
class GetTokenizerResponse:
    """A whole tokenizer. An extension of Tinsmith's embedded service, so that a client needs no model hub."""

    base_model: str
    """ Name of a base model, as `get_server_capabilities` lists it. """
    tokenizer_json: str
    """ Content of `tokenizer.json`, as the `tokenizers` library reads it. """
    chat_template: None | str | Unset = UNSET
    """ Jinja template that turns messages into a prompt. Absent or null where the model has none. """
    bos_token: None | str | Unset = UNSET
    """ Token that begins a text. Absent or null where there is none. """
    eos_token: None | str | Unset = UNSET
    """ Token that ends a text. Absent or null where there is none. """
    pad_token: None | str | Unset = UNSET
    """ Token that fills up a batch. Absent or null where there is none. """
    unk_token: None | str | Unset = UNSET
    """ Token for text that has no token of its own. Absent or null where there is none. """
    tokenizer_config: GetTokenizerResponseTokenizerConfigType0 | None | Unset = UNSET
    """ Content of `tokenizer_config.json`, without templates. Absent or null where the model has none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.get_tokenizer_response_tokenizer_config_type_0 import (
            GetTokenizerResponseTokenizerConfigType0,  # noqa: PLC0415
        )

        base_model = self.base_model

        tokenizer_json = self.tokenizer_json

        chat_template: None | str | Unset
        if isinstance(self.chat_template, Unset):
            chat_template = UNSET
        else:
            chat_template = self.chat_template

        bos_token: None | str | Unset
        if isinstance(self.bos_token, Unset):
            bos_token = UNSET
        else:
            bos_token = self.bos_token

        eos_token: None | str | Unset
        if isinstance(self.eos_token, Unset):
            eos_token = UNSET
        else:
            eos_token = self.eos_token

        pad_token: None | str | Unset
        if isinstance(self.pad_token, Unset):
            pad_token = UNSET
        else:
            pad_token = self.pad_token

        unk_token: None | str | Unset
        if isinstance(self.unk_token, Unset):
            unk_token = UNSET
        else:
            unk_token = self.unk_token

        tokenizer_config: dict[str, Any] | None | Unset
        if isinstance(self.tokenizer_config, Unset):
            tokenizer_config = UNSET
        elif isinstance(self.tokenizer_config, GetTokenizerResponseTokenizerConfigType0):
            tokenizer_config = self.tokenizer_config.to_dict()
        else:
            tokenizer_config = self.tokenizer_config

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "base_model": base_model,
                "tokenizer_json": tokenizer_json,
            }
        )
        if chat_template is not UNSET:
            field_dict["chat_template"] = chat_template
        if bos_token is not UNSET:
            field_dict["bos_token"] = bos_token
        if eos_token is not UNSET:
            field_dict["eos_token"] = eos_token
        if pad_token is not UNSET:
            field_dict["pad_token"] = pad_token
        if unk_token is not UNSET:
            field_dict["unk_token"] = unk_token
        if tokenizer_config is not UNSET:
            field_dict["tokenizer_config"] = tokenizer_config

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.get_tokenizer_response_tokenizer_config_type_0 import (
            GetTokenizerResponseTokenizerConfigType0,  # noqa: PLC0415
        )

        d = dict(src_dict)
        base_model = d.pop("base_model")

        tokenizer_json = d.pop("tokenizer_json")

        chat_template = cast(None | str | Unset, d.pop("chat_template", UNSET))

        bos_token = cast(None | str | Unset, d.pop("bos_token", UNSET))

        eos_token = cast(None | str | Unset, d.pop("eos_token", UNSET))

        pad_token = cast(None | str | Unset, d.pop("pad_token", UNSET))

        unk_token = cast(None | str | Unset, d.pop("unk_token", UNSET))

        def _parse_tokenizer_config(data: Any) -> GetTokenizerResponseTokenizerConfigType0 | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return GetTokenizerResponseTokenizerConfigType0.from_dict(data)

        tokenizer_config = _parse_tokenizer_config(d.pop("tokenizer_config", UNSET))

        get_tokenizer_response = cls(
            base_model=base_model,
            tokenizer_json=tokenizer_json,
            chat_template=chat_template,
            bos_token=bos_token,
            eos_token=eos_token,
            pad_token=pad_token,
            unk_token=unk_token,
            tokenizer_config=tokenizer_config,
        )

        get_tokenizer_response.additional_properties = d
        return get_tokenizer_response

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
