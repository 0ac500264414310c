"""The documentation site, as far as it can be judged without a browser: its navigation and its files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.docs.test_generated import script
from tools.site import built

ROOT = Path(__file__).parents[2]


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


def test_faults_of_a_built_site_are_named(tmp_path: Path) -> None:
    """A dead link, a dead anchor, a link out of the site and a picture without a text are each found once."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "index.html").write_text(
        '<h1 id="top">Home</h1><a href="deep/page.html#part">good</a><a href="gone.html">dead</a>'
        '<a href="https://elsewhere.example/">not followed</a>'
        '<img src="deep/x.svg"><img src="deep/x.svg" alt="x">'
    )
    (tmp_path / "deep" / "page.html").write_text(
        '<h2 id="part">Part</h2><a href="../index.html#lost">astray</a>'
        '<a href="../..">out</a><a href="..">home</a>'
    )
    (tmp_path / "deep" / "x.svg").write_text("<svg/>")
    assert built.pages(tmp_path) == ["deep/page.html", "index.html"]
    assert built.faults(tmp_path) == [
        "deep/page.html: ../index.html#lost leads to no place of index.html",
        "deep/page.html: ../.. leaves the site",
        "index.html: the picture deep/x.svg has no alternative text",
        "index.html: gone.html leads nowhere",
    ]


def test_the_site_asks_no_other_machine() -> None:
    """Neither the configuration nor our part of the theme names anything of another server."""
    ours = [
        ROOT / "mkdocs.yml",
        *(path for path in (ROOT / "tools" / "site").glob("*.*") if path.suffix in {".css", ".js"}),
    ]
    assert len(ours) == 3
    for path in ours:
        assert "//" not in re.sub(r"^ *(//|/\*|#).*$", "", path.read_text(), flags=re.MULTILINE), path
    assert "font: false" in (ROOT / "mkdocs.yml").read_text()


def test_questions_ask_for_pages_that_exist() -> None:
    """Each question names a page of docs/, so that a page that moved takes its question along."""
    asked = tomllib.loads((ROOT / "tools" / "site" / "questions.toml").read_text())["question"]
    assert len(asked) >= 20
    pages = [(ROOT / "docs" / each["page"]) for each in asked]
    sources = (".md", ".ipynb")
    assert [page for page in pages if not any(page.with_suffix(each).exists() for each in sources)] == []
