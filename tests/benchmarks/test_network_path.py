"""The times at which the relay of the benchmarks lets bytes arrive."""

import pytest

from benchmarks.network_path import SPARE_BYTES, Flow, Link, Path, Proof, faults

SLOW = Path(rtt_s=0.08, jitter_s=0.004, bytes_per_s=6_250_000.0)


def test_a_byte_takes_half_of_the_round_trip_each_way() -> None:
    """Delay is the same both ways, and jitter adds up to its half."""
    assert Link(SLOW).arrival_s(10.0, 0, 0.0) == pytest.approx(10.04)
    assert Link(SLOW).arrival_s(10.0, 0, 0.5) == pytest.approx(10.041)


def test_bytes_are_paced_to_the_bandwidth() -> None:
    """A second's worth of bytes arrives a second and the delay later."""
    assert Link(SLOW).arrival_s(10.0, 6_250_000, 0.0) == pytest.approx(11.04)


def test_connections_share_the_bandwidth_of_a_direction() -> None:
    """What is sent while the link is busy leaves behind what is there."""
    link = Link(SLOW)
    link.arrival_s(10.0, 6_250_000, 0.0)
    assert link.arrival_s(10.5, 625_000, 0.0) == pytest.approx(11.14)
    assert link.arrival_s(20.0, 625_000, 0.0) == pytest.approx(20.14)


def test_jitter_does_not_change_the_order_within_a_connection() -> None:
    """Bytes that are lucky wait for those before them; another connection may overtake."""
    link = Link(SLOW)
    flow, other = Flow(SLOW, link), Flow(SLOW, link)
    late_s = flow.send(10.0, 0, 1.0)
    assert flow.send(10.0, 0, 0.0) == late_s
    assert other.send(10.0, 0, 0.0) < late_s


def test_a_window_bounds_what_is_on_the_way() -> None:
    """A sender waits when the path is full, and goes on when something has arrived."""
    flow = Flow(SLOW, Link(SLOW))
    flow.send(10.0, int(SLOW.window_bytes) + 1, 0.0)
    assert flow.is_full
    flow.arrived(2)
    assert not flow.is_full
    assert SLOW.window_bytes > SLOW.bytes_per_s * SLOW.rtt_s + SPARE_BYTES


@pytest.mark.parametrize(
    ("mbit", "read_bytes"), [(1, 1500), (50, 6250), (1000, 125_000), (100_000, 256 * 1024)]
)
def test_reads_are_a_millisecond_of_the_link(mbit: int, read_bytes: int) -> None:
    """No connection holds the link for long, and no read is smaller than a packet."""
    assert Path(0.0, 0.0, mbit * 125_000.0).read_bytes == read_bytes


def test_a_path_names_itself() -> None:
    """As tables have it."""
    assert SLOW.name == "80 ms, 50 Mbit/s"
    assert Path(0.001, 0.0, 125_000_000.0).name == "1 ms, 1 Gbit/s"


KEPT = Proof(0.0825, 0.085, 0.165, 1.085, 6_250_000, 0.1)


def test_a_relay_that_keeps_its_path_has_no_fault() -> None:
    """Medians within a millisecond and 3 %, a stream within 5 %."""
    assert faults(SLOW, KEPT) == []


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        (KEPT._replace(rtt_s=0.07), "a round trip takes 70.00 ms, not 82.00"),
        (KEPT._replace(rtt_s=0.09), "a round trip takes 90.00 ms"),
        (KEPT._replace(first_s=0.08), "a first byte takes 80.00 ms, not 164.00"),
        (KEPT._replace(stream_s=0.9), "6250000 bytes take 0.900 s, not 1.082"),
        (KEPT._replace(stream_s=1.3), "6250000 bytes take 1.300 s"),
    ],
)
def test_a_relay_that_does_not_is_named(proof: Proof, words: str) -> None:
    """Too fast is as wrong as too slow."""
    [found] = faults(SLOW, proof)
    assert words in found
