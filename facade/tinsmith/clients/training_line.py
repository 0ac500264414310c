"""What the parts of TrainingClient share: a model, and the line in which its requests stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar, cast

from tinsmith_api.resource import Ask, Resource

from tinsmith.clients.created_client import CreatedClient
from tinsmith.clients.tokenizer import TokenizerShelf
from tinsmith.clients.training_calls import promise
from tinsmith.core.policy import RetryConfig
from tinsmith.io.context import ClientContext
from tinsmith.io.events import QueueState
from tinsmith.io.future import APIFuture
from tinsmith.io.queues.jobs import Job

if TYPE_CHECKING:
    from tinsmith.clients.training import TrainingClient

T = TypeVar("T")


class TrainingLine(CreatedClient["TrainingClient"], Resource):
    """A model on the server, and its line."""

    _what = "the model"

    def __init__(
        self, context: ClientContext, *, base_model: str | None = None, rank: int | None = None
    ) -> None:
        super().__init__()
        self._context = context
        context.register_client(self)
        self._line = context.training_queue(self)
        self._base_model = base_model
        self._rank = rank
        self._tokenizers = TokenizerShelf(context)

    @property
    def model_id(self) -> str:
        """The server's name for the model; waits until the server has it, and raises why it has not."""
        self._wait_until_made("model_id")
        return self._line.bound_id

    async def _open(self, make: Callable[[], Awaitable[None]]) -> TrainingClient:
        """Open the line once the model is there."""
        await make()
        self._context.connection.observers.watch(self._line.bound_id, self)
        self._line.open()
        return cast("TrainingClient", self)

    def _refuse(self, error: BaseException) -> None:
        """End the line, with all that waits in it, because the model was not made."""
        self._line.end(self._refusal(error))

    def __repr__(self) -> str:
        kept = self.__dict__
        if "_line" not in kept:  # a subclass that never called our constructor
            return object.__repr__(self)
        return (
            f"<{type(self).__name__} model_id={self._line.model_id!r} base_model={self._base_model!r}"
            f" rank={self._rank} state={self._line.trouble or self._told_state!r}>"
        )

    def _enter(self, call: Job[T], retry_config: RetryConfig | None = None) -> APIFuture[T]:
        call.retry = retry_config
        self._line.enter(call)
        return call.future

    def _send(self, ask: Ask[T]) -> APIFuture[T]:
        """Queue an operation of the contract behind everything that was called before."""
        return self._enter(promise(self._line, ask))

    def on_queue_state_change(self, queue_state: QueueState) -> None:
        """Hear why requests wait; override or patch it, for long waits are logged anyway."""
