"""Tokenizer: text to token ids and back, over the `tokenizers` library, without transformers.

Behaves as transformers' fast tokenizer does. Built from bytes; `clients.tokenizer` finds the files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast, overload

from tinsmith.core import chat_template as chat
from tinsmith.core.errors import InputError
from tinsmith.core.special_tokens import Role, RoleId, SpecialTokens, read_added_tokens
from tinsmith.core.token_batch import TokenBatch, check_text, pad, plain_ids, tighten, to_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    import tokenizers

    from tinsmith.core.chat_template import Message

NO_LIMIT = int(1e30)
"""What `model_max_length` is where nobody says: the value that training code compares with."""


class Tokenizer:
    """A tokenizer with the methods that training code uses."""

    is_fast = True
    padding_side: Literal["left", "right"] = "right"
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
        limit = config.get("model_max_length")
        made = cls(
            backend,
            special=special,
            chat_template=chat_template or _own_template(config.get("chat_template")),
            name=name,
            model_max_length=int(limit) if isinstance(limit, (int, float)) else None,
            clean_up_tokenization_spaces=bool(config.get("clean_up_tokenization_spaces", False)),
            now=now,
        )
        made.padding_side = "left" if config.get("padding_side") == "left" else "right"
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

    def encode(
        self,
        text: str,
        text_pair: str | None = None,
        add_special_tokens: bool = True,
        *,
        truncation: bool = False,
        max_length: int | None = None,
    ) -> list[int]:
        """Return the token ids of a text."""
        encoding = self._encode(text, text_pair, add_special_tokens, truncation, max_length)
        return encoding.ids

    def _encode(
        self, text: str, pair: str | None, special: bool, truncation: bool, max_length: int | None
    ) -> tokenizers.Encoding:
        check_text(text, "text")
        if pair is not None:
            check_text(pair, "text_pair")
        if not truncation:
            return self.backend.encode(text, pair, add_special_tokens=special)
        if pair is not None:
            raise InputError("truncation of pairs is not supported", field="text_pair")
        limit = max_length if max_length is not None else self.model_max_length
        encoding = self.backend.encode(text, add_special_tokens=False)
        room = limit - (self.backend.num_special_tokens_to_add(False) if special else 0)
        if len(encoding) > room:
            encoding.truncate(max(room, 0))
        return self.backend.post_process(encoding, None, special)

    def __call__(
        self,
        text: str | Sequence[str],
        text_pair: str | None = None,
        add_special_tokens: bool = True,
        *,
        padding: bool | Literal["longest", "max_length"] = False,
        truncation: bool = False,
        max_length: int | None = None,
        return_tensors: Literal["np", "pt"] | None = None,
        return_attention_mask: bool = True,
        return_offsets_mapping: bool = False,
    ) -> TokenBatch:
        """Encode one text or many; `input_ids` and `attention_mask`, as lists or tensors."""
        single = isinstance(text, str)
        texts = [text] if isinstance(text, str) else list(text)
        encodings = [
            self._encode(one, text_pair, add_special_tokens, truncation, max_length) for one in texts
        ]
        batch: dict[str, list[Any]] = {"input_ids": [list(encoding.ids) for encoding in encodings]}
        batch["attention_mask"] = [[1] * len(ids) for ids in batch["input_ids"]]
        if return_offsets_mapping:
            batch["offset_mapping"] = [list(encoding.offsets) for encoding in encodings]
        if padding:
            width = max_length if padding == "max_length" else None
            pad(batch, self.pad_token_id, self.padding_side, width)
        if not return_attention_mask:
            del batch["attention_mask"]
        if return_tensors is not None:
            return to_tensors(batch, return_tensors)
        return TokenBatch({name: rows[0] if single else rows for name, rows in batch.items()})

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
        conversation: Sequence[Message] | Sequence[Sequence[Message]],
        tools: Sequence[Mapping[str, Any]] | None = None,
        documents: Sequence[Mapping[str, Any]] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        tokenize: bool = True,
        *,
        return_dict: bool = False,
        return_tensors: Literal["np", "pt"] | None = None,
        **names: Any,  # switches that the template reads, e.g. enable_thinking
    ) -> Any:
        """Render a conversation, or several; ids, or text with `tokenize=False`.

        The ids come as a list (`return_dict=True` for `input_ids` and `attention_mask`).
        """
        template = chat.choose_template(
            chat_template, self.chat_template, tools=bool(tools), name=self.name_or_path
        )
        many = bool(conversation) and not isinstance(conversation[0], dict)
        turns = cast("Sequence[Sequence[Message]]", conversation if many else [conversation])
        texts = [
            chat.render(
                template,
                one,
                tools=tools,
                documents=documents,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=continue_final_message,
                now=self._now,
                **{**self.special.mapping(), **names},
            )
            for one in turns
        ]
        if not tokenize:
            return texts if many else texts[0]
        batch = self(texts if many else texts[0], add_special_tokens=False, return_tensors=return_tensors)
        return batch if return_dict else batch["input_ids"]

    def __repr__(self) -> str:
        return f"Tokenizer({self.name_or_path!r}, {len(self)} tokens)"

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value for name, value in self.__dict__.items() if name not in ("backend", "_now")}
        return _restore, (self.backend.to_str(), state)


def _own_template(field: Any) -> str | dict[str, str] | None:
    """Read `chat_template` of a config: one text, or a list of named ones."""
    if isinstance(field, list):
        return {entry["name"]: entry["template"] for entry in field}
    return cast("str | None", field)


def _restore(tokenizer_json: str, state: dict[str, Any]) -> Tokenizer:
    import tokenizers

    tokenizer = Tokenizer(tokenizers.Tokenizer.from_str(tokenizer_json))
    tokenizer.__dict__.update(state)
    return tokenizer
