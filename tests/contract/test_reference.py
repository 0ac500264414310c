"""The reference page says all that the contract says, and its links lead somewhere."""

import re
from pathlib import Path
from typing import Any

import contract_reference
import pytest
from contract_document import operations


@pytest.fixture(scope="module")
def page(loaded: dict[str, Any]) -> str:
    """Return the page as it would be written now."""
    return contract_reference.Reference(loaded).render()


def anchor(heading: str) -> str:
    """Return what a heading is linked by, as renderers of Markdown make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_page_is_fresh() -> None:
    """docs/reference/api.md is what the contract renders to."""
    assert contract_reference.main(["--check"]) == 0


def test_check_notices_a_stale_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that is missing or was edited fails the check, and writing it heals that."""
    monkeypatch.setattr(contract_reference, "PAGE", tmp_path / "reference" / "api.md")
    assert contract_reference.main(["--check"]) == 1
    assert contract_reference.main([]) == 0
    assert contract_reference.main(["--check"]) == 0
    contract_reference.PAGE.write_text(contract_reference.PAGE.read_text() + "edited\n")
    assert contract_reference.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err


def test_links_lead_somewhere(page: str) -> None:
    """Every link on the page has a heading, and no two headings share an anchor."""
    anchors = [anchor(line.lstrip("# ")) for line in page.splitlines() if re.match(r"#{1,3} ", line)]
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]*)\)", page)) <= set(anchors)


def test_everything_is_on_the_page(page: str, loaded: dict[str, Any]) -> None:
    """Every operation with its route, and every field of every schema with its meaning, can be found."""
    for op in operations(loaded):
        assert f"### {op.id}\n" in page
        assert f"{op.method.upper()} {op.path}\n" in page
    for name, schema in loaded["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            meaning = " ".join(described["description"].split()).replace("|", "\\|")
            row = re.compile(rf"\| (\*\*)?`{re.escape(field)}`(\*\*)? \| .* \| {re.escape(meaning)}")
            assert row.search(page), f"{name}.{field}"


def test_code_fences_are_closed(page: str) -> None:
    """Fences come in pairs, so that nothing below is taken for code."""
    assert page.count("```") % 2 == 0
