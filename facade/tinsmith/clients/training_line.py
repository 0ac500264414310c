"""What the parts of TrainingClient share: a model, and the line in which its requests stand."""

from __future__ import annotations

from typing import TypeVar

from tinsmith.clients.tokenizer import TokenizerShelf
from tinsmith.core.policy import RetryConfig
from tinsmith.io.call import Call
from tinsmith.io.future import APIFuture
from tinsmith.io.link import Link
from tinsmith.io.observe import QueueState

T = TypeVar("T")


class TrainingLine:
    """A model on the server, and its line."""

    def __init__(self, link: Link, model_id: str, *, base_model: str | None = None) -> None:
        self._link = link
        self._line = link.pipeline(model_id)
        self._base_model = base_model
        self._tokenizers = TokenizerShelf(link)
        link.observers.watch(model_id, self)

    @property
    def model_id(self) -> str:
        """The server's name for the model."""
        return self._line.model_id

    def _enter(self, call: Call[T], retry_config: RetryConfig | None = None) -> APIFuture[T]:
        call.retry = retry_config
        self._line.enter(call)
        return call.future

    def on_queue_state_change(self, queue_state: QueueState) -> None:
        """Hear why requests wait; override or patch it, for long waits are logged anyway."""
