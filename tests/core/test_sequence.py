"""The law of order: cases by hand, and a state machine against a server that counts."""

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
from tinsmith.core.sequence import RequestOrder
from tinsmith.core.ticket import Kind, Phase, Settlement, Ticket

REFUSED = BadRequestError("no", status_code=400, applied="no")
LOST = APIConnectionError("reset", applied="unknown")
FAILED = RequestFailedError("bad datum", applied="no")


def submit(line: RequestOrder, place: Ticket) -> Settlement:
    """Draw, send and have accepted."""
    line.draw(place)
    line.sent(place)
    return line.accepted(place)


def errors_of(settlement: Settlement) -> list[tuple[Ticket, type]]:
    """Show who fails, and how."""
    return [(fallout.place, type(fallout.error)) for fallout in settlement.failed]


def test_numbers_are_drawn_in_call_order_at_the_turn() -> None:
    """Places are taken at call time; numbers only when the turn comes, gapless from 1."""
    line = RequestOrder()
    one, two = line.take(Kind.GRADIENT, 2)
    (step,) = line.take(Kind.STEP)
    assert [place.seq_id for place in (one, two, step)] == [None, None, None]
    for number, place in enumerate((one, two, step), start=1):
        assert line.head is place
        submit(line, place)
        assert place.seq_id == number
    assert (line.head, line.waiting) == (None, 0)


def test_only_the_head_draws_and_only_once() -> None:
    """A request that is not at the head cannot take a number."""
    line = RequestOrder()
    first, second = line.take(Kind.GRADIENT, 2)
    with pytest.raises(AssertionError):
        line.draw(second)
    line.draw(first)
    with pytest.raises(AssertionError):
        line.draw(first)
    with pytest.raises(AssertionError):
        line.sent(second)


def test_a_refused_request_gives_its_number_back() -> None:
    """What waits behind it fails fast; the next call draws the same number."""
    line = RequestOrder()
    (bad,) = line.take(Kind.GRADIENT)
    (step,) = line.take(Kind.STEP)
    (save,) = line.take(Kind.OTHER)
    line.draw(bad)
    line.sent(bad)
    fallout = line.rejected(bad, REFUSED)
    assert errors_of(fallout) == [(bad, BadRequestError), (step, PartialBatchError), (save, TinkerError)]
    assert line.rejected(step, LOST) == Settlement(), "it ended already, and poisons nothing"
    assert all(item.error.applied == "no" for item in fallout.failed)
    assert bad.seq_id is None
    (good,) = line.take(Kind.GRADIENT)
    assert (line.draw(good), good.reused, line.poison) == (1, True, None)


def test_a_request_refused_before_sending_is_no_reuse() -> None:
    """A number that never left is fresh."""
    line = RequestOrder()
    (bad,) = line.take(Kind.GRADIENT)
    line.draw(bad)
    line.rejected(bad, InputError("nan"))
    (waiting,) = line.take(Kind.OTHER)
    line.rejected(waiting, InputError("refused while waiting"))
    (good,) = line.take(Kind.GRADIENT)
    assert (line.draw(good), good.reused) == (1, False)


def test_a_reused_number_stays_reused_when_given_back_unsent() -> None:
    """The server may still have counted it."""
    line = RequestOrder()
    (bad,) = line.take(Kind.OTHER)
    line.draw(bad)
    line.sent(bad)
    line.rejected(bad, REFUSED)
    (dropped,) = line.take(Kind.OTHER)
    line.draw(dropped)
    assert line.cancelled(dropped.call)
    (again,) = line.take(Kind.OTHER)
    assert (line.draw(again), again.reused) == (1, True)


@pytest.mark.parametrize("error", [LOST, ConflictError("other content", applied="unknown")])
def test_an_unknown_outcome_poisons(error: TinkerError) -> None:
    """The number stays spent, what waits fails, later calls fail fast with the cause."""
    line = RequestOrder()
    (first,) = line.take(Kind.GRADIENT)
    (second,) = line.take(Kind.STEP)
    line.draw(first)
    line.sent(first)
    assert errors_of(line.rejected(first, error)) == [(first, type(error)), (second, ClientPoisonedError)]
    assert (first.seq_id, line.next_id, line.waiting) == (1, 2, 0)
    with pytest.raises(ClientPoisonedError) as caught:
        line.take(Kind.OTHER)
    assert caught.value.__cause__ is error
    assert caught.value.applied == "no"


def test_a_conflict_about_a_name_gives_its_number_back_each_time() -> None:
    """Two saves under a name that is taken leave no gap, and the next save has the number of both."""
    line = RequestOrder()
    for _ in range(2):
        (save,) = line.take(Kind.OTHER)
        assert line.draw(save) == 1
        line.sent(save)
        line.rejected(save, ConflictError("Checkpoint 'a' already exists", status_code=409, applied="no"))
    (other,) = line.take(Kind.OTHER)
    assert (line.draw(other), line.poison) == (1, None)


def test_a_refusal_after_an_unknown_try_proves_nothing() -> None:
    """400 after a reset: the first try may have been applied."""
    line = RequestOrder()
    (place,) = line.take(Kind.GRADIENT)
    line.draw(place)
    line.sent(place)
    line.unsure(place)
    line.sent(place)
    line.rejected(place, REFUSED)
    assert line.poison is REFUSED
    assert line.next_id == 2


def test_poison_is_told_once() -> None:
    """The first cause stays the cause."""
    line = RequestOrder()
    line.poisoned(LOST)
    line.poisoned(FAILED)
    assert line.poison is LOST


def test_a_409_on_the_first_reuse_takes_the_next_number() -> None:
    """The server had counted the request that gave the number back; that is the only such case."""
    line = RequestOrder()
    (bad,) = line.take(Kind.OTHER)
    line.draw(bad)
    line.sent(bad)
    assert line.redraw(bad) is None, "a fresh number that meets 409 is fatal"
    line.rejected(bad, REFUSED)
    (good,) = line.take(Kind.OTHER)
    line.draw(good)
    assert line.redraw(good) is None, "nothing was sent yet"
    line.sent(good)
    assert line.redraw(good) == 2
    line.sent(good)
    assert line.redraw(good) is None, "only the first reuse"
    line.accepted(good)
    assert line.next_id == 3


def test_a_409_after_an_unknown_try_is_not_the_exception() -> None:
    """The number may be taken by our own earlier bytes."""
    line = RequestOrder()
    (bad,) = line.take(Kind.OTHER)
    line.draw(bad)
    line.sent(bad)
    line.rejected(bad, REFUSED)
    (good,) = line.take(Kind.OTHER)
    line.draw(good)
    line.sent(good)
    line.unsure(good)
    assert line.redraw(good) is None


def test_a_later_chunk_refused_is_a_partial_batch() -> None:
    """The first chunk's gradient is on the server: nothing may be built on it."""
    line = RequestOrder()
    one, two, three = line.take(Kind.GRADIENT, 3)
    (step,) = line.take(Kind.STEP)
    submit(line, one)
    line.draw(two)
    line.sent(two)
    fallout = line.rejected(two, REFUSED)
    assert errors_of(fallout) == [
        (two, PartialBatchError),
        (three, ClientPoisonedError),
        (step, ClientPoisonedError),
    ]
    partial = fallout.failed[0].error
    assert isinstance(partial, PartialBatchError)
    assert (partial.chunks_applied, partial.chunks_failed) == ((0,), (1, 2))
    assert line.poison is partial


def test_a_forward_in_parts_is_never_partial() -> None:
    """Forward leaves no gradient, so a failed chunk of it spoils nothing."""
    line = RequestOrder()
    one, two = line.take(Kind.OTHER, 2)
    submit(line, one)
    line.draw(two)
    line.sent(two)
    assert errors_of(line.rejected(two, REFUSED)) == [(two, BadRequestError)]
    assert line.poison is None
    assert errors_of(line.finished(one, FAILED)) == [(one, RequestFailedError)]


def test_cancel_before_sending_loses_nothing() -> None:
    """The whole call leaves, its number goes back, the others go on."""
    line = RequestOrder()
    one, two = line.take(Kind.GRADIENT, 2)
    (step,) = line.take(Kind.STEP)
    line.draw(one)
    assert line.cancelled(one.call)
    assert (one.phase, two.phase, line.head) == (Phase.FAILED, Phase.FAILED, step)
    assert line.draw(step) == 1


def test_cancel_after_sending_is_too_late() -> None:
    """The call goes on without its owner: half a batch would be worse."""
    line = RequestOrder()
    one, two = line.take(Kind.GRADIENT, 2)
    line.draw(one)
    line.sent(one)
    assert not line.cancelled(one.call)
    line.accepted(one)
    assert line.head is two


def test_results_mode_holds_the_step() -> None:
    """With optim_after="results" a step waits for every gradient before it; nothing else does."""
    line = RequestOrder(optim_after="results")
    one, two = line.take(Kind.GRADIENT, 2)
    (step,) = line.take(Kind.STEP)
    submit(line, one)
    submit(line, two)
    assert line.head is None
    line.finished(two)
    assert line.head is None
    line.finished(one)
    assert line.head is step
    submit(line, step)
    (other,) = line.take(Kind.OTHER)
    assert line.head is other


def test_results_mode_never_steps_on_a_lost_gradient() -> None:
    """The step fails unsent; a call that failed whole leaves the client usable."""
    line = RequestOrder(optim_after="results")
    (one,) = line.take(Kind.GRADIENT)
    (step,) = line.take(Kind.STEP)
    (save,) = line.take(Kind.OTHER)
    submit(line, one)
    fallout = line.finished(one, FAILED)
    assert errors_of(fallout) == [(one, RequestFailedError), (step, PartialBatchError), (save, TinkerError)]
    assert fallout.failed[1].error.applied == "no"
    (after,) = line.take(Kind.GRADIENT)
    assert (line.poison, line.head, step.seq_id) == (None, after, None)


def test_a_promise_that_fails_with_nothing_built_on_it_spoils_nothing() -> None:
    """Gradients that wait behind it go on; they are other calls."""
    line = RequestOrder()
    (one,) = line.take(Kind.GRADIENT)
    (two,) = line.take(Kind.GRADIENT)
    submit(line, one)
    assert errors_of(line.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert line.head is two


def test_a_chunk_lost_while_others_are_there_is_a_partial_batch() -> None:
    """Gradients of the same call are on the server: poison, whatever waits."""
    line = RequestOrder(optim_after="results")
    one, two = line.take(Kind.GRADIENT, 2)
    (step,) = line.take(Kind.STEP)
    submit(line, one)
    submit(line, two)
    line.finished(one)
    assert errors_of(line.finished(two, FAILED)) == [(two, PartialBatchError), (step, ClientPoisonedError)]
    assert isinstance(line.poison, PartialBatchError)


def test_an_accepted_step_on_a_lost_gradient_fails_as_applied() -> None:
    """optim_after="accepted": the step ran on part of its batch, so it says applied="yes", and poisons."""
    line = RequestOrder()
    (one,) = line.take(Kind.GRADIENT)
    two, three = line.take(Kind.GRADIENT, 2)
    (step,) = line.take(Kind.STEP)
    (later,) = line.take(Kind.GRADIENT)
    for place in (one, two, three, step):
        submit(line, place)
    assert line.finished(step) == Settlement(), "its result waits for the gradients"
    assert line.finished(one) == Settlement(ready=[one])
    assert line.finished(two) == Settlement(ready=[two])
    fallout = line.finished(three, FAILED)
    assert errors_of(fallout) == [
        (three, PartialBatchError),
        (step, PartialBatchError),
        (later, ClientPoisonedError),
    ]
    assert [item.error.applied for item in fallout.failed] == ["unknown", "yes", "no"]


def test_a_step_fails_once_even_if_two_gradients_do() -> None:
    """The second lost gradient has nobody left to tell."""
    line = RequestOrder()
    (one,) = line.take(Kind.GRADIENT)
    (two,) = line.take(Kind.GRADIENT)
    (step,) = line.take(Kind.STEP)
    for place in (one, two, step):
        submit(line, place)
    assert errors_of(line.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert isinstance(line.poison, PartialBatchError)
    fallout = line.finished(step)
    assert errors_of(fallout) == [(step, PartialBatchError)]
    assert fallout.failed[0].error.applied == "yes"
    assert errors_of(line.finished(two, FAILED)) == [(two, RequestFailedError)]
    assert line.finished(step) == Settlement(), "its future has its error already"


def test_a_step_that_failed_itself_was_not_applied() -> None:
    """A step on a lost gradient that the server fails too has its own error, which says applied="no"."""
    line = RequestOrder()
    (one,) = line.take(Kind.GRADIENT)
    (step,) = line.take(Kind.STEP)
    submit(line, one)
    submit(line, step)
    line.finished(one, FAILED)
    assert errors_of(line.finished(step, FAILED)) == [(step, RequestFailedError)]


def test_a_steps_result_is_handed_out_after_its_gradients() -> None:
    """The last gradient's result releases the step's."""
    line = RequestOrder()
    (one,) = line.take(Kind.GRADIENT)
    (step,) = line.take(Kind.STEP)
    submit(line, one)
    submit(line, step)
    assert line.finished(step).ready == []
    assert line.finished(one).ready == [one, step]
    (alone,) = line.take(Kind.STEP)
    submit(line, alone)
    assert line.finished(alone).ready == [alone]


def test_gradients_settled_first_leave_the_step_alone() -> None:
    """The usual order: gradients, then the step."""
    line = RequestOrder()
    (one,) = line.take(Kind.GRADIENT)
    (step,) = line.take(Kind.STEP)
    submit(line, one)
    submit(line, step)
    assert line.finished(one).ready == [one]
    assert line.finished(step).ready == [step]


def test_a_step_under_way_meets_the_loss_of_its_gradient() -> None:
    """The gradient fails while the step is being sent: once accepted it poisons, and fails as applied."""
    line = RequestOrder()
    (one,) = line.take(Kind.GRADIENT)
    (step,) = line.take(Kind.STEP)
    submit(line, one)
    line.draw(step)
    line.sent(step)
    assert errors_of(line.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert line.accepted(step) == Settlement()
    assert isinstance(line.poison, PartialBatchError)
    fallout = line.finished(step)
    assert errors_of(fallout) == [(step, PartialBatchError)]
    assert fallout.failed[0].error.applied == "yes"


def test_a_step_under_way_meets_the_loss_of_half_a_batch() -> None:
    """One of two chunks fails while the step is being sent: the step says that it ran on the other."""
    line = RequestOrder()
    one, two = line.take(Kind.GRADIENT, 2)
    (step,) = line.take(Kind.STEP)
    submit(line, one)
    submit(line, two)
    line.draw(step)
    line.sent(step)
    line.finished(one)
    assert errors_of(line.finished(two, FAILED)) == [(two, PartialBatchError)]
    assert line.accepted(step) == Settlement()
    fallout = line.finished(step)
    assert errors_of(fallout) == [(step, PartialBatchError)]
    assert fallout.failed[0].error.applied == "yes"


def test_a_chunk_under_way_meets_the_loss_of_another() -> None:
    """A chunk accepted after its sibling failed is half a batch."""
    line = RequestOrder()
    one, two = line.take(Kind.GRADIENT, 2)
    submit(line, one)
    line.draw(two)
    line.sent(two)
    assert errors_of(line.finished(one, FAILED)) == [(one, RequestFailedError)]
    assert line.poison is None
    assert errors_of(line.accepted(two)) == [(two, PartialBatchError)]
    assert isinstance(line.poison, PartialBatchError)


def test_a_doomed_chunk_that_is_refused_is_just_refused() -> None:
    """Nothing of the call is on the server, so the client stays usable."""
    line = RequestOrder()
    one, two = line.take(Kind.GRADIENT, 2)
    submit(line, one)
    line.draw(two)
    line.sent(two)
    line.finished(one, FAILED)
    assert errors_of(line.rejected(two, REFUSED)) == [(two, BadRequestError)]
    assert line.poison is None


def test_a_loss_while_an_unrelated_request_is_sent_touches_it_not() -> None:
    """A save under way does not build on the lost gradient."""
    line = RequestOrder()
    (one,) = line.take(Kind.GRADIENT)
    (save,) = line.take(Kind.OTHER)
    submit(line, one)
    line.draw(save)
    assert errors_of(line.finished(one, FAILED)) == [(one, RequestFailedError)]
    line.sent(save)
    assert line.accepted(save) == Settlement()


def test_waiting_chunks_of_a_lost_call_are_not_sent() -> None:
    """Chunk 1's promise fails before chunk 2 was sent: chunk 2 stays, and the client is usable."""
    line = RequestOrder()
    one, two = line.take(Kind.GRADIENT, 2)
    (other,) = line.take(Kind.GRADIENT)
    submit(line, one)
    assert errors_of(line.finished(one, FAILED)) == [(one, RequestFailedError), (two, RequestFailedError)]
    assert (line.head, line.poison) == (other, None)


def test_what_belongs_to_the_creation_goes_first() -> None:
    """A place taken ahead is before all that waits, and cannot be had once something has begun."""
    line = RequestOrder()
    (waiting,) = line.take(Kind.STEP)
    first, second = line.take(Kind.OTHER, 2, ahead=True)
    assert [submit(line, place) and place.seq_id for place in (first, second, waiting)] == [1, 2, 3]
    (begun,) = line.take(Kind.OTHER)
    line.draw(begun)
    with pytest.raises(AssertionError):
        line.take(Kind.OTHER, ahead=True)


def test_a_call_is_cut_anew_where_it_stands() -> None:
    """More or fewer chunks of a call that has not begun keep its place between its neighbours."""
    line = RequestOrder()
    (before,) = line.take(Kind.OTHER)
    (one,) = line.take(Kind.GRADIENT)
    (after,) = line.take(Kind.STEP)
    three = line.replanned(one.call, 3)
    assert [place.chunk for place in three] == [0, 1, 2]
    assert [submit(line, place) and place.seq_id for place in (before, *three, after)] == [1, 2, 3, 4, 5]
    assert len(after.gradients) == 3
    with pytest.raises(AssertionError):
        line.replanned(one.call, 1)
