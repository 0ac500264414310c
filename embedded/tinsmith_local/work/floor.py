"""Sampling in the engine's thread: one scheduler a base model, adapters mixed, results kept as promises.

Other threads only hand in and cancel; everything else happens in `step`, which the engine's thread calls.
"""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
from tinsmith.core.errors import TinkerError

from tinsmith_local.engine.errors import ExampleError
from tinsmith_local.engine.lora import Adapter
from tinsmith_local.engine.sample import SampleHandle, Scheduler
from tinsmith_local.models.adapters import load_adapter
from tinsmith_local.models.registry import ModelRegistry
from tinsmith_local.options import ServeOptions
from tinsmith_local.store import DataDir, PromiseRow, StorageFullError

from . import results
from .board import Board
from .operations import Draw

_LOG = logging.getLogger("tinsmith.local")
_LOG.addHandler(logging.NullHandler())

#: Memory for adapters of samplers; beyond it the ones unused for longest go.
SHELF_BYTES = 1 << 30


class Floor:
    """All sampling of the service."""

    def __init__(
        self,
        *,
        board: Board,
        files: DataDir,
        base_models: ModelRegistry,
        options: ServeOptions,
        wake: Callable[[], None],
    ) -> None:
        self._board = board
        self._files = files
        self._base_models = base_models
        self._short = options.imitate.short_prompt_logprobs
        self._wake = wake
        self._lock = threading.Lock()
        self._inbox: deque[tuple[PromiseRow, Draw]] = deque()
        self._cancelled: set[str] = set()
        self._schedulers: OrderedDict[str, Scheduler] = OrderedDict()
        self._running: dict[int, tuple[PromiseRow, Draw, SampleHandle]] = {}
        self._shelf: OrderedDict[str, Adapter] = OrderedDict()

    @property
    def load(self) -> int:
        """Requests waiting or running."""
        return len(self._inbox) + len(self._running)

    def submit(self, row: PromiseRow, draw: Draw) -> None:
        """Hand in an accepted request."""
        with self._lock:
            self._inbox.append((row, draw))
        self._wake()

    def cancel(self, request_id: str) -> None:
        """Ask for a request to be dropped; one that is done stays done."""
        with self._lock:
            self._cancelled.add(request_id)
        self._wake()

    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return not self._inbox and not self._cancelled and not self._running

    def step(self) -> None:
        """Take in what came, drop what was cancelled, and do one unit of work."""
        with self._lock:
            arrived = list(self._inbox)
            self._inbox.clear()
            cancelled, self._cancelled = self._cancelled, set()
        for row, draw in arrived:
            if row.request_id in cancelled:
                self._board.fail(row.request_id, "cancelled", "user", "cancelled")
            else:
                self._begin(row, draw)
        self._drop(cancelled)
        for name, scheduler in list(self._schedulers.items()):
            if not scheduler.idle:
                self._schedulers.move_to_end(name)
                self._advance(scheduler)
                return

    def _advance(self, scheduler: Scheduler) -> None:
        """Do one unit of work of one base model."""
        try:
            with np.errstate(all="ignore"):  # logprobs that are not finite fail their own request
                finished = scheduler.step()
        except Exception:  # noqa: BLE001 - a defect there must fail these requests only
            _LOG.exception("sampling failed")
            finished = ()
            # Its state is not to be trusted any more: what it held fails, the next request gets a new one.
            for name, known in list(self._schedulers.items()):
                if known is scheduler:
                    del self._schedulers[name]
                    self._fail_all(name)
        for handle in finished:
            entry = self._running.pop(id(handle), None)
            if entry is not None:
                self._settle(entry[0], entry[1], handle)

    def _fail_all(self, base_model: str) -> None:
        """Fail everything that runs on a base model."""
        for key, (row, draw, _) in list(self._running.items()):
            if draw.base_model == base_model:
                del self._running[key]
                self._board.fail(row.request_id, "internal error while sampling", "server")

    def _begin(self, row: PromiseRow, draw: Draw) -> None:
        """Hand a request to the scheduler of its base model."""
        try:
            base = self._base_models.get(draw.base_model)
            adapter = self._adapter(draw) if draw.adapter_dir else None
            scheduler = self._schedulers.get(draw.base_model)
            if scheduler is None:
                scheduler = self._schedulers[draw.base_model] = Scheduler(base)
            owner = row.scope.partition(":sample:")[0]  # its session: sessions take turns
            handle = scheduler.submit(attrs.evolve(draw.job, adapter=adapter, owner=owner))
        except (ExampleError, TinkerError, ValueError) as error:
            self._board.fail(row.request_id, str(error), "user")
        except Exception as error:  # noqa: BLE001 - a defect must fail this request only
            _LOG.exception("sample request %s failed", row.request_id)
            self._board.fail(row.request_id, f"internal error: {type(error).__name__}", "server")
        else:
            self._running[id(handle)] = (row, draw, handle)

    def _adapter(self, draw: Draw) -> Adapter:
        """Return an adapter, read once and shared by all requests for it."""
        assert draw.adapter_dir is not None
        with self._lock:
            adapter = self._shelf.pop(draw.adapter_dir, None)
        if adapter is None:
            adapter = load_adapter(
                Path(self._files.root) / draw.adapter_dir, self._base_models.config(draw.base_model)
            )
        with self._lock:
            self._shelf[draw.adapter_dir] = adapter
        self._bound_shelf()
        return adapter

    def keep(self, adapter_dir: str, adapter: Adapter) -> None:
        """Put an adapter that was just written on the shelf, so that it need not be read back."""
        with self._lock:
            self._shelf[adapter_dir] = adapter
        self._bound_shelf()

    def _bound_shelf(self) -> None:
        """Drop the adapters unused for longest."""
        with self._lock:
            while len(self._shelf) > 1 and sum(map(_size, self._shelf.values())) > SHELF_BYTES:
                self._shelf.popitem(last=False)

    def forget(self, adapter_dir: str) -> None:
        """Drop an adapter whose directory is replaced or removed."""
        with self._lock:
            self._shelf.pop(adapter_dir, None)

    def _drop(self, cancelled: set[str]) -> None:
        """Cancel what runs."""
        if not cancelled:
            return
        for key, (row, draw, handle) in list(self._running.items()):
            if row.request_id in cancelled:
                self._schedulers[draw.base_model].cancel(handle)
                del self._running[key]
                self._board.fail(row.request_id, "cancelled", "user", "cancelled")

    def _settle(self, row: PromiseRow, draw: Draw, handle: SampleHandle) -> None:
        """Keep the result of a finished request."""
        if handle.output is None:
            user = isinstance(handle.error, ExampleError | TinkerError)
            self._board.fail(row.request_id, str(handle.error), "user" if user else "server")
            return
        try:
            result = results.sample(
                handle.output,
                prompt_logprobs=draw.prompt_logprobs,
                short=self._short,
                targets=draw.targets,
            )
        except results.NotFiniteError as error:
            self._board.fail(row.request_id, str(error), "user")
            return
        try:
            self._board.finish(row.request_id, result, drop_body=True)
        except StorageFullError:
            self._board.finish_unsaved(row.request_id, result)


def _size(adapter: Adapter) -> int:
    """Memory of an adapter."""
    return sum(array.nbytes for array in adapter.params.values())
