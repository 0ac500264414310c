"""What a server's flags and its answer to the probe mean, by tables written by hand."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from tinsmith.core.config import ChunkLimits, ClientConfig, FlowLimits, PollPolicy, RetryConfig, Secret
from tinsmith.core.negotiation import (
    PROBE,
    PROBE_MODEL,
    WORTH_ASKING_BYTES,
    context_tokens,
    encoding_shown_by,
    known_encoding,
    limits_of,
    probes_again,
    read_flags,
    sends_chunks_at_once,
    shows_protobuf,
)
from tinsmith.core.server_profiles import (
    HATCHERY,
    HOSTED,
    SKYRL_0_3,
    SKYRL_0_4,
    TINSMITH,
    TUFT,
    UNKNOWN,
    ServerProfile,
)
from tinsmith_api.models import ClientConfigResponse, ClientDynamicConfigResponse, SupportedModel


def config(**settings: Any) -> ClientConfig:
    """Make the settings of a client of some server."""
    given: dict[str, Any] = {"base_url": "http://127.0.0.1:1/", "api_key": Secret("tml-x"), **settings}
    return ClientConfig(**given)


def test_the_context_of_a_model() -> None:
    """It is found under any of its names; a server need not say it."""
    offered = [SupportedModel(model_name="a"), SupportedModel(model_name="b", max_context_length=8)]
    assert context_tokens(offered, "a", "b") == 8
    assert context_tokens(offered, "a") is None
    assert context_tokens(offered, "c") is None


COMPRESSED = ClientConfigResponse(proto_compress_fwdbwd=True)


@pytest.mark.parametrize(
    ("settings", "flags", "expected"),
    [
        ({}, None, None),
        ({}, ClientConfigResponse(), None),
        ({}, COMPRESSED, "protobuf"),
        ({"encoding": "json"}, COMPRESSED, "json"),
        ({"encoding": "json"}, None, "json"),
        ({"encoding": "protobuf"}, None, "protobuf"),
        ({"encoding": "protobuf", "base_url": "local:"}, None, "protobuf"),
    ],
)
def test_what_settles_the_encoding(
    settings: dict[str, Any], flags: ClientConfigResponse | None, expected: str | None
) -> None:
    """What the user forces wins over what the flags say; without either a probe is needed."""
    assert known_encoding(config(**settings), flags) == expected


def test_the_embedded_service_is_not_probed() -> None:
    """It is known what it parses."""
    assert known_encoding(config(base_url="local:"), None) is not None


PROBE_SHOWS = {
    415: "protobuf",
    **dict.fromkeys((400, 404, 405, 409, 413, 422, 500), "json"),
    **dict.fromkeys((200, 201, 202), "json"),
    **dict.fromkeys((301, 401, 402, 403, 408, 410, 425, 429, 501, 502, 503, 504, 520), None),
}


@pytest.mark.parametrize(("status", "expected"), PROBE_SHOWS.items())
def test_what_the_answer_to_the_probe_shows(status: int, expected: str | None) -> None:
    """415 says that JSON is not parsed, a refusal of the body that it is; the rest says nothing."""
    assert encoding_shown_by(status) == expected


def test_the_probe_names_nothing() -> None:
    """No model and no number stand in the probe, so that no server can apply or count it."""
    assert PROBE == b"{}"


@pytest.mark.parametrize(
    ("settings", "profile", "found", "size", "asked"),
    [
        ({}, UNKNOWN, "json", WORTH_ASKING_BYTES, True),
        ({}, UNKNOWN, "json", WORTH_ASKING_BYTES - 1, False),
        ({}, UNKNOWN, "protobuf", WORTH_ASKING_BYTES, False),
        ({"encoding": "json"}, UNKNOWN, "json", WORTH_ASKING_BYTES, False),
        ({}, SKYRL_0_3, "json", WORTH_ASKING_BYTES, False),
    ],
)
def test_when_a_second_probe_is_worth_its_round_trip(
    settings: dict[str, Any], profile: ServerProfile, found: Any, size: int, asked: bool
) -> None:
    """For a large batch, on a server that parses JSON and is none that is known."""
    assert probes_again(config(**settings), profile, found, size) is asked


@pytest.mark.parametrize(
    ("status", "text", "read"),
    [
        (404, f'{{"detail": "Model not found: {PROBE_MODEL}"}}', True),
        (410, '{"detail": "Unknown model"}', True),
        (404, '{"detail": "Not Found"}', False),
        (422, '{"detail": [{"loc": ["body"], "msg": "no model"}]}', False),
        (500, "Internal Server Error", False),
        (415, "", False),
        (200, '{"request_id": "1"}', False),
    ],
)
def test_what_the_second_probe_shows(status: int, text: str, read: bool) -> None:
    """Only a server that misses the model has read its name."""
    assert shows_protobuf(status, text) is read


def test_flags_of_the_right_kind_are_read() -> None:
    """Unknown flags do no harm, missing ones have their documented default, null means missing."""
    flags, ignored = read_flags(
        ClientConfigResponse,
        {
            "pjwt_auth_enabled": True,
            "fwdbwd_max_chunk_len": 7,
            "billing_exception_max_pause_duration_sec": 30,
            "credential_default_source": "credential_cmd",
            "sample_no_retries": None,
            "brand_new": [1],
        },
    )
    assert ignored == []
    assert flags == ClientConfigResponse(
        pjwt_auth_enabled=True,
        fwdbwd_max_chunk_len=7,
        billing_exception_max_pause_duration_sec=30,
        credential_default_source="credential_cmd",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pjwt_auth_enabled", 1),
        ("pjwt_auth_enabled", "true"),
        ("fwdbwd_max_chunk_len", True),
        ("fwdbwd_max_chunk_len", "7"),
        ("fwdbwd_max_chunk_len", 7.0),
        ("fwdbwd_max_chunk_len", 0),
        ("fwdbwd_max_chunk_len", -1),
        ("billing_exception_max_pause_duration_sec", "3600"),
        ("billing_exception_max_pause_duration_sec", -3.0),
        ("credential_default_source", 3),
    ],
)
def test_a_flag_of_another_kind_is_ignored_and_named(name: str, value: object) -> None:
    """The default holds, and the caller learns which flag it was."""
    assert read_flags(ClientConfigResponse, {name: value}) == (ClientConfigResponse(), [name])


@pytest.mark.parametrize("payload", [None, [], "flags", 3])
def test_an_answer_that_is_no_object_has_no_flags(payload: object) -> None:
    """Every flag has its default."""
    assert read_flags(ClientDynamicConfigResponse, payload) == (ClientDynamicConfigResponse(), [])


def test_without_flags_the_clients_own_limits_hold() -> None:
    """A server without client/config gets what servers of its time take."""
    limits = limits_of(config(), None)
    assert limits.chunks == ChunkLimits()
    assert (limits.samples_in_flight, limits.billing_patience_s) == (1000, 3600.0)


def test_the_servers_limits_replace_ours() -> None:
    """Chunks, budgets, samples in flight and the pause for billing are the server's."""
    flags = ClientConfigResponse(
        fwdbwd_max_chunk_len=5,
        fwdbwd_max_chunk_bytes_count=900,
        fwdbwd_dispatch_bytes_semaphore_size=11,
        sample_dispatch_bytes_semaphore_size=12,
        inflight_response_bytes_semaphore_size=13,
        sample_max_concurrent_requests=3000,
        billing_exception_max_pause_duration_sec=9999,
    )
    limits = limits_of(config(), flags)
    assert limits.chunks == ChunkLimits(max_items=None, max_datums=5, max_bytes=900)
    assert (limits.upload_bytes, limits.sample_bytes, limits.response_bytes) == (11, 12, 13)
    assert (limits.samples_in_flight, limits.billing_patience_s) == (3000, 9999.0)


@pytest.mark.parametrize(
    ("own", "theirs", "expected"), [(10, 20, 10), (20, 10, 10), (None, 10, 10), (1000, 20, 20)]
)
def test_what_the_user_set_is_only_lowered(own: int | None, theirs: int, expected: int) -> None:
    """A limit that the user chose holds below the server's; the default gives way."""
    mine = config(retry=RetryConfig(max_connections=own))
    flags = ClientConfigResponse(sample_max_concurrent_requests=theirs)
    assert limits_of(mine, flags).samples_in_flight == expected


def test_every_limit_of_the_user_holds_below_the_servers() -> None:
    """Chunks, budgets and the pause for billing too."""
    mine = config(
        chunk_limits=ChunkLimits(max_items=7, max_datums=2, max_bytes=90),
        flow=FlowLimits(upload_bytes=1, sample_bytes=2, response_bytes=3),
        poll=attrs.evolve(PollPolicy(), billing_patience_s=4.0),
    )
    limits = limits_of(mine, ClientConfigResponse())
    assert limits.chunks == ChunkLimits(max_items=7, max_datums=2, max_bytes=90)
    assert (limits.upload_bytes, limits.sample_bytes, limits.response_bytes) == (1, 2, 3)
    assert limits.billing_patience_s == 4.0


@pytest.mark.parametrize("chosen", [None, True, False])
@pytest.mark.parametrize("may_resend", [True, False])
@pytest.mark.parametrize(
    ("profile", "silent", "yes", "no"),
    [
        (HOSTED, True, True, False),
        (SKYRL_0_3, False, False, False),
        (SKYRL_0_4, False, False, False),
        (TUFT, False, False, False),
        (HATCHERY, False, False, False),
        (TINSMITH, True, True, True),
        (UNKNOWN, False, True, False),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_who_gets_the_chunks_of_a_batch_together(
    profile: ServerProfile, silent: bool, yes: bool, no: bool, may_resend: bool, chosen: bool | None
) -> None:
    """Where the server orders by number, by what it is or says, or where the user says so."""
    for flag, expected in ((None, silent), (True, yes), (False, no), ("yes", silent)):
        wanted = expected if chosen is None else chosen
        found = sends_chunks_at_once(chosen, profile, flag, may_resend=may_resend)
        assert found == (wanted and may_resend), (flag, found)
