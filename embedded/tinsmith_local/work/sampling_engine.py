"""Sampling in the engine's thread: one scheduler a base model, adapters mixed, results kept as promises.

Other threads only submit and cancel; everything else happens in `step`, which the engine's thread calls.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

import attrs
import numpy as np
from tinsmith.core.errors import TinkerError

from tinsmith_local.engine.batch import ExampleError
from tinsmith_local.engine.scheduler import Scheduler
from tinsmith_local.models.adapters import load_adapter
from tinsmith_local.work.sample_receivers import PromisedSample, SampleStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith_local.engine.jobs import SampleHandle
    from tinsmith_local.engine.lora import Adapter
    from tinsmith_local.models.registry import ModelRegistry
    from tinsmith_local.store.data_dir import DataDir
    from tinsmith_local.store.promise_table import PromiseRow
    from tinsmith_local.work.notifier import Notifier
    from tinsmith_local.work.operations import SampleRequest
    from tinsmith_local.work.promise_store import PromiseStore
    from tinsmith_local.work.sample_receivers import SampleReceiver

_log = logging.getLogger("tinsmith.local")

_CLOSING = "the service is closing; sample again when it is back"
ADAPTER_BYTES = 1 << 30
"""Memory for adapters of samplers; beyond it the ones unused for longest go."""


class SamplingEngine:
    """All sampling of the service."""

    def __init__(
        self,
        *,
        promises: PromiseStore,
        notifier: Notifier,
        files: DataDir,
        base_models: ModelRegistry,
        wake: Callable[[], None],
    ) -> None:
        self._promises, self._notifier = promises, notifier
        self._files = files
        self._base_models = base_models
        self._wake = wake
        self._lock = threading.Lock()
        self._inbox: deque[tuple[SampleReceiver, SampleRequest]] = deque()
        self._cancelled: set[str] = set()
        self._schedulers: OrderedDict[str, Scheduler] = OrderedDict()
        self._running: dict[int, tuple[SampleReceiver, SampleRequest, SampleHandle]] = {}
        self._streams: dict[str, SampleStream] = {}
        self._closing = False
        self._adapters: OrderedDict[str, Adapter] = OrderedDict()

    @property
    def load(self) -> int:
        """Requests waiting or running."""
        return len(self._inbox) + len(self._running)

    def submit(self, row: PromiseRow, request: SampleRequest) -> None:
        """Queue an accepted request."""
        self._enter(PromisedSample(row, self._promises), request)

    def stream(self, request: SampleRequest, scope: str) -> SampleStream:
        """Queue a request for one sample that is read as it grows; its reader says when it leaves."""
        stream = SampleStream(uuid.uuid4().hex, scope, self._notifier)
        self._streams[stream.request_id] = stream
        if self._closing:
            stream.fail(_CLOSING, "server")
        else:
            followed = attrs.evolve(request.job, follow=stream.follow)
            self._enter(stream, attrs.evolve(request, job=followed))
        return stream

    def left(self, stream: SampleStream) -> None:
        """Free the place of a stream that nobody reads any more."""
        del self._streams[stream.request_id]
        self.cancel(stream.request_id)

    def release(self) -> None:
        """End all streams: the service is about to close."""
        self._closing = True
        for stream in list(self._streams.values()):
            stream.fail(_CLOSING, "server")

    def _enter(self, receiver: SampleReceiver, request: SampleRequest) -> None:
        with self._lock:
            self._inbox.append((receiver, request))
        self._wake()

    def cancel(self, request_id: str) -> None:
        """Cancel a request soon; one that is done stays done."""
        with self._lock:
            self._cancelled.add(request_id)
        self._wake()

    def has_work(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._inbox or self._cancelled or self._running)

    def step(self) -> None:
        """Begin what was queued, drop what was cancelled, and do one unit of work."""
        with self._lock:
            arrived = list(self._inbox)
            self._inbox.clear()
            cancelled, self._cancelled = self._cancelled, set()
        for receiver, request in arrived:
            if receiver.request_id in cancelled:
                receiver.fail("cancelled", "user", "cancelled")
            else:
                self._begin(receiver, request)
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
            _log.exception("sampling failed")
            finished = ()
            # Its state is not to be trusted any more: what it held fails, the next request gets a new one.
            for name, known in list(self._schedulers.items()):
                if known is scheduler:
                    del self._schedulers[name]
                    self._fail_all(name)
        for handle in finished:
            entry = self._running.pop(id(handle), None)
            if entry is not None:
                entry[0].settle(entry[1], handle)
        for stream in list(self._streams.values()):
            stream.announce()

    def _fail_all(self, base_model: str) -> None:
        """Fail everything that runs on a base model."""
        for key, (receiver, request, _) in list(self._running.items()):
            if request.base_model == base_model:
                del self._running[key]
                receiver.fail("internal error while sampling", "server")

    def _begin(self, receiver: SampleReceiver, request: SampleRequest) -> None:
        """Hand a request to the scheduler of its base model."""
        try:
            base = self._base_models.get(request.base_model)
            adapter = self._adapter(request) if request.adapter_dir else None
            scheduler = self._schedulers.get(request.base_model)
            if scheduler is None:
                scheduler = self._schedulers[request.base_model] = Scheduler(base)
            owner = receiver.scope.partition(":sample:")[0]  # its session: sessions are served in rotation
            handle = scheduler.submit(attrs.evolve(request.job, adapter=adapter, owner=owner))
        except (ExampleError, TinkerError, ValueError) as error:
            receiver.fail(str(error), "user")
        except Exception as error:  # noqa: BLE001 - a defect must fail this request only
            _log.exception("sample request %s failed", receiver.request_id)
            receiver.fail(f"internal error: {type(error).__name__}", "server")
        else:
            self._running[id(handle)] = (receiver, request, handle)

    def _adapter(self, request: SampleRequest) -> Adapter:
        """Return an adapter, read once and shared by all requests for it."""
        assert request.adapter_dir is not None
        with self._lock:
            adapter = self._adapters.pop(request.adapter_dir, None)
        if adapter is None:
            adapter = load_adapter(
                self._files.root / request.adapter_dir, self._base_models.config(request.base_model)
            )
        with self._lock:
            self._adapters[request.adapter_dir] = adapter
        self._bound_adapters()
        return adapter

    def keep(self, adapter_dir: str, adapter: Adapter) -> None:
        """Keep an adapter that was just written in memory, so that it need not be read back."""
        with self._lock:
            self._adapters[adapter_dir] = adapter
        self._bound_adapters()

    def _bound_adapters(self) -> None:
        """Drop the adapters unused for longest."""
        with self._lock:
            while len(self._adapters) > 1 and sum(map(_size, self._adapters.values())) > ADAPTER_BYTES:
                self._adapters.popitem(last=False)

    def forget(self, adapter_dir: str) -> None:
        """Drop an adapter whose directory is replaced or removed."""
        with self._lock:
            self._adapters.pop(adapter_dir, None)

    def _drop(self, cancelled: set[str]) -> None:
        """Cancel what runs."""
        if not cancelled:
            return
        for key, (receiver, request, handle) in list(self._running.items()):
            if receiver.request_id in cancelled:
                self._schedulers[request.base_model].cancel(handle)
                del self._running[key]
                receiver.fail("cancelled", "user", "cancelled")


def _size(adapter: Adapter) -> int:
    """Memory of an adapter."""
    return sum(array.nbytes for array in adapter.params.values())
