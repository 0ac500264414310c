"""Standing in line: the steps that every promise goes through between its checks and its acknowledgement."""

from typing import TYPE_CHECKING

from tinsmith_local.service import Service
from tinsmith_local.store import PromiseRow, StorageFullError
from tinsmith_local.work.board import Acceptance
from tinsmith_local.work.lines import GapTimeoutError, SequenceConflictError

from .answer import Answer
from .call import Call
from .refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith_local.store.promises import Also
    from tinsmith_local.work.operations import Draw, Operation

    Built = tuple[Operation | Draw, Also | None]


async def stand(
    service: Service,
    call: Call,
    scope: str,
    seq: int | None,
    build: "Callable[[int | None], Built]",
    *,
    model_id: str | None = None,
    ordered: bool = True,
) -> PromiseRow:
    """Wait for the request's turn, journal it and hand it on; a repetition gets the promise it had.

    `build` is called in turn with the request's number and returns the work and what else is to be written
    with it; it may still refuse, and then the number stays free.
    """

    def accept(number: int | None) -> PromiseRow:
        operation, also = build(number)
        wanted = Acceptance(
            scope=scope,
            seq=number,
            digest=call.digest,
            op=call.operation,
            body=call.raw,
            model_id=model_id,
            position=None if model_id is None else service.promises.last_position(model_id) + 1,
        )
        row = service.board.accept(wanted, also)
        service.submit(row, operation)
        return row

    try:
        return await service.lines.join(scope, seq, call.digest, accept, size=len(call.raw), ordered=ordered)
    except GapTimeoutError as error:
        raise Refusal(408, str(error), field=("seq_id",), kind="sequence_gap") from error
    except SequenceConflictError as error:
        known = {} if error.known is None else {"request_id": error.known}
        raise Refusal(409, str(error), field=("seq_id",), kind="sequence_conflict", more=known) from error
    except StorageFullError as error:
        raise full(error) from error


def full(error: StorageFullError) -> Refusal:
    """Word a full disk."""
    return Refusal(
        507, f"{error}; the request was not accepted", headers={"Retry-After": "5"}, kind="storage_full"
    )


def promise(service: Service, row: PromiseRow, **more: object) -> Answer:
    """Answer with a promise."""
    status = 202 if service.options.imitate.status_codes else 200
    return Answer({"request_id": row.request_id, "model_id": row.model_id, **more}, status)
