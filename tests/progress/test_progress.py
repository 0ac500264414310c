"""The two observers that come with the package: a live line and a log line."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from tinsmith import AdamParams, ServiceClient, testing
from tinsmith.io.events import Progress, QueueStateChanged, StillWaiting
from tinsmith.progress import ProgressDisplay, ProgressLog, StepDisplay, TrainingDisplay

from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def service() -> Iterator[testing.LedgerService]:
    """Run a service in memory."""
    with testing.frozen_clock():
        yield testing.LedgerService()


def test_display_shows_counts_errors_and_waits() -> None:
    """The live line has the counts, the errors by kind, and what a long wait waits for."""
    sink = io.StringIO()
    console = Console(file=sink, force_terminal=True, width=200)
    with ProgressDisplay(console) as display:
        display(StillWaiting("optim_step", "capacity at the server", 61.0, "r"))
        display(Progress(3, 2, 5, 1, {"status 502": 4}))
        display._bar.refresh()
        text = sink.getvalue()
        display(QueueStateChanged("r", "optim_step", "m", "paused_rate_limit", "too many models"))
        display(Progress(0, 1, 9, 1, {}))
        display._bar.refresh()
    assert "3 waiting, 2 in flight; 4 x status 502; optim_step waits 61 s for capacity at the server" in text
    assert "6/11" in text
    assert "paused_rate_limit (too many models)" in sink.getvalue()


def test_display_without_a_terminal() -> None:
    """A file gets a line now and then and one at the end, and no bar."""
    sink, now = io.StringIO(), [0.0]
    console = Console(file=sink, width=40)
    with ProgressDisplay(console, every_s=30.0, clock=lambda: now[0]) as display:
        display(Progress(3, 2, 5, 0, {}))
        now[0] = 31.0
        display(StillWaiting("optim_step", "its turn", 60.0))
        display(Progress(3, 2, 6, 0, {"reset": 1}))
        display(Progress(2, 2, 7, 0, {"reset": 1}))
        display(Progress(0, 0, 11, 0, {"reset": 1}))
    assert sink.getvalue() == (
        "requests 6/11: 3 waiting, 2 in flight; 1 x reset; optim_step waits 60 s for its turn\n"
        "requests 11/11: 0 waiting, 0 in flight; 1 x reset\n"
    )
    with ProgressDisplay(Console(file=sink)):
        pass
    assert sink.getvalue().count("\n") == 2


def test_log_tells_errors_since_the_last_line(caplog: pytest.LogCaptureFixture) -> None:
    """A line comes every so often, and counts each error once."""
    now = [0.0]
    log = ProgressLog(30.0, clock=lambda: now[0])
    with caplog.at_level(logging.INFO):
        log(Progress(1, 1, 0, 0, {"status 502": 1}))
        now[0] = 31.0
        log(Progress(1, 1, 1, 0, {"status 502": 2}))
        now[0] = 62.0
        log(Progress(1, 1, 2, 0, {"status 502": 2, "connection reset": 1}))
        log(StillWaiting("forward", "the server", 60.0))
    assert caplog.messages == [
        "waiting=1 in_flight=1 done=1 failed=0 errors={'status 502': 2}",
        "waiting=1 in_flight=1 done=2 failed=0 errors={'connection reset': 1}",
        "forward waits 60 s for the server",
    ]
    assert caplog.records[1].__dict__["tinsmith"]["errors"] == {"connection reset": 1}


def test_steps_are_shown_with_their_number() -> None:
    """A terminal has the title with the count, and the step; text with brackets is shown as it is."""
    sink = io.StringIO()
    with StepDisplay("Checking", console=Console(file=sink, force_terminal=True, width=80)) as display:
        display.step("healthz, service")
        display.step("asample, [sample]")
        display._bar.refresh()
    assert "Checking: request 2" in sink.getvalue()
    assert "asample, [sample]" in sink.getvalue()
    hidden = io.StringIO()
    with StepDisplay("Checking", shown=False, console=Console(file=hidden, force_terminal=True)) as display:
        display.step("healthz")
    assert hidden.getvalue() == ""


def test_both_watch_a_client(service: testing.LedgerService, caplog: pytest.LogCaptureFixture) -> None:
    """Observers are added and removed while a client works."""
    sink = io.StringIO()
    log = ProgressLog(0.0)
    with (
        caplog.at_level(logging.INFO, "tinsmith.progress"),
        ProgressDisplay(Console(file=sink, force_terminal=True, width=120)) as display,
        ServiceClient(**service.settings(observer=display)) as client,
    ):
        client.add_observer(log)
        trainer = client.create_lora_training_client("tinsmith/tiny")
        trainer.optim_step(AdamParams()).result(WAIT_S)
        client.remove_observer(log)
    lines = len(caplog.messages)
    assert lines >= 2
    assert "requests" in sink.getvalue()


def test_training_in_a_terminal() -> None:
    """The live line has the step, both losses, the speed, and the time that the other steps will take."""
    sink, now = io.StringIO(), [0.0]
    console = Console(file=sink, force_terminal=True, width=80)
    with TrainingDisplay(12, 2, console=console, clock=lambda: now[0]) as display:
        now[0] = 4.0
        display(3, {"loss": 1.25, "tokens": 300, "held_out_loss": 1.5})
        display.say("said above")
        now[0] = 8.0
        display(4, {"loss": 1.0, "tokens": 100})
        display._bar.refresh()
    text = sink.getvalue()
    assert "said above\n" in text
    assert "loss 1.0000, held-out 1.5000, 50 tokens/s, 0:00:32 left" in text
    assert "step 4/12" in text


def test_training_without_a_terminal() -> None:
    """A file gets a line for each held-out loss, and one now and then."""
    sink, now = io.StringIO(), [0.0]
    with TrainingDisplay(12, console=Console(file=sink), every_s=30.0, clock=lambda: now[0]) as display:
        display(0, {"held_out_loss": 1.5})
        for step in (1, 2, 3):
            now[0] += 20.0
            display(step, {"loss": 1.0, "tokens": 100})
    assert sink.getvalue() == (
        "step 0 of 12: held-out 1.5000\n"
        "step 2 of 12: loss 1.0000, held-out 1.5000, 5 tokens/s, 0:03:20 left\n"
    )
