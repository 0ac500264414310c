"""What training and sampling clients share: they are handed out before the server has made what they work on.

It owns how such a client waits, and the tokenizer of its model. The requests that make a model or a sampler
are in `clients.creation`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Self, TypeVar, cast, overload

from tinsmith.core.errors import InputError, TinkerError
from tinsmith.core.optional_deps import Deferred
from tinsmith.io.context import ClientContext
from tinsmith.io.events import QueueState
from tinsmith.io.future import APIFuture
from tinsmith.io.queues.jobs import unexpected
from tinsmith.io.telemetry import Telemetry

if TYPE_CHECKING:
    from tinsmith.clients import tokenizer
    from tinsmith.core import tokenization
else:  # what only annotations name is loaded when somebody reads them: chat templates take a while
    tokenizer, tokenization = Deferred("tinsmith.clients.tokenizer"), Deferred("tinsmith.core.tokenization")

T = TypeVar("T")


class CreatedClient(APIFuture[T]):
    """A client, and the future of it.

    Calls can be made at once: they are queued behind the creation. `await` the client, or call `result()`, to
    wait for the creation and to have its error raised; both return the client.
    """

    _what = "what it works on"
    """What the server makes for it, in the words of errors."""

    def __init__(self, context: ClientContext) -> None:
        super().__init__()
        self._context, self._connection = context, context.connection
        context.register_client(self)
        self._tokenizers: dict[tokenizer.Backend, Any] = {}

    @property
    def holder(self) -> ClientContext:
        """What the clients of one service share; the name is the official one."""
        return self._context

    @overload
    def get_tokenizer(self, *, backend: Literal["tokenizers"] = "tokenizers") -> tokenization.Tokenizer: ...
    @overload
    def get_tokenizer(self, *, backend: Literal["transformers"]) -> Any: ...
    def get_tokenizer(self, *, backend: tokenizer.Backend = "tokenizers") -> tokenization.Tokenizer:
        """Return the tokenizer of the base model, which the first call fetches.

        It comes from the server; where the server has none, the name of the model says where it is. With
        `backend="transformers"` it is the one of transformers, else a `tinsmith.Tokenizer`, which needs no
        transformers. Waits until this client is made; in a running event loop it raises `InputError` instead:
        await the client first (in the cell of a notebook it waits). Raises `MissingExtraError` where the
        tokenizer is on the hub and the extra `hub` is not installed, `TinkerError` where it cannot be had.
        """
        self._wait_until_made("tokenizer")
        if backend not in self._tokenizers:
            self._tokenizers[backend] = self._connection.run(self._fetch_tokenizer(backend)).result()
        return cast("tokenization.Tokenizer", self._tokenizers[backend])

    def get_telemetry(self) -> Telemetry | None:
        """Return the telemetry of this client; None where it is off, as it is by default."""
        return self._context.telemetry

    def on_queue_state_change(self, queue_state: QueueState) -> None:
        """Receive why requests wait: override it, or set it on the client. Long waits are logged anyway."""

    def __repr__(self) -> str:
        if "_tokenizers" not in self.__dict__:  # a subclass that never called our constructor
            return object.__repr__(self)
        facts = " ".join(f"{name}={value!r}" for name, value in self._facts().items())
        return f"<{type(self).__name__} {facts}>"

    def _make(self, make: Callable[[], Awaitable[None]]) -> Self:
        """Have the server make what this client works on, and return the client at once."""
        self._context.create(self._open(make), self, self._refuse)
        return self

    async def _open(self, make: Callable[[], Awaitable[None]]) -> Self:
        await make()
        self._start()
        return self

    def _start(self) -> None:
        """Send the calls that waited: the server has made what they work on."""
        raise NotImplementedError

    def _refuse(self, error: BaseException) -> None:
        """Fail the calls that waited: the server could not make what they work on."""
        raise NotImplementedError

    def _facts(self) -> dict[str, object]:
        """Return what the repr shows, by name."""
        raise NotImplementedError

    def _shown(self) -> dict[str, object]:
        return self._facts()

    async def _model_name(self) -> tuple[str, str | None]:
        """Return the name of the base model, and of its tokenizer where the server says it."""
        raise NotImplementedError

    async def _fetch_tokenizer(self, backend: tokenizer.Backend) -> Any:
        from tinsmith.clients.tokenizer import tokenizer_of

        return await tokenizer_of(self._connection, *await self._model_name(), backend)

    def _wait_until_made(self, asked_for: str) -> None:
        """Wait for the creation, or raise what it failed with; a running event loop is never blocked."""
        if not self.done() and _loop_is_running():
            raise InputError(
                f"await the client first: its {asked_for} is known once the server has made {self._what}",
                field=asked_for,
            )
        self.result()

    def _refusal(self, error: BaseException) -> TinkerError:
        """Build the error of calls on a client that could not be made, from the error of its creation."""
        known = error if isinstance(error, TinkerError) else unexpected(error, None)
        own = known.again("no")
        own.message = f"not sent, because {self._what} was not made: {known.message}"
        own.request_id = own.seq_id = own.attempts = own.elapsed_s = None
        own.__cause__ = known
        return own

    def _stage(self) -> str:
        """Return how far the client is, for its repr."""
        if not self.done():
            return "being made"
        if self.cancelled():
            return "cancelled"
        error = self.outcome_error()
        if error is not None:
            return f"not made: {type(error).__name__}: {error}"
        return "closed" if self._context.connection.closed else "ready"

    if not TYPE_CHECKING:  # a type checker would take any attribute for one that is there

        def __getattr__(self, name: str) -> NoReturn:
            problem = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(problem, name=name, obj=self)


def _loop_is_running() -> bool:
    """Say whether a loop of the program runs in this thread; that of a notebook waits for each cell."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    notebook = sys.modules.get("IPython")
    return notebook is None or not hasattr(notebook.get_ipython(), "kernel")
