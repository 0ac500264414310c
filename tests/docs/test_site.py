"""The documentation site, as far as it can be judged without building it: its navigation and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.test_generated import script

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def page_list() -> Any:
    """Load the generator of the list of pages."""
    return script("docs/page_list.py")


def test_every_page_is_in_the_navigation(page_list: Any) -> None:
    """No page of docs/ is left out, and none is named that does not exist."""
    assert page_list.faults() == []
    assert page_list.sections()["Contributing"][0] == ("Your first hour", "../CONTRIBUTING.md")


def test_a_page_outside_the_navigation_is_named(
    page_list: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A forgotten page and a lost one each give a sentence that says what to do, and the exit code 1."""
    navigation = tmp_path / "mkdocs.yml"
    navigation.write_text(
        "nav:\n  - Home: index.md\n  - Guides:\n      - One: one.md\n      - Deep:\n          - Two: two.md\n"
    )
    for page in ("index.md", "two.md", "forgotten.md"):
        (tmp_path / page).write_text("<!-- pages -->\nold\n<!-- /pages -->\n")
    monkeypatch.setattr(page_list, "DOCS", tmp_path)
    monkeypatch.setattr(page_list, "PAGE", tmp_path / "index.md")
    monkeypatch.setattr(page_list, "NAVIGATION", navigation)
    assert page_list.main([]) == 1
    said = capsys.readouterr().err
    assert "docs/forgotten.md is not in the navigation; add it to `nav` in mkdocs.yml" in said
    assert "docs/one.md, which mkdocs.yml names, does not exist" in said
    assert "**Guides:** [One](one.md) · [Two](two.md)\n" in (tmp_path / "index.md").read_text()
    (tmp_path / "index.md").write_text("<!-- pages -->\nold\n<!-- /pages -->\n")
    assert page_list.main(["--check"]) == 1
    assert "run make docs" in capsys.readouterr().err
