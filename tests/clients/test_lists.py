"""Lists of a server go on to their end, whatever it leaves out and whatever one row looks like."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from tinsmith import APIResponseValidationError, ServiceClient, testing
from tinsmith.cli.connect import collect
from tinsmith.testing.ledger_service import reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith import RestClient
    from tinsmith.io.http.messages import Answer, Seen

WAIT_S = 20.0


def row(number: int) -> dict[str, Any]:
    """Make a row of a list of checkpoints."""
    name = f"weights/{number:05}"
    return {
        "checkpoint_id": name,
        "checkpoint_type": "training",
        "time": 1796032800 + number,
        "tinker_path": f"tinker://r/{name}",
    }


class Lister(testing.LedgerService):
    """A service with many checkpoints and runs, which sends pages as asked."""

    def __init__(self, rows: list[dict[str, Any]], *, pages: bool = True) -> None:
        super().__init__()
        self.rows_kept = rows
        self.pages = pages
        self.rules.append(self.page)

    def page(self, asked: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
        """Answer with a page that has no cursor."""
        query = {name: int(found[0]) for name, found in parse_qs(seen.target.partition("?")[2]).items()}
        start = query.get("offset", 0) if self.pages else 0
        found = self.rows_kept[start : start + query.get("limit", 1000)]
        if asked == "checkpoints" or asked.endswith("/checkpoints"):
            return reply({"checkpoints": found})
        return reply({"training_runs": found}) if asked == "training_runs" else None


def rest_of(service: testing.LedgerService) -> Iterator[RestClient]:
    """Open a rest client while a test runs."""
    with ServiceClient(**service.settings()) as client:
        yield client.create_rest_client()


def listed(rest: RestClient) -> list[Any]:
    """Return all checkpoints as the command line lists them."""
    return collect(rest.list_user_checkpoints, "checkpoints", limit=0, offset=0, page=1000).entries


def test_iteration_goes_on_without_a_cursor() -> None:
    """All of 2,500 checkpoints come, in iteration and on the command line alike."""
    for rest in rest_of(Lister([row(n) for n in range(2500)])):
        names = [saved.checkpoint_id for saved in rest.iter_user_checkpoints()]
        assert names == [row(n)["checkpoint_id"] for n in range(2500)]
        assert len(listed(rest)) == 2500


def test_runs_are_iterated_without_a_cursor() -> None:
    """The same rule."""
    runs = [
        {
            "training_run_id": f"run-{n}",
            "base_model": "m",
            "model_owner": "me",
            "is_lora": True,
            "last_request_time": "2026-11-30T10:00:00Z",
        }
        for n in range(250)
    ]
    for rest in rest_of(Lister(runs)):
        assert sum(1 for _ in rest.iter_training_runs()) == 250


def test_iteration_in_a_loop_is_the_same() -> None:
    """All of them come by `async for` too, by the page."""

    async def names(rest: RestClient) -> list[str]:
        return [saved.checkpoint_id async for saved in rest.iter_user_checkpoints_async()]

    service = Lister([row(n) for n in range(2500)])
    for rest in rest_of(service):
        assert asyncio.run(names(rest)) == [row(n)["checkpoint_id"] for n in range(2500)]
        assert sum("checkpoints?" in seen.target for seen in service.seen) == 3
        assert sum(1 for _ in rest.iter_checkpoints("r")) == 2500


def test_a_server_that_ignores_the_offset_ends() -> None:
    """The same full page twice is the end, not an endless list."""
    for rest in rest_of(Lister([row(n) for n in range(1000)], pages=False)):
        assert sum(1 for _ in rest.iter_user_checkpoints()) == 1000


def test_one_unreadable_row_does_not_end_a_listing(caplog: pytest.LogCaptureFixture) -> None:
    """The others come, once each, over pages too; one line says which field it was."""
    rows = [row(n) for n in range(1500)]
    rows[3] = {**rows[3], "time": "yesterday"}
    for rest in rest_of(Lister(rows)):
        with caplog.at_level(logging.WARNING, "tinsmith"):
            names = [saved.checkpoint_id for saved in rest.iter_user_checkpoints()]
        assert len(names) == len(set(names)) == 1499
        assert len(listed(rest)) == 1499
        page = rest.list_checkpoints("r").result(WAIT_S)
        assert page.extra == {"unreadable": [rows[3]]}
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2  # one of each listing
    assert all("'time'" in line for line in told)


def test_one_unreadable_model_does_not_hide_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """What a server offers is a list as any other; where no row can be read, it is an error."""
    models: list[Any] = [{"model_name": "a"}, "b", {"model_name": "c"}]
    service = testing.LedgerService()
    service.rules.append(
        lambda asked, _seen, _body: (
            reply({"supported_models": models}) if asked == "get_server_capabilities" else None
        )
    )
    with ServiceClient(**service.settings()) as client, caplog.at_level(logging.WARNING, "tinsmith"):
        offered = client.get_server_capabilities()
        assert [model.model_name for model in offered.supported_models] == ["a", "c"]
        assert offered.extra == {"unreadable": ["b"]}
        models[:] = ["b"]
        with pytest.raises(APIResponseValidationError, match="SupportedModel"):
            client.get_server_capabilities()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "get_server_capabilities" in told[0]
