"""A client learns what kind of server it has from answers that come anyway, and acts on it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tinsmith import InputError, ServiceClient, testing
from tinsmith.core.config import ClientConfig
from tinsmith.core.errors import ServerWarning
from tinsmith.testing.ledger_service import reply

from tests.io.bench import ADAM, WAIT_S, datum, once, refuse, trainer_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from tinsmith.io.http.messages import Answer, Seen

    Rule = Callable[[str, Seen, dict[str, Any]], Answer | None]


def sessions_of_skyrl() -> Rule:
    """Make a rule that names sessions as SkyRL does."""
    return once("create_session", reply({"session_id": "session_faa92868"}))


def flags_of_hatchery() -> Rule:
    """Make a rule that answers client/config as Hatchery does."""
    return once("client/config", reply({"max_pipelined_requests": 64}))


class Skyrl(testing.LedgerService):
    """A ledger service with the marks of SkyRL; the probe is answered as one version does."""

    def __init__(self, probe_status: int) -> None:
        super().__init__()
        self.probe_status = probe_status
        self._sessions.add("session_faa92868")
        self.rules.append(sessions_of_skyrl())

    async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
        """Answer the probe with the status of the version."""
        answer = await super().answer(seen, drips=drips)
        return refuse(self.probe_status) if seen.body == b"{}" else answer


def open_on(service: testing.LedgerService, **settings: Any) -> ServiceClient:
    """Make a client that nobody told whether its server deduplicates."""
    return ServiceClient(**service.settings(**{"server_deduplicates": None, **settings}))


def name_of(client: ServiceClient) -> str:
    """Return what the client takes its server for now."""
    return client.server.name


def test_recognition_asks_nothing_more(clock: testing.FrozenClock) -> None:
    """The same requests as ever: it is recognised by the session and the one probe."""
    service = Skyrl(422)
    client = open_on(service)
    assert name_of(client) == "unknown"
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    assert name_of(client) == "skyrl"
    assert not client.holder.connection.server.may_resend_unknown
    with pytest.warns(ServerWarning, match="skyrl-0.3"):
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert name_of(client) == "skyrl-0.3"
    assert not client.holder.connection.server.may_resend_unknown
    assert len(service.probes) == 1


def test_newer_skyrl_is_trusted_after_the_probe(clock: testing.FrozenClock) -> None:
    """415: it reads protobuf alone, deduplicates, and nothing is warned of."""
    service = Skyrl(415)
    client = open_on(service)
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    assert not client.holder.connection.server.may_resend_unknown
    trainer.forward_backward([datum()], "cross_entropy").exception(WAIT_S)  # the ledger reads JSON alone
    assert client.server.name == "skyrl-0.4"
    assert client.holder.connection.server.may_resend_unknown
    assert client.holder.settings.encoding == "protobuf"


@pytest.mark.parametrize("probe_status", [422, 415])
def test_forced_encoding_that_skyrl_does_not_read_ends_at_once(
    clock: testing.FrozenClock, probe_status: int
) -> None:
    """The version is asked for all the same; no batch goes out, and its number is free."""
    service = Skyrl(probe_status)
    client = open_on(
        service, encoding="protobuf" if probe_status == 422 else "json", server_deduplicates=True
    )
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    with pytest.raises(InputError, match="reads batches as") as caught:
        trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert caught.value.applied == "no"
    assert trainer.optim_step(ADAM).result(WAIT_S)
    assert [(entry.operation, entry.seq_id) for entry in service.ledger.applied] == [("optim_step", 1)]
    assert [seen for seen in service.seen if seen.path.endswith("/forward_backward")] == []


def test_hatchery_is_known_before_its_first_model(clock: testing.FrozenClock) -> None:
    """It says so in client/config: no probe, JSON, and one warning."""
    service = testing.LedgerService()
    service.rules.append(flags_of_hatchery())
    client = open_on(service)
    with pytest.warns(ServerWarning, match="hatchery") as told:
        trainer = client.create_lora_training_client("tinsmith/tiny").result()
    assert len(told) == 1
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert service.probes == []
    assert (client.server.name, client.holder.settings.encoding) == ("hatchery", "json")


@pytest.mark.parametrize("deduplicates", [True, False])
def test_what_the_user_says_beats_the_profile(clock: testing.FrozenClock, deduplicates: bool) -> None:
    """And nobody is warned of what he knows."""
    service = testing.LedgerService()
    service.rules.append(flags_of_hatchery())
    client = open_on(service, server_deduplicates=deduplicates)
    client.create_lora_training_client("tinsmith/tiny").result()
    assert client.server.name == "hatchery"
    assert client.holder.connection.server.may_resend_unknown is deduplicates


@pytest.mark.parametrize(
    ("deduplicates", "on_unknown", "may"),
    [(None, "resend", True), (True, "resend", True), (False, "resend", False), (True, "raise", False)],
)
def test_unknown_outcomes_are_resent_only_where_it_is_safe(
    clock: testing.FrozenClock, deduplicates: bool | None, on_unknown: Any, may: bool
) -> None:
    """Whether a server gets a request twice, by the user's own word, where nothing is known of it."""
    config = ClientConfig.from_environment(
        base_url="http://127.0.0.1:1/", api_key="tml-test", on_unknown=on_unknown
    )
    client = open_on(
        testing.LedgerService(), config=config, server="unknown", server_deduplicates=deduplicates
    )
    assert client.holder.connection.server.may_resend_unknown is may


def test_the_warning_breaks_nothing_where_warnings_are_errors(
    clock: testing.FrozenClock, caplog: pytest.LogCaptureFixture
) -> None:
    """This suite runs so: the run goes on, and the log has the line."""
    service = testing.LedgerService()
    service.rules.append(flags_of_hatchery())
    open_on(service).create_lora_training_client("tinsmith/tiny").result().optim_step(ADAM).result(WAIT_S)
    assert ["hatchery" in record.getMessage() for record in caplog.records] == [True]


PROGRAM = """
from tinsmith import ServiceClient, testing
from tinsmith.testing.ledger_service import reply
service = testing.LedgerService()
flags = reply({"max_pipelined_requests": 64})
service.rules.append(lambda asked, *_: flags if asked == "client/config" else None)
with ServiceClient(**service.settings(server_deduplicates=None)) as client:
    client.create_lora_training_client("tinsmith/tiny")
print("done")
"""


@pytest.mark.parametrize("flags", [[], ["-W", "error"]])
def test_the_warning_is_seen_without_logging(flags: list[str]) -> None:
    """On stderr of a program that configures nothing; under -W error the program goes on."""
    done = subprocess.run(
        [sys.executable, *flags, "-c", PROGRAM], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert done.stderr.count("ServerWarning") == (not flags)
    assert "Traceback" not in done.stderr


def test_a_server_that_is_named_is_not_looked_at(clock: testing.FrozenClock) -> None:
    """`server=` holds from the first request: no probe, and no mark changes it."""
    service = testing.LedgerService()
    service.rules.append(flags_of_hatchery())
    with pytest.warns(ServerWarning, match=r"skyrl-0\.3"):
        client = open_on(service, server="skyrl-0.3")
    trainer = client.create_lora_training_client("tinsmith/tiny").result()
    trainer.forward_backward([datum()], "cross_entropy").result(WAIT_S)
    assert (client.server.name, service.probes) == ("skyrl-0.3", [])


def test_few_answers_are_looked_at(clock: testing.FrozenClock) -> None:
    """A server without marks costs a few looks, not one an answer."""
    service = testing.LedgerService()
    trainer = trainer_on(service, server_deduplicates=None)
    for _ in range(30):
        trainer.optim_step(ADAM).result(WAIT_S)
    assert trainer.holder.connection.server._looked == 16
    assert trainer.holder.connection.server.profile.name == "unknown"


def test_a_creation_that_is_held_is_waited_for(clock: testing.FrozenClock) -> None:
    """Hatchery holds `create_model` until a worker is ready: one request, answered after minutes."""

    class Busy(testing.LedgerService):
        async def answer(self, seen: Seen, *, drips: bool = True) -> Answer:
            if seen.path.endswith("create_model"):
                await asyncio.sleep(550.0)
            return await super().answer(seen, drips=drips)

    service = Busy()
    service.rules.append(flags_of_hatchery())
    trainer: Any = open_on(service, server_deduplicates=False).create_lora_training_client("tinsmith/tiny")
    trainer.result(WAIT_S)
    assert sum(seen.path.endswith("create_model") for seen in service.seen) == 1
