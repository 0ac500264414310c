"""How servers are recognised, by a table of answers that were seen, and that the data holds together."""

from __future__ import annotations

from typing import Any, get_args

import attrs
import pytest
from tinsmith.core.config import ClientConfig, Secret, ServerChoice
from tinsmith.core.negotiation import unreadable
from tinsmith.core.server_profiles import (
    HATCHERY,
    HOSTED,
    PROFILES,
    SKYRL,
    SKYRL_0_3,
    SKYRL_0_4,
    TINSMITH,
    TUFT,
    UNKNOWN,
    Clues,
    ServerProfile,
    profile_of,
    recognise,
    version_by_probe,
)
from tinsmith_api.operations import OPERATIONS

Seen = tuple[str, int, dict[str, str], object]


def seen(operation: str, answer: object, status: int = 200, **headers: str) -> Seen:
    """Make one answer as a client sees it."""
    return operation, status, headers, answer


SKYRL_CONFIG = seen("client_config", {"pjwt_auth_enabled": False})
SKYRL_SESSION = seen("create_session", {"type": "create_session", "session_id": "session_faa92868"})
SKYRL_MODEL = seen(
    "create_model",
    {"model_id": "model_fa667cb4", "base_model": "m", "status": "created", "request_id": "1"},
)
SKYRL_STEP = seen("optim_step", {"future_id": "4", "status": "pending", "request_id": "4"})
TUFT_SESSION = seen("create_session", {"session_id": "0b4e"}, 201)
TUFT_SAMPLER = seen("create_sampling_session", {"sampling_session_id": "0b4e"}, 201)
TUFT_PROMISE = seen("create_model", {"request_id": "77aa"}, 202)
HATCHERY_PROMISE = seen(
    "create_model",
    {"request_id": "fut_1", "future_id": "fut_1", "operation": "create_model", "status": "pending"},
)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], UNKNOWN),
        ([SKYRL_CONFIG], UNKNOWN),
        ([SKYRL_CONFIG, SKYRL_SESSION], SKYRL),
        ([SKYRL_MODEL], SKYRL),
        ([SKYRL_STEP], SKYRL),
        ([SKYRL_SESSION, SKYRL_MODEL, SKYRL_STEP], SKYRL),
        ([seen("client_config", {"proto_write_fwdbwd": True}), SKYRL_SESSION], SKYRL_0_4),
        ([TUFT_SESSION], UNKNOWN),
        ([TUFT_PROMISE], UNKNOWN),
        ([TUFT_SESSION, TUFT_PROMISE], TUFT),
        ([TUFT_SAMPLER, seen("asample", {"request_id": "1"}, 202)], TUFT),
        ([TUFT_SESSION, seen("session_heartbeat", {}, 202)], UNKNOWN),
        ([HATCHERY_PROMISE], HATCHERY),
        ([seen("client_config", {"max_pipelined_requests": 64})], HATCHERY),
        ([seen("get_server_capabilities", {"supported_models": [], "max_rank": 256})], HATCHERY),
        ([seen("get_server_capabilities", {"supported_models": [{"model_name": "m"}]})], UNKNOWN),
        ([seen("get_server_capabilities", {}, 404, server="tinsmith/1.0")], TINSMITH),
        ([seen("create_session", {"session_id": "s1"}), seen("create_model", {"request_id": "1"})], UNKNOWN),
        ([seen("create_session", {"session_id": "session-1"}, server="uvicorn")], UNKNOWN),
        ([seen("optim_step", {"future_id": 4, "request_id": "4"})], SKYRL),
        ([seen("optim_step", {"future_id": "f4", "request_id": "4"})], UNKNOWN),
        ([seen("optim_step", {"request_id": 4, "future_id": 4})], UNKNOWN),
        ([seen("optim_step", {"operation": "optim_step", "request_id": "4"})], UNKNOWN),
        ([seen("create_session", {"session_id": "session_faa92868"}, 500)], UNKNOWN),
        ([seen("create_session", None), seen("client_config", [1])], UNKNOWN),
        ([HATCHERY_PROMISE, SKYRL_SESSION], HATCHERY),
    ],
)
def test_servers_are_recognised_by_their_answers(answers: list[Seen], expected: ServerProfile) -> None:
    """Answers of section after section of a client's life; what is recognised for good stays."""
    clues = Clues()
    for answer in answers:
        clues = recognise(clues, *answer)
    assert clues.profile == expected


@pytest.mark.parametrize(
    ("profile", "found", "expected"),
    [
        (SKYRL, "json", SKYRL_0_3),
        (SKYRL, "protobuf", SKYRL_0_4),
        (UNKNOWN, "json", UNKNOWN),
        (UNKNOWN, "protobuf", UNKNOWN),
        (TUFT, "protobuf", TUFT),
    ],
)
def test_the_probe_tells_versions_apart(profile: ServerProfile, found: Any, expected: ServerProfile) -> None:
    """Only SkyRL answers alike until then."""
    assert version_by_probe(profile, found) == expected


def test_nothing_is_sent_again_before_the_version_is_known() -> None:
    """A SkyRL of any version is treated as the one that applies twice, and its encoding is asked for."""
    assert not SKYRL.deduplicates
    assert SKYRL.encoding is None
    assert not SKYRL.is_final
    assert SKYRL.name not in PROFILES


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, UNKNOWN),
        ({"base_url": "https://tinker.thinkingmachines.dev/services/other/"}, HOSTED),
        ({"base_url": "local:"}, TINSMITH),
        ({"server": "skyrl-0.3"}, SKYRL_0_3),
        ({"server": "unknown", "base_url": "local:"}, UNKNOWN),
    ],
)
def test_what_the_settings_tell(settings: dict[str, Any], expected: ServerProfile) -> None:
    """A name that the user gives wins over the address."""
    given = {"base_url": "http://127.0.0.1:1/", "api_key": Secret("tml-x"), **settings}
    assert profile_of(ClientConfig(**given)) is expected


def test_a_server_that_nobody_knows_is_refused() -> None:
    """A name that is no profile is refused at once."""
    name: Any = "vllm"
    with pytest.raises(ValueError, match="server"):
        ClientConfig(base_url="local:", server=name)


@pytest.mark.parametrize(
    ("profile", "deduplicates", "encoding"),
    [
        (HOSTED, True, "protobuf"),
        (SKYRL_0_3, False, "json"),
        (SKYRL_0_4, True, "protobuf"),
        (TUFT, True, "protobuf"),
        (HATCHERY, False, "json"),
        (TINSMITH, True, "protobuf"),
        (UNKNOWN, True, None),
    ],
)
def test_what_decides_over_a_second_send(
    profile: ServerProfile, deduplicates: bool, encoding: str | None
) -> None:
    """The two facts that cost most when they are wrong."""
    assert (profile.deduplicates, profile.encoding) == (deduplicates, encoding)


def test_the_table_is_complete() -> None:
    """A user may name each profile, and what it lacks are operations of the contract."""
    assert set(get_args(ServerChoice)) == {"auto", *PROFILES}
    for profile in (*PROFILES.values(), SKYRL):
        assert profile.lacks <= set(OPERATIONS)


@pytest.mark.parametrize(
    ("profile", "encoding", "read"),
    [
        (UNKNOWN, "protobuf", True),
        (SKYRL_0_3, "protobuf", False),
        (SKYRL_0_3, "json", True),
        (TUFT, "json", False),
        (HOSTED, "json", True),
        (attrs.evolve(SKYRL), "protobuf", True),
    ],
)
def test_what_a_server_cannot_read(profile: ServerProfile, encoding: Any, read: bool) -> None:
    """A form that a known server does not read is named before anything is sent."""
    problem = unreadable(encoding, profile)
    assert (problem is None) is read
    if problem is not None:
        assert profile.name in problem
        assert encoding in problem
