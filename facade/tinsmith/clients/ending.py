"""How a client ends: what is in flight is waited for, the session is told how it went, and all is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

from tinsmith.core.decision import OpClass
from tinsmith.core.errors import InputError
from tinsmith.io import operations
from tinsmith.io.http.messages import Lane

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tinsmith.io.context import ClientContext

FinishStatus = Literal["success", "errored", "interrupted"]
"""How the work of a session went."""


def check_status(status: object) -> None:
    """Refuse what is no status; None says nothing to the server."""
    if status is not None and status not in get_args(FinishStatus):
        raise InputError(
            f"must be one of {', '.join(get_args(FinishStatus))}, not {status!r}", field="status"
        )


def end(
    context: ClientContext,
    status: FinishStatus | None,
    detail: str | None,
    timeout: float | None,
    *,
    results: bool = True,
) -> Coroutine[Any, Any, None]:
    """Take no new calls from now on, and return what ends a client.

    The refusal does not wait for the loop, which threads that submit without a pause may keep busy.
    """
    context.begin_to_close()
    return _end(context, status, detail, timeout, results)


async def _end(
    context: ClientContext,
    status: FinishStatus | None,
    detail: str | None,
    timeout: float | None,
    results: bool,
) -> None:
    """Drain, tell the server how it went if there is a session and something to tell, and close."""
    if status is not None and not context.closed:
        await context.drain(timeout, results=results)
        await _finish(context, status, detail)
        timeout = 0.0  # drained
    await context.aclose(timeout, results=results)


async def _finish(context: ClientContext, status: FinishStatus, detail: str | None) -> None:
    """Tell the server once; one that does not know the route is as good as one that heard."""
    session_id = context.session.session_id
    if session_id is None:
        return
    body = {"reason": {"type": status}, **({} if detail is None else {"detail": detail})}
    asked = operations.request(
        "finish_session",
        path={"session_id": session_id},
        body=body,
        lane=Lane.HEARTBEAT,
        timeout_s=context.connection.config.timeouts.heartbeat_s,
    )
    await context.connection.sender.exchange(asked, OpClass.BEST_EFFORT)
