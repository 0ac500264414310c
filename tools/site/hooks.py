"""What MkDocs does not do by itself, so that the pages read the same on the site and on the Git host.

Owns the files outside docs/ that the site has too, and the links to them. Pages are never changed on disk.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File
from notebook_pages import page_of  # MkDocs loads hooks from their folder
from pymdownx.slugs import slugify

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]

PAGES = {
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "SECURITY.md": "SECURITY.md",
    "LICENSE": "LICENSE.md",
    "README.md": "index.md",
}
"""Files of the repository -> their pages on the site. The home page says what the README says."""

COPIED = {
    "openapi/tinker.yaml": "openapi/tinker.yaml",
    "tools/site/tinsmith.css": "assets/tinsmith.css",
    "tools/site/tinsmith.js": "assets/tinsmith.js",
    "tools/site/favicon.svg": "assets/favicon.svg",
}
"""Files that are offered as they are -> where."""

API = re.compile(r"^## (?P<name>\w+)\n\n[^\n]*\n\n<!-- api: (?P<path>[\w.]+) -->$", re.MULTILINE)
"""A name of docs/reference/python: its heading, its first sentence, and where it is defined."""

ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
"""The Git host wants a stroke escaped in the code of a table, Python-Markdown does not."""

MENDED = {
    'component="search" role="dialog">': 'component="search" role="dialog" aria-label="Search">',
    "<pre><span></span><code>": '<pre><span></span><code tabindex="0">',
    "<pre><code>": '<pre><code tabindex="0">',
}
"""What the theme writes -> with a name for the search, and code that scrolls by keyboard."""

WORD = re.compile(r"<code>([^<>\s]{1,44})</code>")
"""Code that is one word, which must not be broken at its strokes."""

LONG = 26
"""Letters above which a word may be broken after all where the window is narrow."""

PICTURE = re.compile(r'(?<!">)<img [^>]*\bsrc="([^"]+\.svg)"[^>]*>')
"""A drawing that is no link yet; in a narrow window its letters are small."""

RANKS = {"Guides": 3.0, "Concepts": 3.0, "Contributing": 0.5}
"""Sections of the navigation -> weight of their pages in the search; all else has 1."""

RANKED = {
    "install.md": 3.0,
    "tutorial.md": 3.0,
    "questions.md": 2.2,
    "glossary.md": 3.0,
    "reference/api.md": 0.5,
    "reference/python/types.md": 0.5,
}

LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]+)?(?=\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name headings as the Git host does, so that a link into a page leads to the same place on both."""
    config.mdx_configs["toc"]["slugify"] = slugify(case="lower")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside docs/."""
    for name, page in PAGES.items():
        if name == "LICENSE":
            text = f"# Licence\n\n```text\n{(ROOT / name).read_text()}```\n"
            files.append(File.generated(config, page, content=text))
        elif name != "README.md":
            files.append(File.generated(config, page, abs_src_path=str(ROOT / name)))
    for notebook in sorted(Path(config.docs_dir).glob("notebooks/*.ipynb")):
        text, pictures = page_of(notebook)
        files.append(File.generated(config, f"notebooks/{notebook.stem}.md", content=text))
        for name, picture in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=picture))
    for name, place in COPIED.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links that the repository resolves to the same on the site; a program is shown as a text."""
    section = page.ancestors[-1].title if page.ancestors else ""
    page.meta["search"] = {"boost": RANKED.get(page.file.src_uri, RANKS.get(section or "", 1.0))}
    outside = page.file.src_uri in PAGES.values() and page.file.src_uri != "index.md"
    folder = Path() if outside else (Path("docs") / page.file.src_uri).parent
    depth = page.file.src_uri.count("/")

    def moved(found: re.Match[str]) -> str:
        parts: list[str] = []
        for part in (folder / found[1]).parts:
            parts = parts[:-1] if part == ".." else [*parts, part]
        name = "/".join(parts)
        target = name.removeprefix("docs/") if name.startswith("docs/") else PAGES.get(name, name)
        target = re.sub(r"\.ipynb$", ".md", target)
        if name not in {*PAGES, *COPIED} and target == name and (ROOT / name).is_file():
            target = f"source/{name}.txt"
            if files.get_file_from_path(target) is None:
                files.append(File.generated(config, target, abs_src_path=str(ROOT / name)))
        return "../" * depth + target + (found[2] or "")

    markdown = ROW.sub(lambda row: CODE.sub(lambda code: code[0].replace("\\|", "|"), row[0]), markdown)
    return API.sub(_documented, LINK.sub(moved, markdown))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Mend what the theme leaves out for people who do not see the page or use no mouse."""
    for lacking, mended in MENDED.items():
        output = output.replace(lacking, mended)
    output = PICTURE.sub(lambda found: f'<a href="{found[1]}">{found[0]}</a>', output)
    return WORD.sub(_unbroken, output)


def _unbroken(found: re.Match[str]) -> str:
    """Return code that stays on one line."""
    return f'<code class="{"word long" if len(found[1]) > LONG else "word"}">{found[1]}</code>'


def _documented(found: re.Match[str]) -> str:
    """Return what mkdocstrings documents, with the heading's own anchor before it."""
    inherits = found["path"].startswith("tinsmith.clients.") or found["path"].endswith(".APIFuture")
    options = f"    options:\n      inherited_members: {str(inherits).lower()}\n"
    return f'<a id="{found["name"].lower()}"></a>\n\n::: {found["path"]}\n{options}'
