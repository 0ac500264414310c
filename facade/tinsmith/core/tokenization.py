"""Tokenizer: text to token ids and back, over the `tokenizers` library, without transformers.

Behaves as transformers' fast tokenizer does. Built from bytes; `clients.tokenizer` finds the files.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

from tinsmith.core import chat_template as chat
from tinsmith.core.errors import InputError
from tinsmith.core.optional_deps import Deferred
from tinsmith.core.token_batch import NO_LIMIT as NO_LIMIT
from tinsmith.core.token_batch import (
    Padding,
    Shape,
    Side,
    Tensors,
    TokenBatch,
    Truncation,
    check_text,
    mask_of,
    plain_ids,
    rows_of,
    tighten,
    to_tensors,
)
from tinsmith.core.tokenizer_files import Role, RoleId, SpecialTokens, read_added_tokens, write_files, written

if TYPE_CHECKING:
    import tokenizers
else:  # annotations can be read without the libraries
    tokenizers = Deferred("tokenizers")


class Tokenizer:
    """A tokenizer with the methods that training code uses."""

    is_fast = True
    padding_side: Side = "right"
    truncation_side: Side = "right"
    bos_token, eos_token, unk_token, sep_token = Role(), Role(), Role(), Role()
    pad_token, cls_token, mask_token = Role(), Role(), Role()
    bos_token_id, eos_token_id, unk_token_id, sep_token_id = RoleId(), RoleId(), RoleId(), RoleId()
    pad_token_id, cls_token_id, mask_token_id = RoleId(), RoleId(), RoleId()

    def __init__(
        self,
        backend: tokenizers.Tokenizer,
        *,
        special: SpecialTokens | None = None,
        chat_template: str | Mapping[str, str] | None = None,
        name: str = "",
        model_max_length: int | None = None,
        clean_up_tokenization_spaces: bool = False,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        self.backend = backend
        self.special = special or SpecialTokens()
        self.chat_template = chat_template
        self.name_or_path = name
        self.model_max_length = model_max_length or NO_LIMIT
        self.config: dict[str, Any] = {}
        self.clean_up_tokenization_spaces = clean_up_tokenization_spaces
        self._now = now

    @classmethod
    def from_bytes(
        cls,
        tokenizer_json: bytes,
        *,
        config: Mapping[str, Any] | None = None,
        chat_template: str | Mapping[str, str] | None = None,
        name: str = "",
        now: Callable[[], datetime] | None = None,
    ) -> Tokenizer:
        """Build from the bytes of `tokenizer.json`, and the fields of `tokenizer_config.json`.

        `chat_template` wins over the one in `config`; `now` is the clock that some templates ask for.
        """
        import tokenizers

        config = config or {}
        if tokenizer_json.startswith(b"version https://git-lfs"):
            raise InputError(
                f"tokenizer.json of {name or 'the model'} is a Git LFS pointer, not the file: git lfs pull",
                field="tokenizer",
            )
        try:
            backend = tokenizers.Tokenizer.from_buffer(tokenizer_json)
        except Exception as cause:  # the library raises bare Exception
            raise InputError(
                f"{name or 'the file'} is no tokenizer.json: {cause}", field="tokenizer"
            ) from cause
        backend.no_padding()
        backend.no_truncation()
        special = SpecialTokens.read(config)
        read_added_tokens(backend, config, special)
        made = cls(
            backend,
            special=special,
            chat_template=chat_template or _own_template(config.get("chat_template")),
            name=name,
            model_max_length=_limit(config),
            clean_up_tokenization_spaces=bool(config.get("clean_up_tokenization_spaces", False)),
            now=now,
        )
        made.padding_side = "left" if config.get("padding_side") == "left" else "right"
        made.truncation_side = "left" if config.get("truncation_side") == "left" else "right"
        made.config = dict(config)
        return made

    @property
    def vocab_size(self) -> int:
        """Entries of the vocabulary, without added tokens."""
        return self.backend.get_vocab_size(with_added_tokens=False)

    def __len__(self) -> int:
        return self.backend.get_vocab_size(with_added_tokens=True)

    def get_vocab(self) -> dict[str, int]:
        """Return token to id, added tokens included."""
        return self.backend.get_vocab(with_added_tokens=True)

    vocab = property(get_vocab)

    @property
    def added_tokens_decoder(self) -> dict[int, tokenizers.AddedToken]:
        """Added tokens by their ids, in the order of ids."""
        return dict(sorted(self.backend.get_added_tokens_decoder().items()))

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """Ids of the added tokens, in their order."""
        return {token.content: number for number, token in self.added_tokens_decoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """Return the ids of the added tokens, special ones included."""
        return self.added_tokens_encoder

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """Special tokens by role."""
        return self.special.mapping()

    @property
    def all_special_tokens(self) -> list[str]:
        """Every special token, once."""
        return self.special.all()

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of every special token."""
        return self.convert_tokens_to_ids(self.all_special_tokens)

    @overload
    def encode(
        self,
        text: str,
        text_pair: str | None = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        *,
        padding_side: Side | None = None,
        return_tensors: None = None,
    ) -> list[int]: ...
    @overload
    def encode(
        self,
        text: str,
        text_pair: str | None = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        *,
        padding_side: Side | None = None,
        return_tensors: Tensors,
    ) -> Any: ...
    def encode(
        self,
        text: str,
        text_pair: str | None = None,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        *,
        padding_side: Side | None = None,
        return_tensors: Tensors | None = None,
    ) -> Any:
        """Return the token ids of a text; with `return_tensors` an array of one row."""
        shape = Shape.check(
            padding_side, self.padding_side, padding=padding, truncation=truncation, max_length=max_length
        )
        encoding = self._encode(text, text_pair, add_special_tokens, shape)
        return self._batch([encoding], shape, return_tensors, single=True)["input_ids"]

    def _encode(self, text: str, pair: str | None, special: bool, shape: Shape) -> tokenizers.Encoding:
        check_text(text, "text")
        if pair is not None:
            check_text(pair, "text_pair")
        limit = shape.cut_at(self.model_max_length)
        if limit is None:
            return self.backend.encode(text, pair, add_special_tokens=special)
        if pair is not None:
            raise InputError("truncation of pairs is not supported", field="text_pair")
        encoding = self.backend.encode(text, add_special_tokens=False)
        room = limit - (self.backend.num_special_tokens_to_add(False) if special else 0)
        if len(encoding) > room:
            encoding.truncate(max(room, 0), direction=self.truncation_side)
        return self.backend.post_process(encoding, None, special)

    def __call__(
        self,
        text: str | Sequence[str],
        text_pair: str | None = None,
        add_special_tokens: bool = True,
        *,
        padding: Padding = False,
        truncation: Truncation = None,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: Side | None = None,
        return_tensors: Tensors | None = None,
        return_attention_mask: bool = True,
        return_offsets_mapping: bool = False,
    ) -> TokenBatch:
        """Encode one text or many; `input_ids` and `attention_mask`, as lists or tensors.

        `max_length` alone cuts, as `truncation=True` does; with `padding`, only `truncation` cuts.
        """
        shape = Shape.check(
            padding_side,
            self.padding_side,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
        )
        single = isinstance(text, str)
        texts = [text] if isinstance(text, str) else list(text)
        encodings = [self._encode(one, text_pair, add_special_tokens, shape) for one in texts]
        more = {"offset_mapping": [one.offsets for one in encodings]} if return_offsets_mapping else {}
        batch = self._batch(encodings, shape, return_tensors, single=single, **more)
        if not return_attention_mask:
            del batch["attention_mask"]
        return batch

    def _batch(
        self,
        encodings: Sequence[tokenizers.Encoding],
        shape: Shape,
        tensors: Tensors | None,
        *,
        single: bool,
        **more: list[Any],
    ) -> TokenBatch:
        batch: dict[str, list[Any]] = {"input_ids": [encoding.ids for encoding in encodings]}
        batch["attention_mask"] = [[1] * len(ids) for ids in batch["input_ids"]]
        return self._filled(batch | more, shape, tensors, single=single)

    def _filled(
        self, batch: dict[str, list[Any]], shape: Shape, tensors: Tensors | None, *, single: bool
    ) -> TokenBatch:
        """Bring the rows of a batch to one length; return them as lists or tensors, of one text its row."""
        shape.fill(batch, self.pad_token_id, self.model_max_length)
        if tensors is not None:
            return to_tensors(batch, tensors)
        return TokenBatch({name: rows[0] if single else rows for name, rows in batch.items()})

    def pad(
        self,
        encoded_inputs: Mapping[str, Any] | Iterable[Mapping[str, Any]],
        padding: Padding = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: Side | None = None,
        return_attention_mask: bool = True,
        return_tensors: Tensors | None = None,
    ) -> TokenBatch:
        """Fill up encoded texts to one length: what a call returned, or a list of such.

        Ids and masks are filled up; other fields, such as labels, stay as they are.
        """
        shape = Shape.check(
            padding_side,
            self.padding_side,
            padding=padding,
            truncation=False,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
        )
        batch, single = rows_of(encoded_inputs)
        if return_attention_mask and "attention_mask" not in batch:
            batch["attention_mask"] = [[1] * len(ids) for ids in batch["input_ids"]]
        return self._filled(batch, shape, return_tensors, single=single)

    def decode(
        self,
        token_ids: int | Iterable[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> str:
        """Return the text of token ids."""
        text: str = self.backend.decode(plain_ids(token_ids), skip_special_tokens=skip_special_tokens)
        clean = clean_up_tokenization_spaces
        clean = self.clean_up_tokenization_spaces if clean is None else clean
        return tighten(text) if clean else text

    def batch_decode(
        self, sequences: Iterable[Iterable[int]], skip_special_tokens: bool = False
    ) -> list[str]:
        """Return the texts of several sequences."""
        return [self.decode(ids, skip_special_tokens) for ids in sequences]

    def tokenize(self, text: str, add_special_tokens: bool = False) -> list[str]:
        """Return the tokens of a text as the vocabulary writes them."""
        check_text(text, "text")
        return self.backend.encode(text, add_special_tokens=add_special_tokens).tokens

    @overload
    def convert_tokens_to_ids(self, tokens: str) -> int | None: ...  # type: ignore[overload-overlap]
    @overload
    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]: ...
    def convert_tokens_to_ids(self, tokens: str | Sequence[str]) -> Any:
        """Return the id of a token, or of each; an unknown one gets the id of the unknown token."""
        if isinstance(tokens, str):
            number = self.backend.token_to_id(tokens)
            return self.unk_token_id if number is None else number
        return [self.convert_tokens_to_ids(token) for token in tokens]

    @overload
    def convert_ids_to_tokens(self, ids: int, skip_special_tokens: bool = False) -> str | None: ...
    @overload
    def convert_ids_to_tokens(
        self, ids: Iterable[int], skip_special_tokens: bool = False
    ) -> list[str | None]: ...
    def convert_ids_to_tokens(self, ids: int | Iterable[int], skip_special_tokens: bool = False) -> Any:
        """Return the token of an id, or of each."""
        if isinstance(ids, int):
            return self.backend.id_to_token(plain_ids(ids)[0])
        skipped = set(self.all_special_ids) if skip_special_tokens else set()
        return [self.backend.id_to_token(number) for number in plain_ids(ids) if number not in skipped]

    def convert_tokens_to_string(self, tokens: Sequence[str]) -> str:
        """Join tokens into text."""
        decoder = self.backend.decoder
        return " ".join(tokens) if decoder is None else str(decoder.decode(list(tokens)))

    def apply_chat_template(
        self,
        conversation: Iterable[Any],
        tools: Iterable[Any] | None = None,
        documents: Iterable[Any] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool | str = False,
        tokenize: bool = True,
        *,
        padding: Padding = False,
        truncation: bool = False,
        max_length: int | None = None,
        return_tensors: Tensors | None = None,
        return_dict: bool = False,
        return_assistant_tokens_mask: bool = False,
        **names: Any,  # switches that the template reads, e.g. enable_thinking
    ) -> Any:
        """Render a conversation, or several; ids, or text with `tokenize=False`.

        A message is any mapping, or an object of dataclasses, attrs or pydantic; tools and documents alike.
        The ids come as a list (`return_dict=True` for `input_ids` and `attention_mask`). A name that the
        template does not read is an InputError. `return_assistant_tokens_mask` adds `assistant_masks`, by the
        template's generation blocks.
        """
        shape = Shape.check(
            None, self.padding_side, padding=padding, truncation=truncation, max_length=max_length
        )
        template = self.get_chat_template(chat_template, tools)
        arguments = self.apply_chat_template.__annotations__.keys() - {"conversation", "names", "return"}
        chat.check_names(template, names, sorted(arguments))
        if return_assistant_tokens_mask:
            _check_mask(template, plain=continue_final_message or not (tokenize and return_dict))
        rendered, many = chat.render_all(
            template,
            conversation,
            tools=tools,
            documents=documents,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=continue_final_message,
            spans=return_assistant_tokens_mask,
            now=self._now,
            names={**self.special.mapping(), **names},
        )
        texts = [one.text for one in rendered]
        if not tokenize:
            return texts if many else texts[0]
        encodings = [self._encode(text, None, False, shape) for text in texts]
        more = {}
        if return_assistant_tokens_mask:
            masks = zip(encodings, rendered, strict=True)
            more["assistant_masks"] = [mask_of(code.offsets, one.spans) for code, one in masks]
        batch = self._batch(encodings, shape, return_tensors, single=not many, **more)
        return batch if return_dict else batch["input_ids"]

    def get_chat_template(self, chat_template: str | None = None, tools: object = None) -> str:
        """Return the template that is used: the one given, or named, or the tokenizer's own."""
        return chat.choose_template(
            chat_template, self.chat_template, tools=bool(tools), name=self.name_or_path
        )

    def save_pretrained(self, save_directory: str | os.PathLike[str]) -> tuple[str, ...]:
        """Write the tokenizer into a folder as other libraries read it; return the paths of the files."""
        config = {
            **{name: value for name, value in self.config.items() if name not in _WRITTEN_ELSEWHERE},
            **self.special.by_role,
            "model_max_length": self.model_max_length,
            "clean_up_tokenization_spaces": self.clean_up_tokenization_spaces,
            "padding_side": self.padding_side,
            "truncation_side": self.truncation_side,
            "tokenizer_class": "PreTrainedTokenizerFast",
        }
        if self.special.additional:
            config["extra_special_tokens"] = list(self.special.additional)
        return write_files(save_directory, written(self.backend.to_str(), config, self.chat_template))

    def __repr__(self) -> str:
        return f"Tokenizer({self.name_or_path!r}, {len(self)} tokens)"

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value for name, value in self.__dict__.items() if name != "backend"}
        return _restore, (self.backend.to_str(), state)


_WRITTEN_ELSEWHERE = {
    *SpecialTokens.NAMES,
    "added_tokens_decoder",
    "additional_special_tokens",
    "chat_template",
    "extra_special_tokens",
}
"""Fields that are written from what the tokenizer is now; `tokenizer.json` has the added tokens."""


def _check_mask(template: str, *, plain: object) -> None:
    field = "return_assistant_tokens_mask"
    if plain:
        raise InputError("needs return_dict=True and tokenize=True, and excludes continuing", field=field)
    if not chat.marks_generation(template):
        warnings.warn(
            "this chat template marks no words of the assistant by {% generation %}: the mask is all zeros",
            UserWarning,
            stacklevel=3,
        )


def _limit(config: Mapping[str, Any]) -> int | None:
    """Read the model's limit; some files have a float, or infinity, for none."""
    for name in ("model_max_length", "max_len"):
        limit = config.get(name)
        if isinstance(limit, (int, float)) and math.isfinite(limit) and limit > 0:
            return int(limit)
    return None


def _own_template(field: Any) -> str | dict[str, str] | None:
    """Read `chat_template` of a config: one text, or a list of named ones."""
    if field is None or isinstance(field, str):
        return field
    entries = field if isinstance(field, list) else [field]
    texts = [(one.get("name"), one.get("template")) for one in entries if isinstance(one, dict)]
    named = {name: text for name, text in texts if isinstance(name, str) and isinstance(text, str)}
    if len(named) < len(entries):
        raise InputError("is neither a text nor a list of named texts", field="chat_template")
    return named


def _restore(tokenizer_json: str, state: dict[str, Any]) -> Tokenizer:
    import tokenizers

    tokenizer = Tokenizer(tokenizers.Tokenizer.from_str(tokenizer_json))
    tokenizer.__dict__.update(state)
    return tokenizer
