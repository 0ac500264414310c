"""Owns what one loaded base model is: its shape, its weights and its text side as opaque bytes."""

from attrs import frozen

from tinsmith_local.engine.config import ModelConfig
from tinsmith_local.engine.weights import Weights


@frozen(kw_only=True, eq=False)
class BaseModel:
    """A base model that many adapters share; never changed after it is built."""

    config: ModelConfig
    """Its shape."""
    weights: Weights
    """Its numbers."""
    tokenizer_json: bytes | None = None
    """`tokenizer.json` as bytes, handed to clients; the engine does not read it."""
    chat_template: str | None = None
    """Jinja source of the chat template, or None."""
    tokenizer_config: dict[str, object] | None = None
    """`tokenizer_config.json`, or what is known of it: bos/eos tokens and flags."""
    tokenizer_id: str | None = None
    """Name under which clients ask for the tokenizer."""
