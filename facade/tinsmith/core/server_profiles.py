"""What is known of each kind of server, as data.

Owns the table of server profiles. It must not ask a server anything: `io` does, and recognises a profile
from answers that come anyway.
"""

from __future__ import annotations

from typing import Literal

import attrs

from tinsmith.core.codec.wire import Encoding

ServerName = Literal["hosted", "skyrl-0.3", "skyrl-0.4", "tuft", "hatchery", "tinsmith", "unknown"]
"""The names of the profiles."""


@attrs.frozen(kw_only=True)
class ServerProfile:
    """How one kind of server behaves where the protocol leaves a choice."""

    name: ServerName
    """What the profile is called."""
    encoding: Encoding | None = None
    """How batches are written; None where it must be found out."""
    deduplicates: bool = True
    """Whether a request sent twice under one number is applied once."""
    order: Literal["number", "arrival"] = "number"
    """What decides the order of training requests: their numbers, or their arrival."""
    failure_status_500: bool = False
    """Whether a 500 with a `detail` on a poll is the failure of the promise."""
    prompt_logprobs_start: Literal["null", "omitted"] = "null"
    """Whether prompt logprobs have an entry for the first token (null), or none."""
    loss_reduction: Literal["sum", "mean"] = "sum"
    """How the losses of the tokens of a batch are joined."""
    lacks: frozenset[str] = frozenset()
    """Operations of the contract that the server does not have, by operation id."""


HOSTED = ServerProfile(name="hosted", encoding="protobuf")
"""The hosted service."""
SKYRL_0_3 = ServerProfile(
    name="skyrl-0.3", encoding="json", deduplicates=False, order="arrival", prompt_logprobs_start="omitted"
)
"""SkyRL 0.3."""
SKYRL_0_4 = ServerProfile(name="skyrl-0.4", encoding="protobuf", prompt_logprobs_start="omitted")
"""SkyRL 0.4."""
TUFT = ServerProfile(
    name="tuft", encoding="protobuf", failure_status_500=True, prompt_logprobs_start="omitted"
)
"""TuFT 0.2."""
HATCHERY = ServerProfile(
    name="hatchery", encoding="json", deduplicates=False, order="arrival", loss_reduction="mean"
)
"""Hatchery 0.3."""
TINSMITH = ServerProfile(name="tinsmith")
"""The embedded service."""
UNKNOWN = ServerProfile(name="unknown")
"""A server that was not recognised: taken to deduplicate, told of in one warning."""

PROFILES: dict[ServerName, ServerProfile] = {
    profile.name: profile for profile in (HOSTED, SKYRL_0_3, SKYRL_0_4, TUFT, HATCHERY, TINSMITH, UNKNOWN)
}
"""All profiles by name."""
