"""Releases of the official client beside the contract and the facade, by listings of facts about each."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from upstream_diff import Difference, Ours, Reason, compare, judge, main, reasons

TOOLS = Path(__file__).parents[2] / "tools" / "contract"
LISTINGS = sorted(Path(__file__).with_name("upstream").glob("*.json"))
RELEASES = ["0.25.0", "0.36.0", "0.38.0", "0.6.3"]

SMALL: dict[str, Any] = {
    "version": "1.0",
    "routes": {
        "GET /api/v1/runs": {"query": ["limit"], "answer": "RunList"},
        "POST /api/v1/runs/{}/checkpoints/{}": {"query": [], "request": "Run"},
    },
    "models": {
        "Run": {
            "id": {"kinds": ["string"], "required": True},
            "state": {"kinds": ["string"], "required": True, "values": ["up"]},
            "rank": {"kinds": ["integer"], "required": False, "default": 8},
            "type": {"kinds": ["string"], "required": False, "default": "run", "values": ["run"]},
        },
        "ListQuery": {"limit": {"kinds": ["integer"], "required": False}},
    },
    "values": {"State": ["up", "down"]},
    "messages": {"Batch": {"data": "1 repeated Part", "size": "2 5"}, "Part": {"bytes": "1 12"}},
    "signatures": {"Client.run": ["path", "*name"]},
    "environment": ["TINKER_API_KEY"],
}
"""A listing in which nothing differs from OURS."""


def body(name: str) -> dict[str, Any]:
    """Say that a schema travels as JSON."""
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


OURS = Ours(
    document={
        "paths": {
            "/api/v1/runs": {
                "get": {
                    "operationId": "list_runs",
                    "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer"}}],
                    "responses": {"2XX": body("Runs")},
                }
            },
            "/api/v1/runs/{run_id}/checkpoints/{checkpoint_kind}/{checkpoint_name}": {
                "post": {"operationId": "save", "requestBody": body("Run")}
            },
        },
        "components": {
            "schemas": {
                "Run": {
                    "required": ["id", "state", "type"],
                    "properties": {
                        "id": {"type": "string"},
                        "state": {"$ref": "#/components/schemas/State"},
                        "rank": {"type": "number", "x-tinker-known-default": 8},
                        "type": {"const": "run", "type": "string", "default": "run"},
                    },
                },
                "State": {"type": "string", "x-tinker-known-values": ["up", "down"]},
            }
        },
    },
    messages={"Batch": {"data": "1 repeated Piece", "size": "2 5"}, "Piece": {"raw": "1 12"}},
    signatures={"Client.run": ["path", "*name", "*more"]},
    environment={"TINKER_API_KEY"},
)

STANDS_FOR = {"RunList": "Runs", "ListQuery": "list_runs", "message Part": "Piece"}


def field(listing: dict[str, Any], name: str) -> Any:
    """Return the facts of one field."""
    return listing["models"]["Run"][name]


PLANTED: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("route DELETE /api/v1/runs", lambda d: d["routes"].update({"DELETE /api/v1/runs": {"query": []}})),
    ("query GET /api/v1/runs offset", lambda d: d["routes"]["GET /api/v1/runs"]["query"].append("offset")),
    ("answer GET /api/v1/runs", lambda d: d["routes"]["GET /api/v1/runs"].update(answer="Run")),
    ("request GET /api/v1/runs", lambda d: d["routes"]["GET /api/v1/runs"].update(request="Run")),
    ("model Other", lambda d: d["models"].update(Other={})),
    ("field Run.more", lambda d: d["models"]["Run"].update(more=field(d, "id"))),
    (
        "field ListQuery.offset",
        lambda d: d["models"]["ListQuery"].update(offset={"kinds": ["integer"], "required": False}),
    ),
    ("required Run.id", lambda d: d["models"]["Run"].pop("id")),
    ("required Run.state", lambda d: field(d, "state").update(required=False)),
    ("required Run.rank", lambda d: field(d, "rank").update(required=True)),
    ("type Run.rank", lambda d: field(d, "rank").update(kinds=["integer", "null"])),
    ("default Run.rank", lambda d: field(d, "rank").update(default=32)),
    ("value Run.state paused", lambda d: field(d, "state").update(values=["up", "paused"])),
    ("value State paused", lambda d: d["values"]["State"].append("paused")),
    ("message Other", lambda d: d["messages"].update(Other={})),
    ("message Batch.size", lambda d: d["messages"]["Batch"].update(size="2 3")),
    ("message Batch.more", lambda d: d["messages"]["Batch"].update(more="3 5")),
    ("message Batch.data", lambda d: d["messages"]["Batch"].update(data="1 Part")),
    ("method Client.stop", lambda d: d["signatures"].update({"Client.stop": []})),
    ("argument Client.run(rank)", lambda d: d["signatures"]["Client.run"].append("*rank")),
    ("order Client.run", lambda d: d["signatures"].update({"Client.run": ["name", "path"]})),
    ("environment TINKER_NEW", lambda d: d["environment"].append("TINKER_NEW")),
]


def places(listing: dict[str, Any]) -> list[str]:
    """Return the places of all differences."""
    return [difference.where for difference in compare(listing, OURS, STANDS_FOR)]


def test_nothing_differs_where_nothing_does() -> None:
    """Names that stand for others, paths with aliases and tags that are always sent are no differences."""
    assert places(SMALL) == []


@pytest.mark.parametrize(("place", "plant"), PLANTED, ids=[place for place, _ in PLANTED])
def test_planted_difference_is_found(place: str, plant: Callable[[dict[str, Any]], Any]) -> None:
    """What only the official client has is found, and nothing beside it."""
    listing = copy.deepcopy(SMALL)
    plant(listing)
    assert places(listing) == [place]


def test_reasons_explain_by_place_and_release() -> None:
    """A reason explains what fits its patterns, for its releases alone; one of nothing is stale."""
    found = [Difference("field A.x", "string", "no such field"), Difference("model B", "1 fields", "none")]
    rows = [
        Reason(("field A.*",), ("1.0",), "old"),
        Reason(("model C",), ("1.0",), "gone"),
        Reason(("model D",), (), "any release"),
    ]
    told, stale = judge({"version": "1.0"}, found, rows)
    assert [reason for _, reason in told] == ["old", ""]
    assert stale == ["model C"]
    told, stale = judge({"version": "2.0"}, found, rows)
    assert [reason for _, reason in told] == ["", ""]
    assert stale == []


def test_a_reason_says_why(tmp_path: Path) -> None:
    """An entry without words is refused; the list in the repository has none."""
    path = tmp_path / "reasons.toml"
    path.write_text('[[difference]]\nwhere = ["model A"]\nreason = " "\n')
    with pytest.raises(ValueError, match="model A"):
        reasons(path)
    assert reasons()[0]


def test_every_difference_of_four_releases_is_explained(tmp_path: Path) -> None:
    """The contract and the facade have all that these releases have, or the list says why not."""
    assert [path.stem for path in LISTINGS] == RELEASES
    program, facts = TOOLS / "upstream_diff.py", tmp_path / "facts.json"
    done = subprocess.run(
        [sys.executable, program, *LISTINGS, "--json", facts], capture_output=True, text=True, check=False
    )
    new = [line for line in done.stdout.splitlines() if line.startswith("NEW") or "explains nothing" in line]
    assert new == []
    assert done.returncode == 0, done.stderr
    told = json.loads(facts.read_text())
    assert {each["version"] for each in told} == set(RELEASES)
    assert all(each["reason"] for each in told)
    written = [row for row in reasons()[0] if not row.text.startswith("docs/migration.md")]
    found = {each["where"] for each in told}
    assert [p for row in written for p in row.where if not any(fnmatchcase(w, p) for w in found)] == []


def test_unexplained_difference_fails_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something new in a release is printed as such, and the command fails."""
    listing = json.loads(LISTINGS[-1].read_text())
    listing["routes"]["POST /api/v1/brand_new"] = {"query": []}
    (tmp_path / "new.json").write_text(json.dumps(listing))
    monkeypatch.setattr("upstream_diff._facade", lambda: listing["signatures"])
    assert main([str(tmp_path / "new.json")]) == 1
    new = [line for line in capsys.readouterr().out.splitlines() if line.startswith("NEW")]
    assert len(new) == 1
    assert "route POST /api/v1/brand_new" in new[0]


CLIENT = {
    "tinker/__init__.py": "",
    "tinker/types/__init__.py": "from .run import Run, State, Kind\n",
    "tinker/types/run.py": (
        "import enum\nfrom dataclasses import dataclass, field\nfrom typing import Any, Literal, Optional\n"
        "Kind = Literal['a', 'b']\n"
        "class State(enum.Enum):\n    UP = 'up'\n"
        "@dataclass\nclass Run:\n"
        "    id: str\n    rank: int = 8\n    kind: Optional[Kind] = None\n    state: State = State.UP\n"
        "    parts: list[int] = field(default_factory=list)\n    more: Any = None\n    _own: int = 0\n"
    ),
    "tinker/lib/__init__.py": "",
    "tinker/lib/public_interfaces/__init__.py": "from .client import Client\n",
    "tinker/lib/public_interfaces/client.py": (
        "import os\nfrom tinker.types import Run\n"
        "class Client:\n"
        "    def run(self, path: str, *, name: str | None = None, **kwargs): ...\n"
        "    def _hidden(self): ...\n"
        "    def list(self, limit):\n"
        "        os.environ.get('TINKER_API_KEY')\n"
        "        def send():\n"
        "            params = {'limit': limit}\n"
        "            params['offset'] = 0\n"
        "            return self.http.get('/api/v1/runs', options={'params': params}, cast_to=types.Run)\n"
        "    def stop(self, request: Run, run):\n"
        "        self.http._post(f'/api/v1/runs/{run}/stop', cast_to=NoneType)\n"
        "        return self._request('DELETE', '/api/v1/runs')\n"
    ),
    "tinker/lib/client_test.py": "client.get('/api/v1/only_tested')\n",
    "tinker-9.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: tinker\nVersion: 9.9\n",
}


def test_listing_reads_a_client(tmp_path: Path) -> None:
    """Routes, fields, values, signatures and environment variables are read off an installed client."""
    for name, text in CLIENT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program, output = TOOLS / "upstream_listing.py", tmp_path / "listing.json"
    subprocess.run([sys.executable, program, output], env=environment, check=True)
    assert json.loads(output.read_text()) == {
        "version": "9.9",
        "routes": {
            "DELETE /api/v1/runs": {"query": [], "request": "Run"},
            "GET /api/v1/runs": {"query": ["limit", "offset"], "answer": "Run"},
            "POST /api/v1/runs/{}/stop": {"query": [], "request": "Run"},
        },
        "models": {
            "Run": {
                "id": {"kinds": ["string"], "required": True},
                "rank": {"kinds": ["integer"], "required": False, "default": 8},
                "kind": {"kinds": ["null", "string"], "required": False, "values": ["a", "b"]},
                "state": {"kinds": ["string"], "required": False, "values": ["up"]},
                "parts": {"kinds": ["array"], "required": False},
                "more": {"kinds": ["any"], "required": False},
            }
        },
        "values": {"Kind": ["a", "b"], "State": ["up"]},
        "messages": {},
        "signatures": {
            "Client.list": ["limit"],
            "Client.run": ["path", "*name"],
            "Client.stop": ["request", "run"],
        },
        "environment": ["TINKER_API_KEY"],
    }
