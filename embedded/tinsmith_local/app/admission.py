"""Admission: what happens to every request between its checks and its acknowledgement."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
from tinsmith_api import models

from tinsmith_local.app.answers import Refusal
from tinsmith_local.store.database import StorageFullError
from tinsmith_local.store.promise_table import Also, PromiseRow, PromiseTable
from tinsmith_local.work.operations import SampleRequest, TrainingRequest
from tinsmith_local.work.promise_store import PromiseStore
from tinsmith_local.work.sequencer import GapTimeoutError, SequenceConflictError, Sequencer

if TYPE_CHECKING:
    from tinsmith_local.app.call import Call

Build = Callable[[int | None], tuple[TrainingRequest | SampleRequest, Also | None]]
"""Called with the number of a request once all earlier ones were accepted. Returns the work and what else to
write with it. It may still refuse; then the number stays free."""


Submit = Callable[[PromiseRow, TrainingRequest | SampleRequest], None]
"""Hands accepted work to the engine's thread."""


@attrs.frozen(kw_only=True, eq=False)
class Admission:
    """Admits requests in their order, and journals them."""

    _sequencer: Sequencer
    _promises: PromiseStore
    _table: PromiseTable
    _submit: Submit
    _clock: Callable[[], float]

    async def admit(
        self,
        call: Call,
        scope: str,
        seq: int | None,
        build: Build,
        *,
        model_id: str | None = None,
        ordered: bool = True,
    ) -> models.UntypedAPIFuture:
        """Wait for all earlier numbers, journal the request and queue it; a repetition gets its promise."""

        def accept(number: int | None) -> PromiseRow:
            operation, also = build(number)
            row = PromiseRow(
                request_id=uuid.uuid4().hex,
                scope=scope,
                seq=number,
                digest=call.digest,
                op=call.operation,
                model_id=model_id,
                position=None if model_id is None else self._table.last_position(model_id) + 1,
                created_at=self._clock(),
                body_bytes=len(call.raw),
            )
            self._promises.accept(row, call.raw, also)
            self._submit(row, operation)
            return row

        size = len(call.raw)
        try:
            row = await self._sequencer.admit(scope, seq, call.digest, accept, size=size, ordered=ordered)
        except GapTimeoutError as error:
            raise Refusal(408, str(error), field=("seq_id",), kind="sequence_gap") from error
        except SequenceConflictError as error:
            known = {} if error.known is None else {"request_id": error.known}
            raise Refusal(409, str(error), field=("seq_id",), kind="sequence_conflict", more=known) from error
        except StorageFullError as error:
            raise full(error) from error
        return models.UntypedAPIFuture(request_id=row.request_id, model_id=row.model_id)


def full(error: StorageFullError) -> Refusal:
    """Return the refusal for a full disk."""
    reason = f"{error}; the request was not accepted"
    return Refusal(507, reason, headers={"Retry-After": "5"}, kind="storage_full")


def too_much(what: str) -> Refusal:
    """Return the refusal for a full queue."""
    return Refusal(429, what, headers={"Retry-After": "1"}, kind="queue_full")
