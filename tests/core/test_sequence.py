"""The request order: cases by hand, and a state machine against a server that counts."""

from __future__ import annotations

import pytest
from tinsmith.core.errors import (
    APIConnectionError,
    BadRequestError,
    ClientPoisonedError,
    ConflictError,
    InputError,
    PartialBatchError,
    RequestFailedError,
    TinkerError,
)
from tinsmith.core.sequence import Effect, Failure, Phase, RequestOrder, Ticket

REFUSED = BadRequestError("no", status_code=400, applied="no")
LOST = APIConnectionError("reset", applied="unknown")
FAILED = RequestFailedError("bad datum", applied="no")


def take(order: RequestOrder, effect: Effect, chunks: int) -> list[Ticket]:
    """Queue a call that is cut into chunks."""
    return order.split(order.take(effect), chunks)


def submit(order: RequestOrder, ticket: Ticket) -> list[Failure]:
    """Draw, send and have accepted."""
    order.draw(ticket)
    order.sent(ticket)
    return order.accepted(ticket)


def errors_of(failures: list[Failure]) -> list[tuple[Ticket, type]]:
    """Show who fails, and how."""
    return [(failure.ticket, type(failure.error)) for failure in failures]


def test_numbers_are_drawn_in_call_order_at_the_turn() -> None:
    """Places are taken at call time; numbers only when the turn comes, gapless from 1."""
    order = RequestOrder()
    one, two = take(order, Effect.GRADIENT, 2)
    step = order.take(Effect.STEP)
    assert [ticket.seq_id for ticket in (one, two, step)] == [None, None, None]
    for number, ticket in enumerate((one, two, step), start=1):
        assert order.head is ticket
        submit(order, ticket)
        assert ticket.seq_id == number
    assert order.head is None


def test_only_the_head_draws_and_only_once() -> None:
    """A request that is not at the head cannot take a number."""
    order = RequestOrder()
    first, second = take(order, Effect.GRADIENT, 2)
    with pytest.raises(AssertionError):
        order.draw(second)
    order.draw(first)
    with pytest.raises(AssertionError):
        order.draw(first)
    with pytest.raises(AssertionError):
        order.sent(second)


def test_a_refused_request_gives_its_number_back() -> None:
    """What waits behind it fails fast; the next call draws the same number."""
    order = RequestOrder()
    bad = order.take(Effect.GRADIENT)
    step = order.take(Effect.STEP)
    save = order.take(Effect.OTHER)
    order.draw(bad)
    order.sent(bad)
    settled = order.rejected(bad, REFUSED)
    assert errors_of(settled) == [(bad, BadRequestError), (step, PartialBatchError), (save, TinkerError)]
    assert order.rejected(step, LOST) == [], "it ended already"
    assert all(item.error.applied == "no" for item in settled)
    assert bad.seq_id is None
    good = order.take(Effect.GRADIENT)
    assert (order.draw(good), good.reused, order.closed_by) == (1, True, None)
    order.sent(good)
    order.accepted(good)
    assert order.rejected(good, LOST) == [], "it has left the queue"
    assert order.closed_by is None


def test_a_request_refused_before_sending_is_no_reuse() -> None:
    """A number that never left is fresh."""
    order = RequestOrder()
    bad = order.take(Effect.GRADIENT)
    order.draw(bad)
    order.rejected(bad, InputError("nan"))
    waiting = order.take(Effect.OTHER)
    order.rejected(waiting, InputError("refused while waiting"))
    good = order.take(Effect.GRADIENT)
    assert (order.draw(good), good.reused) == (1, False)


def test_a_reused_number_stays_reused_when_given_back_unsent() -> None:
    """The server may still have counted it."""
    order = RequestOrder()
    bad = order.take(Effect.OTHER)
    order.draw(bad)
    order.sent(bad)
    order.rejected(bad, REFUSED)
    dropped = order.take(Effect.OTHER)
    order.draw(dropped)
    assert order.cancelled(dropped.call)
    again = order.take(Effect.OTHER)
    assert (order.draw(again), again.reused) == (1, True)


@pytest.mark.parametrize("error", [LOST, ConflictError("other content", applied="unknown")])
def test_an_unknown_outcome_closes_the_queue(error: TinkerError) -> None:
    """The number stays spent, what waits fails, later calls fail fast with the cause."""
    order = RequestOrder()
    first = order.take(Effect.GRADIENT)
    second = order.take(Effect.STEP)
    order.draw(first)
    order.sent(first)
    assert errors_of(order.rejected(first, error)) == [(first, type(error)), (second, ClientPoisonedError)]
    assert (first.seq_id, order.next_id, order.head) == (1, 2, None)
    with pytest.raises(ClientPoisonedError) as caught:
        order.take(Effect.OTHER)
    assert caught.value.__cause__ is error
    assert caught.value.applied == "no"


def test_a_conflict_about_a_name_gives_its_number_back_each_time() -> None:
    """Two saves under a name that is taken leave no gap, and the next save has the number of both."""
    order = RequestOrder()
    for _ in range(2):
        save = order.take(Effect.OTHER)
        assert order.draw(save) == 1
        order.sent(save)
        order.rejected(save, ConflictError("Checkpoint 'a' already exists", status_code=409, applied="no"))
    other = order.take(Effect.OTHER)
    assert (order.draw(other), order.closed_by) == (1, None)


def test_a_refusal_after_an_unknown_try_proves_nothing() -> None:
    """400 after a reset: the first try may have been applied."""
    order = RequestOrder()
    ticket = order.take(Effect.GRADIENT)
    order.draw(ticket)
    order.sent(ticket)
    order.unsure(ticket)
    order.sent(ticket)
    order.rejected(ticket, REFUSED)
    assert order.closed_by is REFUSED
    assert order.next_id == 2


def test_the_queue_is_closed_once() -> None:
    """The first cause stays the cause."""
    order = RequestOrder()
    order.close(LOST)
    order.close(FAILED)
    assert order.closed_by is LOST


def test_a_409_on_the_first_reuse_takes_the_next_number() -> None:
    """The server had counted the request that gave the number back; that is the only such case."""
    order = RequestOrder()
    bad = order.take(Effect.OTHER)
    order.draw(bad)
    order.sent(bad)
    assert order.redraw(bad) is None, "a fresh number that meets 409 is fatal"
    order.rejected(bad, REFUSED)
    good = order.take(Effect.OTHER)
    order.draw(good)
    assert order.redraw(good) is None, "nothing was sent yet"
    order.sent(good)
    assert order.redraw(good) == 2
    order.sent(good)
    assert order.redraw(good) is None, "only the first reuse"
    order.accepted(good)
    assert order.next_id == 3


def test_a_409_after_an_unknown_try_is_not_the_exception() -> None:
    """The number may be taken by our own earlier bytes."""
    order = RequestOrder()
    bad = order.take(Effect.OTHER)
    order.draw(bad)
    order.sent(bad)
    order.rejected(bad, REFUSED)
    good = order.take(Effect.OTHER)
    order.draw(good)
    order.sent(good)
    order.unsure(good)
    assert order.redraw(good) is None


def test_a_later_chunk_refused_is_a_partial_batch() -> None:
    """The first chunk's gradient is on the server: nothing may be built on it."""
    order = RequestOrder()
    one, two, three = take(order, Effect.GRADIENT, 3)
    step = order.take(Effect.STEP)
    submit(order, one)
    order.draw(two)
    order.sent(two)
    settled = order.rejected(two, REFUSED)
    assert errors_of(settled) == [
        (two, PartialBatchError),
        (three, ClientPoisonedError),
        (step, ClientPoisonedError),
    ]
    partial = settled[0].error
    assert isinstance(partial, PartialBatchError)
    assert (partial.chunks_applied, partial.chunks_failed) == ((0,), (1, 2))
    assert order.closed_by is partial


def test_a_forward_in_parts_is_never_partial() -> None:
    """Forward leaves no gradient, so a failed chunk of it spoils nothing."""
    order = RequestOrder()
    one, two = take(order, Effect.OTHER, 2)
    submit(order, one)
    order.draw(two)
    order.sent(two)
    assert errors_of(order.rejected(two, REFUSED)) == [(two, BadRequestError)]
    assert order.closed_by is None
    assert errors_of(order.finished(one, FAILED)) == [(one, RequestFailedError)]


def test_cancel_before_sending_loses_nothing() -> None:
    """The whole call leaves, its number goes back, the others go on."""
    order = RequestOrder()
    one, two = take(order, Effect.GRADIENT, 2)
    step = order.take(Effect.STEP)
    order.draw(one)
    assert order.cancelled(one.call)
    assert (one.phase, two.phase, order.head) == (Phase.FAILED, Phase.FAILED, step)
    assert order.draw(step) == 1


def test_cancel_after_sending_is_too_late() -> None:
    """The call goes on without its owner: half a batch would be worse."""
    order = RequestOrder()
    one, two = take(order, Effect.GRADIENT, 2)
    order.draw(one)
    order.sent(one)
    assert not order.cancelled(one.call)
    order.accepted(one)
    assert order.head is two


def test_results_mode_holds_the_step() -> None:
    """With optim_after="results" a step waits for every gradient before it; nothing else does."""
    order = RequestOrder(optim_after="results")
    one, two = take(order, Effect.GRADIENT, 2)
    step = order.take(Effect.STEP)
    submit(order, one)
    submit(order, two)
    assert order.head is None
    order.finished(two)
    assert order.head is None
    order.finished(one)
    assert order.head is step
    submit(order, step)
    other = order.take(Effect.OTHER)
    assert order.head is other


def test_results_mode_never_steps_on_a_lost_gradient() -> None:
    """The step fails unsent; a call that failed whole leaves the client usable."""
    order = RequestOrder(optim_after="results")
    one = order.take(Effect.GRADIENT)
    step = order.take(Effect.STEP)
    save = order.take(Effect.OTHER)
    submit(order, one)
    settled = order.finished(one, FAILED)
    assert errors_of(settled) == [(one, RequestFailedError), (step, PartialBatchError), (save, TinkerError)]
    assert settled[1].error.applied == "no"
    after = order.take(Effect.GRADIENT)
    assert (order.closed_by, order.head, step.seq_id) == (None, after, None)


def test_a_promise_that_fails_with_nothing_built_on_it_spoils_nothing() -> None:
    """Gradients that wait behind it go on; they are other calls."""
    order = RequestOrder()
    one = order.take(Effect.GRADIENT)
    two = order.take(Effect.GRADIENT)
    submit(order, one)
    assert errors_of(order.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert order.head is two


def test_a_chunk_lost_while_others_are_there_is_a_partial_batch() -> None:
    """Gradients of the same call are on the server: the queue is closed, whatever waits."""
    order = RequestOrder(optim_after="results")
    one, two = take(order, Effect.GRADIENT, 2)
    step = order.take(Effect.STEP)
    submit(order, one)
    submit(order, two)
    order.finished(one)
    assert errors_of(order.finished(two, FAILED)) == [(two, PartialBatchError), (step, ClientPoisonedError)]
    assert isinstance(order.closed_by, PartialBatchError)


def test_an_accepted_step_on_a_lost_gradient_fails_as_applied() -> None:
    """optim_after="accepted": the step ran on part of its batch, says applied="yes" and closes the queue."""
    order = RequestOrder()
    one = order.take(Effect.GRADIENT)
    two, three = take(order, Effect.GRADIENT, 2)
    step = order.take(Effect.STEP)
    later = order.take(Effect.GRADIENT)
    for ticket in (one, two, three, step):
        submit(order, ticket)
    assert order.finished(one) == []
    assert order.finished(two) == []
    settled = [*order.finished(three, FAILED), *order.finished(step)]
    assert errors_of(settled) == [
        (three, PartialBatchError),
        (later, ClientPoisonedError),
        (step, PartialBatchError),
    ]
    assert [item.error.applied for item in settled] == ["unknown", "no", "yes"]


def test_a_step_fails_once_even_if_two_gradients_do() -> None:
    """The second lost gradient has nobody left to tell."""
    order = RequestOrder()
    one = order.take(Effect.GRADIENT)
    two = order.take(Effect.GRADIENT)
    step = order.take(Effect.STEP)
    for ticket in (one, two, step):
        submit(order, ticket)
    assert errors_of(order.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert isinstance(order.closed_by, PartialBatchError)
    assert errors_of(order.finished(two, FAILED)) == [(two, RequestFailedError)]
    settled = order.finished(step)
    assert errors_of(settled) == [(step, PartialBatchError)]
    assert settled[0].error.applied == "yes"


def test_a_step_that_failed_itself_was_not_applied() -> None:
    """A step on a lost gradient that the server fails too has its own error, which says applied="no"."""
    order = RequestOrder()
    one = order.take(Effect.GRADIENT)
    step = order.take(Effect.STEP)
    submit(order, one)
    submit(order, step)
    order.finished(one, FAILED)
    assert errors_of(order.finished(step, FAILED)) == [(step, RequestFailedError)]


def test_gradients_settled_first_leave_the_step_alone() -> None:
    """The usual order: gradients, then the step."""
    order = RequestOrder()
    one = order.take(Effect.GRADIENT)
    step = order.take(Effect.STEP)
    submit(order, one)
    submit(order, step)
    assert order.finished(one) == []
    assert order.finished(step) == []
    assert (one.phase, step.phase, order.closed_by) == (Phase.DONE, Phase.DONE, None)


def test_a_step_under_way_meets_the_loss_of_its_gradient() -> None:
    """The gradient fails while the step is being sent: accepted, it closes the queue and fails as applied."""
    order = RequestOrder()
    one = order.take(Effect.GRADIENT)
    step = order.take(Effect.STEP)
    submit(order, one)
    order.draw(step)
    order.sent(step)
    assert errors_of(order.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert order.accepted(step) == []
    assert isinstance(order.closed_by, PartialBatchError)
    settled = order.finished(step)
    assert errors_of(settled) == [(step, PartialBatchError)]
    assert settled[0].error.applied == "yes"


def test_a_step_under_way_meets_the_loss_of_half_a_batch() -> None:
    """One of two chunks fails while the step is being sent: the step says that it ran on the other."""
    order = RequestOrder()
    one, two = take(order, Effect.GRADIENT, 2)
    step = order.take(Effect.STEP)
    submit(order, one)
    submit(order, two)
    order.draw(step)
    order.sent(step)
    order.finished(one)
    assert errors_of(order.finished(two, FAILED)) == [(two, PartialBatchError)]
    assert order.accepted(step) == []
    settled = order.finished(step)
    assert errors_of(settled) == [(step, PartialBatchError)]
    assert settled[0].error.applied == "yes"


def test_a_chunk_under_way_meets_the_loss_of_another() -> None:
    """A chunk accepted after its sibling failed is half a batch."""
    order = RequestOrder()
    one, two = take(order, Effect.GRADIENT, 2)
    submit(order, one)
    order.draw(two)
    order.sent(two)
    assert errors_of(order.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert order.closed_by is None
    assert errors_of(order.accepted(two)) == [(two, PartialBatchError)]
    assert isinstance(order.closed_by, PartialBatchError)


def test_a_doomed_chunk_that_is_refused_is_just_refused() -> None:
    """Nothing of the call is on the server, so the client stays usable."""
    order = RequestOrder()
    one, two = take(order, Effect.GRADIENT, 2)
    submit(order, one)
    order.draw(two)
    order.sent(two)
    order.finished(one, FAILED)
    assert errors_of(order.rejected(two, REFUSED)) == [(two, BadRequestError)]
    assert order.closed_by is None


def test_a_loss_while_an_unrelated_request_is_sent_touches_it_not() -> None:
    """A save under way does not build on the lost gradient."""
    order = RequestOrder()
    one = order.take(Effect.GRADIENT)
    save = order.take(Effect.OTHER)
    submit(order, one)
    order.draw(save)
    assert errors_of(order.finished(one, FAILED)) == [(one, RequestFailedError)]
    order.sent(save)
    assert order.accepted(save) == []


def test_waiting_chunks_of_a_lost_call_are_not_sent() -> None:
    """Chunk 1's promise fails before chunk 2 was sent: chunk 2 stays, and the client is usable."""
    order = RequestOrder()
    one, two = take(order, Effect.GRADIENT, 2)
    other = order.take(Effect.GRADIENT)
    submit(order, one)
    assert errors_of(order.finished(one, FAILED)) == [(one, RequestFailedError), (two, RequestFailedError)]
    assert (order.head, order.closed_by) == (other, None)


def test_what_belongs_to_the_creation_goes_first() -> None:
    """A ticket taken ahead is before all that waits, and cannot be had once something has begun."""
    order = RequestOrder()
    waiting = order.take(Effect.STEP)
    first, second = order.split(order.take(Effect.OTHER, ahead=True), 2)
    for ticket in (first, second, waiting):
        submit(order, ticket)
    assert [ticket.seq_id for ticket in (first, second, waiting)] == [1, 2, 3]
    begun = order.take(Effect.OTHER)
    order.draw(begun)
    with pytest.raises(AssertionError):
        order.take(Effect.OTHER, ahead=True)


def test_a_call_is_cut_anew_where_it_stands() -> None:
    """The chunks of a call that has not begun take the place of its ticket, between its neighbours."""
    order = RequestOrder()
    before = order.take(Effect.OTHER)
    one = order.take(Effect.GRADIENT)
    after = order.take(Effect.STEP)
    three = order.split(one, 3)
    assert [ticket.chunk for ticket in three] == [0, 1, 2]
    for ticket in (before, *three, after):
        submit(order, ticket)
    assert [ticket.seq_id for ticket in (before, *three, after)] == [1, 2, 3, 4, 5]
    assert [ticket.step for ticket in three] == [after] * 3
    with pytest.raises(AssertionError):
        order.split(three[0], 1)


def send(order: RequestOrder, *tickets: Ticket) -> None:
    """Draw and send, each at its turn."""
    for ticket in tickets:
        assert order.head is ticket
        order.draw(ticket)
        order.sent(ticket)


def at_once(order: RequestOrder, chunks: int, effect: Effect = Effect.GRADIENT) -> list[Ticket]:
    """Queue a call whose chunks do not wait for each other."""
    return order.split(order.take(effect), chunks, one_by_one=0)


def test_chunks_of_one_call_are_sent_without_waiting_for_each_other() -> None:
    """They are accepted in any order; what was called later has its turn when the last one is."""
    order = RequestOrder()
    chunks = at_once(order, 3)
    step = order.take(Effect.STEP)
    send(order, *chunks)
    assert [ticket.seq_id for ticket in chunks] == [1, 2, 3]
    for ticket in (chunks[2], chunks[0], chunks[1]):
        assert order.head is None, "a step would go without its gradient"
        assert order.accepted(ticket) == []
    assert order.head is step
    assert order.draw(step) == 4
    order.sent(step)
    order.accepted(step)
    assert [ticket.step for ticket in chunks] == [step] * 3


def test_a_chunk_goes_when_the_one_before_it_was_sent() -> None:
    """While bytes of one are being built, nobody else draws."""
    order = RequestOrder()
    one, two = at_once(order, 2)
    order.draw(one)
    assert order.head is one
    order.sent(one)
    assert order.head is two


def test_the_first_chunk_goes_alone_where_it_is_to() -> None:
    """A call may have its first chunk accepted before the others are sent."""
    order = RequestOrder()
    chunks = order.split(order.take(Effect.GRADIENT), 3, one_by_one=1)
    send(order, chunks[0])
    assert order.head is chunks[0]
    order.accepted(chunks[0])
    send(order, chunks[1], chunks[2])


def test_a_number_that_was_given_back_goes_alone() -> None:
    """The server may have counted it: only then is it known which numbers follow."""
    order = RequestOrder()
    bad = at_once(order, 3)
    send(order, *bad)
    for ticket in reversed(bad):
        order.rejected(ticket, REFUSED)
    assert (order.next_id, order.closed_by) == (1, None)
    chunks = at_once(order, 4)
    send(order, chunks[0])
    assert chunks[0].reused
    assert order.head is chunks[0]
    assert order.redraw(chunks[0]) == 2
    assert chunks[0].reused, "the server may have counted this one too"
    order.sent(chunks[0])
    order.accepted(chunks[0])
    send(order, chunks[1])
    order.accepted(chunks[1])
    send(order, *chunks[2:])
    assert [ticket.seq_id for ticket in chunks] == [2, 3, 4, 5]
    assert [ticket.reused for ticket in chunks] == [True, True, False, False]


def test_a_refused_number_below_others_is_never_used_again() -> None:
    """The server keeps what was sent behind it: the queue is closed, and nobody waits for those."""
    order = RequestOrder()
    chunks = at_once(order, 5)
    step = order.take(Effect.STEP)
    send(order, *chunks[:4])
    order.accepted(chunks[0])
    order.accepted(chunks[3])
    settled = order.rejected(chunks[1], REFUSED)
    assert errors_of(settled) == [
        (chunks[1], BadRequestError),
        (chunks[2], TinkerError),
        (chunks[3], TinkerError),
        (chunks[4], ClientPoisonedError),
        (step, ClientPoisonedError),
    ]
    assert [item.error.applied for item in settled] == ["no", "unknown", "unknown", "no", "no"]
    assert settled[1].error.__cause__ is REFUSED
    assert [ticket.seq_id for ticket in chunks] == [1, 2, 3, 4, None]
    assert order.next_id == 5
    cause = order.closed_by
    assert isinstance(cause, PartialBatchError)
    assert (cause.chunks_applied, cause.applied) == ((0,), "unknown")
    assert order.accepted(chunks[2]) == [], "it was given up"
    assert order.rejected(chunks[3], LOST) == []
    assert order.finished(chunks[0]) == []


def test_a_forward_refused_below_others_closes_the_queue_too() -> None:
    """No gradient is lost, but the server waits for a number that does not come."""
    order = RequestOrder()
    one, two = at_once(order, 2, Effect.OTHER)
    send(order, one, two)
    assert errors_of(order.rejected(one, REFUSED)) == [(one, BadRequestError), (two, TinkerError)]
    assert isinstance(order.closed_by, BadRequestError)
    assert order.closed_by.applied == "unknown"


def test_a_chunk_of_unknown_outcome_gives_up_those_behind_it() -> None:
    """Nobody knows whether it arrived, so nobody knows whether they are ever carried out."""
    order = RequestOrder(optim_after="results")
    one, two, three = at_once(order, 3)
    send(order, one, two, three)
    order.accepted(three)
    assert errors_of(order.rejected(two, LOST)) == [(two, APIConnectionError), (three, TinkerError)]
    assert order.closed_by is LOST
    assert order.accepted(one) == [], "what is under way before it goes on"
    assert order.finished(one) == []


def test_a_chunk_that_was_not_sent_gives_its_number_back_first() -> None:
    """The chunk before it is refused while its bytes are being built: both numbers are free."""
    order = RequestOrder()
    one, two, three = at_once(order, 3)
    send(order, one)
    order.draw(two)
    assert errors_of(order.rejected(one, REFUSED)) == [
        (one, BadRequestError),
        (three, BadRequestError),
        (two, BadRequestError),
    ]
    assert (order.next_id, order.closed_by) == (1, None)
    assert [ticket.seq_id for ticket in (one, two, three)] == [None, None, None]


def test_a_chunk_that_was_not_sent_stays_after_an_unknown_outcome() -> None:
    """The chunk before it is lost while its bytes are being built."""
    order = RequestOrder()
    one, two = at_once(order, 2)
    send(order, one)
    order.draw(two)
    settled = order.rejected(one, LOST)
    assert errors_of(settled) == [(one, APIConnectionError), (two, APIConnectionError)]
    assert (order.next_id, two.seq_id, order.closed_by) == (2, None, LOST)


def test_the_last_chunk_refused_makes_half_a_batch_of_those_before_it() -> None:
    """Its number is free; the first of the others that is accepted closes the queue."""
    order = RequestOrder()
    one, two, three = at_once(order, 3)
    step = order.take(Effect.STEP)
    send(order, one, two, three)
    assert errors_of(order.rejected(three, REFUSED)) == [(three, BadRequestError), (step, PartialBatchError)]
    assert (order.next_id, order.closed_by) == (3, None)
    later = order.take(Effect.OTHER)
    assert order.head is None
    assert errors_of(order.rejected(two, REFUSED)) == [(two, BadRequestError), (later, TinkerError)]
    after = order.take(Effect.OTHER)
    assert errors_of(order.accepted(one)) == [(one, PartialBatchError), (after, ClientPoisonedError)]
    assert isinstance(order.closed_by, PartialBatchError)


def test_the_last_chunk_of_a_forward_refused_spoils_nothing() -> None:
    """The others go on, and so does the client."""
    order = RequestOrder()
    one, two = at_once(order, 2, Effect.OTHER)
    send(order, one, two)
    assert errors_of(order.rejected(two, REFUSED)) == [(two, BadRequestError)]
    assert order.accepted(one) == []
    assert (order.finished(one), order.closed_by) == ([], None)


def test_a_promise_that_fails_while_others_of_its_call_are_under_way() -> None:
    """Each of them that is accepted afterwards is a part of a batch."""
    order = RequestOrder()
    one, two, three = at_once(order, 3)
    send(order, one, two, three)
    order.accepted(one)
    assert errors_of(order.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert order.closed_by is None
    assert errors_of(order.accepted(two)) == [(two, PartialBatchError)]
    assert errors_of(order.accepted(three)) == [(three, PartialBatchError)]
    assert isinstance(order.closed_by, PartialBatchError)


def test_a_call_of_which_a_chunk_was_sent_is_not_cancelled() -> None:
    """Half a batch would be worse; a chunk that has a number and was not sent is part of it."""
    order = RequestOrder()
    one, two = at_once(order, 2)
    send(order, one)
    order.draw(two)
    assert not order.cancelled(one.call)
    assert two.seq_id == 2
