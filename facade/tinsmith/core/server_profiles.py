"""What is known of each kind of server, as data, and how a server is recognised by its answers.

Owns the table of server profiles. Sends nothing: `io` passes in the answers that come anyway, and the answer
to the one probe.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import attrs

from tinsmith.core.addresses import DEFAULT_BASE_URL
from tinsmith.core.codec.wire import Encoding

if TYPE_CHECKING:
    from tinsmith.core.config import ClientConfig

ServerName = Literal["hosted", "skyrl", "skyrl-0.3", "skyrl-0.4", "tuft", "hatchery", "tinsmith", "unknown"]
"""The names of the profiles."""


@attrs.frozen(kw_only=True)
class ServerProfile:
    """How one kind of server behaves where the protocol leaves a choice."""

    name: ServerName
    """Name of the profile."""
    reads: tuple[Encoding, ...] = ()
    """Encodings of batches that the server reads, the cheaper one first; empty if not known."""
    deduplicates: bool = True
    """Whether a request that is sent again under its number is applied once."""
    order: Literal["number", "arrival"] = "number"
    """What decides the order of training requests: their numbers, or their arrival."""
    chunks_at_once: Literal["yes", "yes unless flagged", "no unless flagged", "no"] = "no unless flagged"
    """Whether the chunks of one batch may be under way together: the server must take a number before those
    below it are there, and carry it out after them. `flagged` means that `parallel_fwdbwd_chunks` in its
    `client/config` says the opposite."""
    failure_status_500: bool = False
    """Whether a 500 with a `detail` on a poll is the failure of the promise."""
    bare_500_is_final: bool = False
    """Whether a 500 without a `detail` on a poll, when it stays, says that the result cannot be written."""
    prompt_logprobs_start: Literal["null", "omitted"] = "null"
    """Whether prompt logprobs have an entry for the first token (null), or none."""
    checkpoint_ids: Literal["kind and name", "name"] = "kind and name"
    """How a listing spells the id of a checkpoint: `weights/a`, or `a`."""
    loss_reduction: Literal["sum", "mean"] = "sum"
    """How the losses of the tokens of a batch are joined."""
    create_hold_s: float | None = None
    """Seconds for which `create_model` may be held before it is answered; None where it answers at once."""
    lacks: frozenset[str] = frozenset()
    """Operations of the contract that the server does not have, by operation id."""

    @property
    def encoding(self) -> Encoding | None:
        """How batches are written; None if not known."""
        return self.reads[0] if self.reads else None

    @property
    def is_final(self) -> bool:
        """Whether further answers cannot change the profile."""
        return self.name not in ("unknown", "skyrl")


_OURS_ALONE = frozenset({"get_tokenizer", "stream_sample"})
"""Extensions of the embedded service."""
_HOSTED_ALONE = frozenset(
    {
        "cancel_future",
        "client_dynamic_config",
        "copy_weights",
        "create_custom_loss",
        "delete_api_key",
        "export_session_trace",
        "finish_session",
        "get_api_key",
        "get_external_weights_urls",
        "join_sampling_session",
        "list_audit_log",
        "list_billing_usage_events",
        "list_checkpoint_storage_usage",
        "retrieve_futures",
        "save_weights_external",
        "search_sessions",
        "set_checkpoint_ttl",
        "set_session_project",
    }
)
"""Operations that neither SkyRL nor TuFT has."""
_SKYRL_LACKS = (
    _HOSTED_ALONE
    | _OURS_ALONE
    | {
        "auth_token",
        "get_session",
        "list_sessions",
        "list_user_checkpoints",
        "publish_checkpoint",
        "unpublish_checkpoint",
    }
)

HOSTED = ServerProfile(
    name="hosted", reads=("protobuf", "json"), chunks_at_once="yes unless flagged", lacks=_OURS_ALONE
)
"""The hosted service. Whether it still reads JSON is not known; `encoding="json"` is sent as it is. The
official client sends it the chunks of a batch together, and the first one last, unless the flag says no."""
SKYRL_0_3 = ServerProfile(
    name="skyrl-0.3",
    reads=("json",),
    deduplicates=False,
    order="arrival",
    chunks_at_once="no",
    bare_500_is_final=True,
    prompt_logprobs_start="omitted",
    checkpoint_ids="name",
    lacks=_SKYRL_LACKS | {"delete_checkpoint"},
)
"""SkyRL 0.3: numbers are not read at all."""
SKYRL_0_4 = ServerProfile(
    name="skyrl-0.4",
    reads=("protobuf",),
    order="arrival",
    chunks_at_once="no",
    prompt_logprobs_start="omitted",
    checkpoint_ids="name",
    lacks=_SKYRL_LACKS | {"forward"},
)
"""SkyRL 0.4 and later: numbers tell repetitions, and nothing else. A number that comes early is applied."""
SKYRL = attrs.evolve(SKYRL_0_3, name="skyrl", reads=(), lacks=_SKYRL_LACKS)
"""SkyRL whose version is not known yet: as careful as the older one. The probe decides."""
TUFT = ServerProfile(
    name="tuft",
    reads=("protobuf",),
    chunks_at_once="no",
    failure_status_500=True,
    lacks=_HOSTED_ALONE | _OURS_ALONE | {"forward"},
)
"""TuFT 0.2: a number that comes twice is refused, so that sending again is safe. One that comes early gets a
promise, which may fail; its flag says no."""
HATCHERY = ServerProfile(
    name="hatchery",
    reads=("json",),
    deduplicates=False,
    order="arrival",
    chunks_at_once="no",
    loss_reduction="mean",
    create_hold_s=600.0,
    lacks=_OURS_ALONE,
)
"""Hatchery 0.3: the second send of a number gets the first one's promise, and is applied again."""
TINSMITH = ServerProfile(name="tinsmith", reads=("protobuf", "json"), chunks_at_once="yes")
"""The embedded service, in process or behind `tinsmith serve`. It holds a number that comes early until those
below it are there. Its flag says no, for the official client sends the first chunk after the others."""
UNKNOWN = ServerProfile(name="unknown")
"""A server that was not recognised: assumed to deduplicate, with one warning."""

PROFILES: dict[ServerName, ServerProfile] = {
    profile.name: profile for profile in (HOSTED, SKYRL_0_3, SKYRL_0_4, TUFT, HATCHERY, TINSMITH, UNKNOWN)
}
"""All profiles that a user may name."""

_SKYRL_SESSION = re.compile(r"session_[0-9a-f]{8}")
_SESSIONS = frozenset({"create_session", "create_sampling_session"})


@attrs.frozen
class Clues:
    """What the answers of one server have shown so far."""

    profile: ServerProfile = UNKNOWN
    """The profile that fits."""
    made_201: bool = False
    """Whether a session was answered with 201."""
    writes_protobuf: bool = False
    """Whether its flags ask for batches as protobuf."""


def profile_of(config: ClientConfig) -> ServerProfile:
    """Return the profile that the settings show before the first answer, by its name or the address."""
    if config.server != "auto":
        return PROFILES[config.server]
    if config.local:
        return TINSMITH
    hosted = urlsplit(config.base_url).hostname == urlsplit(DEFAULT_BASE_URL).hostname
    return HOSTED if hosted else UNKNOWN


def recognise(clues: Clues, operation: str, status: int, headers: Mapping[str, str], answer: object) -> Clues:
    """Add what one answer shows: its status, its headers (names in lower case) and its decoded JSON."""
    if clues.profile.is_final:
        return clues
    if headers.get("server", "").startswith("tinsmith"):
        return attrs.evolve(clues, profile=TINSMITH)
    if not 200 <= status < 300 or not isinstance(answer, Mapping):
        return clues
    if operation == "client_config":
        clues = attrs.evolve(clues, writes_protobuf="proto_write_fwdbwd" in answer)
    if operation in _SESSIONS and status == 201:
        clues = attrs.evolve(clues, made_201=True)
    if _is_hatchery(operation, answer):
        return attrs.evolve(clues, profile=HATCHERY)
    if _is_skyrl(operation, answer):
        return attrs.evolve(clues, profile=SKYRL_0_4 if clues.writes_protobuf else SKYRL)
    if clues.made_201 and status == 202 and "request_id" in answer:
        return attrs.evolve(clues, profile=TUFT)
    return clues


def version_by_probe(profile: ServerProfile, found: Encoding) -> ServerProfile:
    """Return the profile after the probe found which encoding is parsed; it tells versions of SkyRL apart."""
    if profile.name != "skyrl":
        return profile
    return SKYRL_0_4 if found == "protobuf" else SKYRL_0_3


def _is_hatchery(operation: str, answer: Mapping[str, Any]) -> bool:
    if operation == "client_config":
        return "max_pipelined_requests" in answer
    if operation == "get_server_capabilities":
        return "max_rank" in answer
    return "operation" in answer and str(answer.get("request_id")).startswith("fut_")


def _is_skyrl(operation: str, answer: Mapping[str, Any]) -> bool:
    if operation == "create_session":
        return _SKYRL_SESSION.fullmatch(str(answer.get("session_id"))) is not None
    request_id = answer.get("request_id")
    if not isinstance(request_id, str) or not request_id.isdecimal():
        return False
    return str(answer.get("future_id")).isdecimal() or answer.get("status") == "created"
