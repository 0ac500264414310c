"""Mistakes that a client of this API can make, planted one at a time: the state machine must find each.

Each mutant is a context manager that breaks one thing in the client. It must not touch the tests' server.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import attrs
from tinsmith.core import retry, sequence
from tinsmith.core.sequence import Effect, Failure, Phase
from tinsmith.io import poller
from tinsmith.io.http import sender, submission
from tinsmith.io.http.messages import Body
from tinsmith.io.http.server import Server
from tinsmith.io.queues import jobs, training_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tinsmith.core.errors import TinkerError

MUTANTS: dict[str, Callable[[], Any]] = {}
"""Each mutant by what it does wrong."""


def mutant(plant: Callable[[], Iterator[Any]]) -> Callable[[], Any]:
    """Register a mutant under its name."""
    made = contextmanager(plant)
    MUTANTS[plant.__name__.replace("_", " ")] = made
    return made


def _rewritten(body: Body | None, old: bytes, new: bytes) -> Body | None:
    return None if body is None else Body.of([re.sub(old, new, body.joined())])


def _next_number(body: Body | None) -> Body | None:
    if body is None:
        return None
    bump = re.sub(rb'"seq_id":(\d+)', lambda found: b'"seq_id":%d' % (int(found[1]) + 1), body.joined())
    return Body.of([bump])


@contextmanager
def _each_retry(change: Callable[[Body | None], Body | None]) -> Iterator[None]:
    """Have the bytes of each re-send changed."""
    send = sender.Sender._send

    async def changed(sends: Any, call: Any) -> Any:
        if call.attempts:
            call.request = attrs.evolve(call.request, body=change(call.request.body))
        return await send(sends, call)

    with patch.object(sender.Sender, "_send", changed):
        yield


@mutant
def id_drawn_inside_the_retried_closure() -> Iterator[None]:
    """Each send of a request carries a number of its own."""
    with _each_retry(_next_number):
        yield


@mutant
def other_bytes_on_resend() -> Iterator[None]:
    """A re-send says the same in other bytes."""
    with _each_retry(lambda body: _rewritten(body, rb"\}$", b" }")):
        yield


@mutant
def turn_not_released_on_cancel() -> Iterator[None]:
    """A call that is withdrawn keeps its turn."""

    def cancelled(order: Any, call: Any) -> bool:
        return all(ticket.phase in (Phase.WAITING, Phase.DRAWN) for ticket in call.tickets)

    with patch.object(sequence.RequestOrder, "cancelled", cancelled):
        yield


@mutant
def conflict_retried() -> Iterator[None]:
    """A 409 is sent again."""
    worth_it = retry._worth_it
    with patch.object(retry, "_worth_it", lambda judged: judged.status == 409 or worth_it(judged)):
        yield


@mutant
def number_not_given_back() -> Iterator[None]:
    """A refused request keeps its number."""
    with patch.object(sequence.RequestOrder, "_give_back", lambda order, ticket: None):
        yield


@mutant
def number_given_back_after_unknown_outcome() -> Iterator[None]:
    """The last try alone decides whether a number is free."""
    note_retry = sender.Sender._note_retry

    def forgetful(sends: Any, call: Any, judged: Any, decision: Any) -> None:
        note_retry(sends, call, judged, decision)
        call.unknown_before = False

    with patch.object(sender.Sender, "_note_retry", forgetful):
        yield


@mutant
def step_sent_behind_a_rejected_chunk() -> Iterator[None]:
    """An optim_step goes out although a gradient before it was refused."""
    fail_waiting = sequence.RequestOrder._fail_waiting

    def spare_steps(order: Any, error_for: Any) -> Any:
        return fail_waiting(order, lambda ticket: None if ticket.effect is Effect.STEP else error_for(ticket))

    with (
        patch.object(sequence.RequestOrder, "_fail_waiting", spare_steps),
        patch.object(training_queue.TrainingQueue, "_refuse_unseen", lambda queue, step: None),
    ):
        yield


@mutant
def chunk_sent_behind_a_rejected_one() -> Iterator[None]:
    """The rest of a batch goes out although a chunk of it was refused."""
    late = sequence._late

    def spare_siblings(behind: Any, failure: Any) -> Any:
        return None if behind.call is failure.ticket.call else late(behind, failure)

    with patch.object(sequence, "_late", spare_siblings):
        yield


@mutant
def failed_gradient_forgotten() -> Iterator[None]:
    """An optim_step called after an unseen failure goes out."""
    with patch.object(training_queue.TrainingQueue, "_refuse_unseen", lambda queue, step: None):
        yield


@mutant
def resent_to_a_server_without_deduplication() -> Iterator[None]:
    """An unknown outcome is sent again to whom it may not be."""
    become = Server._become

    def trusting(server: Any, clues: Any) -> None:
        become(server, clues)
        server.may_resend_unknown = True

    with patch.object(Server, "_become", trusting):
        yield


@mutant
def result_bound_to_the_wrong_call() -> Iterator[None]:
    """A poll asks for the promise of another call."""
    request = poller.Poller._request
    last: list[str] = []

    def confused(self: Any, promise: Any) -> Any:
        asked = request(self, promise)
        last.append(promise.request_id)
        if promise.operation == "optim_step" and len(last) > 1:
            return attrs.evolve(asked, body=_rewritten(asked.body, rb"request-\d+", last[-2].encode()))
        return asked

    with patch.object(poller.Poller, "_request", confused):
        yield


@mutant
def unknown_outcome_forgotten() -> Iterator[None]:
    """After an unknown outcome the client goes on."""

    def forgetful(order: Any, error: TinkerError) -> list[Failure]:
        return []

    with patch.object(sequence.RequestOrder, "close", forgetful):
        yield


@mutant
def lost_promise_resubmitted_under_a_new_number() -> Iterator[None]:
    """A promise that is gone is submitted again as a new request."""

    async def renumbered(queue: Any, chunk: Any, sent: Any) -> submission.Accepted:
        order, sender = queue._pending.order, queue.connection.sender
        numbered = attrs.evolve(sent.numbered, seq_id=order.next_id)
        order.next_id += 1
        again = queue._submission(chunk, numbered, await queue._encoded(chunk, numbered))
        return await submission.have_accepted(sender, again, unknown_before=True)

    with patch.object(training_queue.TrainingQueue, "_resubmit", renumbered):
        yield


@mutant
def step_says_success_before_its_gradients() -> Iterator[None]:
    """A step on a lost gradient reports success."""
    finished = sequence.RequestOrder.finished

    def hasty(order: Any, ticket: Any, error: TinkerError | None = None) -> list[Failure]:
        ticket.lost = None
        return finished(order, ticket, error)

    with patch.object(sequence.RequestOrder, "finished", hasty):
        yield


@mutant
def results_not_waited_for() -> Iterator[None]:
    """optim_after="results" is read as "accepted"."""
    take_over = jobs.PendingJobs.__init__

    def hasty(self: Any, _mode: Any, on_result: Any) -> None:
        take_over(self, "accepted", on_result)

    with patch.object(jobs.PendingJobs, "__init__", hasty):
        yield


@mutant
def waiting_calls_forgotten_at_the_end() -> Iterator[None]:
    """What waits when the client ends is told nothing."""

    def silent(queue: Any, error: TinkerError) -> None:
        queue._ended = error
        if queue._consumer is not None:
            queue._consumer.cancel()
        queue._consumer = queue.connection.runtime.loop.create_future()  # nobody serves it from now on

    def kept(queue: Any, *rejected: Any) -> None:
        if queue._ended is None:
            reject(queue, *rejected)

    reject = training_queue.TrainingQueue._reject
    with (
        patch.object(training_queue.TrainingQueue, "end", silent),
        patch.object(training_queue.TrainingQueue, "_reject", kept),
    ):
        yield


@mutant
def every_failure_called_harmless() -> Iterator[None]:
    """Each error says that nothing was applied."""
    error = sender.Sender.error

    def harmless(self: Any, exchange: Any) -> Any:
        made = error(self, exchange)
        made.applied = "no"
        return made

    with patch.object(sender.Sender, "error", harmless):
        yield


@mutant
def step_sent_while_a_chunk_is_under_way() -> Iterator[None]:
    """What was called behind a batch goes out before all of its chunks are accepted."""

    def hasty(order: Any) -> Any:
        return next((ticket for ticket in order._queue if ticket.phase is not Phase.SENT), None)

    with patch.object(sequence.RequestOrder, "head", property(hasty)):
        yield


@mutant
def refused_number_given_to_a_later_call() -> Iterator[None]:
    """A number that was refused below others fills its gap with another request."""
    rejected, number = sequence.RequestOrder.rejected, sequence.RequestOrder._number
    free: dict[int, tuple[Any, list[int]]] = {}  # with the order, so that its id stays its own

    def reuse(order: Any, ticket: Any, error: TinkerError) -> list[Failure]:
        below_others = ticket.phase is Phase.SENT and ticket.seq_id < order.next_id - 1
        if not below_others or error.applied != "no" or ticket.unknown:
            return rejected(order, ticket, error)
        free.setdefault(id(order), (order, []))[1].append(ticket.seq_id)
        order._leave(ticket, Phase.FAILED)
        failure = Failure(ticket, error)
        return [failure, *order._fail_waiting(lambda other: sequence._late(other, failure))]

    def numbered(order: Any, ticket: Any) -> int:
        given = number(order, ticket)
        _, gaps = free.get(id(order), (order, []))
        if gaps:
            order.next_id -= 1
            given = ticket.seq_id = gaps.pop(0)
        return given

    with (
        patch.object(sequence.RequestOrder, "rejected", reuse),
        patch.object(sequence.RequestOrder, "_number", numbered),
    ):
        yield


@mutant
def gap_left_open() -> Iterator[None]:
    """A number is missing below others, and the client goes on."""
    give_up = sequence.RequestOrder._give_up_behind

    def forgetful(order: Any, failure: Any) -> list[Failure]:
        given_up = give_up(order, failure)
        order.closed_by = None
        return given_up

    def open_still(order: Any, error: TinkerError) -> list[Failure]:
        return [] if error.applied == "unknown" and "had been sent" in error.message else close(order, error)

    close = sequence.RequestOrder.close
    with (
        patch.object(sequence.RequestOrder, "_give_up_behind", forgetful),
        patch.object(sequence.RequestOrder, "close", open_still),
    ):
        yield


@mutant
def chunks_behind_a_gap_called_applied() -> Iterator[None]:
    """What was sent behind a missing chunk is said to be on the server."""
    behind = sequence._behind_a_gap

    def certain(failure: Any) -> Any:
        return behind(failure).again("yes")

    with patch.object(sequence, "_behind_a_gap", certain):
        yield


@mutant
def chunk_of_unknown_outcome_sent_again_as_new() -> Iterator[None]:
    """A chunk that may have arrived is sent under the number behind its call."""
    redraw, unsure = sequence.RequestOrder.redraw, sequence.RequestOrder.unsure

    def doubtful(order: Any, ticket: Any) -> None:
        unsure(order, ticket)
        if len(ticket.call.tickets) > 1:
            ticket.unknown, ticket.reused = False, True

    def refused(pending: Any, chunk: Any, *, leaves_doubt: bool, wants_next: bool) -> int | None:
        with pending.lock:
            if leaves_doubt:
                pending.order.unsure(chunk.ticket)
            return pending.order.redraw(chunk.ticket) if wants_next or leaves_doubt else None

    with (
        patch.object(sequence.RequestOrder, "unsure", doubtful),
        patch.object(jobs.PendingJobs, "refused", refused),
        patch.object(sequence.RequestOrder, "redraw", redraw),
    ):
        yield


@mutant
def results_joined_as_they_were_accepted() -> Iterator[None]:
    """The results of a batch are in the order in which the server took its chunks."""
    promised, merged = jobs.Job.promised, jobs.Job.merged

    def noted(job: Any, chunk: Any, request_id: str) -> None:
        promised(job, chunk, request_id)
        taken.setdefault(job, []).append(chunk)

    def shuffled(job: Any) -> Any:
        job.chunks = taken.pop(job)
        return merged(job)

    taken: dict[Any, list[Any]] = {}
    with patch.object(jobs.Job, "promised", noted), patch.object(jobs.Job, "merged", shuffled):
        yield
