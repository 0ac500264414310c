"""Nobody's sampling waits for all of somebody else's: counted in steps of the scheduler, never in seconds."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError

import numpy as np
import pytest
from attrs import evolve
from tinsmith_local.engine import slot_table, workers
from tinsmith_local.engine.jobs import DrawnToken, SampleHandle, SampleJob, StopRule
from tinsmith_local.engine.scheduler import Scheduler, sample
from tinsmith_local.work.notifier import Notifier
from tinsmith_local.work.sample_receivers import SampleStream

from tests.embedded.engine.models import random_model
from tests.embedded.engine.test_sampling import bits, finish

MODEL = random_model(max_context=8192)
RANDOM = np.random.default_rng(3)
LONG = SampleJob(
    owner="many",
    prompt=RANDOM.integers(0, 97, 4000),
    num_samples=1024,
    max_tokens=4000,
    stop=StopRule(),
    seed=1,
)
SMALL = SampleJob(owner="few", prompt=np.array([5, 17, 42]), max_tokens=6, seed=2, stop=StopRule())


def queue_of_long_ones(scheduler: Scheduler, owner: str = "many") -> list[SampleHandle]:
    """Hand in 20 x 1024 samples of 4000 tokens behind prompts of 4000 tokens."""
    prompts = [RANDOM.integers(0, 97, 4000) for _ in range(20)]
    return [scheduler.submit(evolve(LONG, owner=owner, prompt=prompt)) for prompt in prompts]


def steps_until_done(scheduler: Scheduler, handles: Sequence[SampleHandle], most: int) -> int:
    """Step until all of these are done; at most `most` times."""
    for count in range(1, most + 1):
        scheduler.step()
        if all(handle.done for handle in handles):
            return count
    raise AssertionError(f"not done after {most} steps")


@pytest.mark.parametrize("before", [0, 1, 2, 3, 40])
def test_a_small_sample_passes_a_queue_of_long_prompts(before: int) -> None:
    """6 tokens take at most 2 x 6 + 3 steps, though another's long prompts and samples fill every place."""
    scheduler = Scheduler(MODEL, max_batch=6)
    queue_of_long_ones(scheduler)
    for _ in range(before):
        scheduler.step()
    handle = scheduler.submit(SMALL)
    steps_until_done(scheduler, [handle], 15)
    assert handle.output is not None
    assert bits(handle.output) == bits(sample(MODEL, SMALL))


def test_a_group_of_another_owner_gets_slots_too() -> None:
    """Samples of a second owner take places of the first, not only one of them."""
    scheduler = Scheduler(MODEL, max_batch=6)
    queue_of_long_ones(scheduler)
    for _ in range(40):
        scheduler.step()
    handle = scheduler.submit(evolve(SMALL, num_samples=3))
    steps_until_done(scheduler, [handle], 25)


def test_short_work_of_the_same_owner_goes_between_slices() -> None:
    """Without owners, a short prompt waits for one slice of a long one, not for the prompt."""
    scheduler = Scheduler(MODEL)
    for _ in range(20):
        scheduler.submit(evolve(LONG, owner=None, num_samples=1))
    scheduler.step()
    steps_until_done(scheduler, [scheduler.submit(evolve(SMALL, owner=None))], 15)


def test_running_samples_go_on_between_slices() -> None:
    """A sample in flight gets its next token after each piece of prompt work at the latest."""
    scheduler = Scheduler(MODEL)
    handle = scheduler.submit(evolve(SMALL, max_tokens=20))
    scheduler.step()
    queue_of_long_ones(scheduler)
    steps_until_done(scheduler, [handle], 40)


def test_long_prompts_are_read_though_short_ones_never_end() -> None:
    """An endless stream of short prompts leaves every other piece of prompt work to the long one."""
    scheduler = Scheduler(MODEL)
    handle = scheduler.submit(evolve(LONG, num_samples=1, max_tokens=1))
    for count in range(40):
        scheduler.submit(evolve(SMALL, prompt=np.array([count]), max_tokens=50))
        scheduler.step()
    assert handle.done


def test_owners_are_served_in_rotation() -> None:
    """With one place, an owner's three jobs end among the first six of both, in their own order."""
    scheduler = Scheduler(MODEL, max_batch=1)
    job = evolve(SMALL, max_tokens=2)
    many = [scheduler.submit(evolve(job, owner="many", seed=index)) for index in range(12)]
    few = [scheduler.submit(evolve(job, seed=index)) for index in range(3)]
    done: list[SampleHandle] = []
    while not scheduler.idle:
        done += scheduler.step()
    places_of_few = [done.index(handle) for handle in few]
    assert places_of_few == sorted(places_of_few)
    assert places_of_few[-1] < 6
    assert [done.index(handle) for handle in many] == sorted(done.index(handle) for handle in many)


def test_preempted_samples_give_the_same_result() -> None:
    """What was begun twice has the bits of what was begun once."""
    scheduler = Scheduler(MODEL, max_batch=3)
    mine = evolve(SMALL, owner="many", num_samples=5, max_tokens=30)
    longer = evolve(LONG, prompt=LONG.prompt[:1500], num_samples=2, max_tokens=8)
    handles = [scheduler.submit(mine), scheduler.submit(longer)]
    small = []
    for _ in range(12):
        for _ in range(5):
            scheduler.step()
        small.append(scheduler.submit(SMALL))
    outputs = finish(scheduler, [*handles, *small])
    assert [bits(output) for output in outputs[:2]] == [bits(sample(MODEL, job)) for job in (mine, longer)]
    assert {str(bits(output)) for output in outputs[2:]} == {str(bits(sample(MODEL, SMALL)))}


def test_who_follows_a_preempted_sample_gets_each_token_once() -> None:
    """What is drawn again after a preemption is told again, and a stream hands it on once."""
    scheduler = Scheduler(MODEL, max_batch=3)
    streams = [SampleStream(str(seed), "many", Notifier()) for seed in range(5)]
    told: list[tuple[int, int]] = []
    handles = []
    for seed, stream in enumerate(streams):

        def follow(drawn: DrawnToken, seed: int = seed, stream: SampleStream = stream) -> None:
            told.append((seed, drawn.position))
            stream.follow(drawn)

        followed = evolve(SMALL, owner="many", max_tokens=30, seed=seed, follow=follow)
        handles.append(scheduler.submit(followed))
    for _ in range(12):
        for _ in range(5):
            scheduler.step()
        scheduler.submit(SMALL)
    finish(scheduler, handles)
    assert len(told) > len(set(told))
    for stream, handle in zip(streams, handles, strict=True):
        news = asyncio.run(stream.news(0.0))
        assert news is not None
        assert handle.output is not None
        assert [one.token for one in news.drawn] == handle.output.samples[0].tokens.tolist()


def test_the_oldest_sample_is_never_preempted() -> None:
    """Endless small samples take one of two places; the group in the other one gets done."""
    scheduler = Scheduler(MODEL, max_batch=2)
    group = scheduler.submit(evolve(SMALL, owner="many", num_samples=2, max_tokens=60))
    small = scheduler.submit(SMALL)
    for _ in range(400):
        scheduler.step()
        if small.done:
            small = scheduler.submit(SMALL)
    assert group.done


def test_a_sample_larger_than_half_the_memory_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small samples of another owner that keep coming do not keep the memory from it for ever."""
    monkeypatch.setattr(slot_table, "KV_BYTES", 200_000)
    scheduler = Scheduler(MODEL)
    large = None
    for count in range(120):
        scheduler.submit(evolve(SMALL, owner="many", seed=count, max_tokens=30))
        if count == 10:
            large = scheduler.submit(
                evolve(SMALL, max_tokens=1000, stop=StopRule(token_ids=frozenset(range(97))))
            )
        scheduler.step()
    assert large is not None
    assert large.done


def test_a_long_prompt_can_be_cancelled_between_slices() -> None:
    """The rest of it is not read, and what waited behind it is."""
    scheduler = Scheduler(MODEL)
    first, second = (scheduler.submit(evolve(LONG, num_samples=1, max_tokens=1)) for _ in range(2))
    scheduler.step()
    scheduler.cancel(first)
    steps_until_done(scheduler, [second], 9)
    assert isinstance(first.error, CancelledError)
    assert scheduler.idle


def test_a_new_team_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fork the old team's threads are gone: the scheduler asks them for nothing more."""
    old, new = workers.Team(1), workers.Team(1)
    monkeypatch.setattr(workers, "_team", old)
    scheduler = Scheduler(MODEL)
    handle = scheduler.submit(SMALL)
    scheduler.step()
    monkeypatch.setattr(workers, "_team", new)
    monkeypatch.setattr(old, "run", None)
    assert bits(finish(scheduler, [handle])[0])
