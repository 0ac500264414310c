"""The tables of docs/servers.md are those of the last check, and agree with the profiles of servers."""

import json

from tinsmith.contract.report import Report, Row
from tinsmith.core.server_profiles import PROFILES

from tests.servers.check import PAGE, RESULTS, kept, page_with, table
from tests.servers.environments import KINDS


def test_the_page_shows_the_last_check() -> None:
    """Whoever checks servers writes the page in the same go."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert list(found) == list(KINDS)
    assert page_with(found) == PAGE.read_text(encoding="utf-8")
    assert "<!-- checked -->\n| operation |" in PAGE.read_text(encoding="utf-8")


def test_the_profiles_lack_what_the_check_did_not_find() -> None:
    """What a profile says that a server lacks is absent there, or not what it is; and the other way round."""
    for name, report in json.loads(RESULTS.read_text(encoding="utf-8")).items():
        verdicts = report["operations"]
        absent = {operation for operation, verdict in verdicts.items() if verdict == "absent"}
        lacks = PROFILES[name].lacks
        assert absent <= lacks, name
        assert {verdicts[operation] for operation in lacks - absent} <= {"refused"}, name


def test_what_is_kept_names_no_folder_of_this_machine() -> None:
    """Paths of the server's folder become its release, and bars stay inside their cells."""
    kind = KINDS["tuft"]
    row = Row(operation="healthz", verdict="verified", statuses=(200,), reason=str(kind.folder))
    report = Report(source="", server="tuft", contract="1", rows=(row,), deviations=(), dialects=())
    assert kept(report, kind) == {
        "operations": {"healthz": "verified"},
        "deviations": [],
        "dialects": {},
        "left_behind": 0,
    }
    assert table(["a"], [["b|c"]]) == "| a |\n| --- |\n| b\\|c |\n"
