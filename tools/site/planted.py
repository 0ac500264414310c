"""Tries the checker of the site: each fault is planted once in a small page, and must be found there alone.

Usage: python -m tools.site.planted. Needs Chromium and axe-core, as the checker does.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path

from tools.site.check import check

PAGE = """<!doctype html>
<html lang="en"><head><title>A page</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"></head>
<body><main><h1 id="top">A page</h1><p>Words.</p>
<label>Search <input class="md-search__input"></label>
<p class="md-search-result__item"><a class="md-search-result__link" href="index.html">found</a></p>
{planted}</main></body></html>
"""

FAULTS = {
    "clean": ("", ""),
    "console": ("<script>console.error('broken')</script>", "the console says: broken"),
    "exception": ("<script>throw new Error('broken')</script>", "an exception: broken"),
    "elsewhere": ('<img alt="x" src="http://elsewhere.invalid/x.png">', "asks another machine"),
    "lost": ("<script>fetch('lost.json')</script>", "lost.json is answered 404"),
    "wide": ('<div style="width: 3000px">wide</div>', "is wider than the window"),
    "pale": ('<p style="color: #bbbbbb">pale</p>', "axe: serious: color-contrast"),
    "silent": ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "has no alternative text"),
    "dead": ('<a href="nowhere.html">dead</a>', "nowhere.html leads nowhere"),
    "astray": ('<a href="clean.html#nowhere">astray</a>', "leads to no place of clean.html"),
}
"""Name of a page -> what is planted in it, and what must be said; the clean one is for the search."""

QUESTIONS = """
[[question]]
words = "what is there"
page = "index.html"

[[question]]
words = "what is not there"
page = "lost.html"
"""


def main() -> int:
    """Plant all faults; name each that is not found, and each that is found where it is not."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        site = Path(folder)
        for name, (planted, _) in FAULTS.items():
            (site / f"{name}.html").write_text(PAGE.format(planted=planted))
        (site / "index.html").write_text(PAGE.format(planted=""))
        questions = site / "questions.toml"
        questions.write_text(QUESTIONS)
        found = check(site, [f"{name}.html" for name in FAULTS], questions)
    missed = []
    for name, (_, said) in FAULTS.items():
        about = [line for line in found if line.startswith(f"{name}.html")]
        if not said and about:
            missed.append(f"of a page without a fault it says: {about}")
        elif said and not any(said in line for line in about):
            missed.append(f"the fault {name!r} is not found: {about}")
    if [line for line in found if line.startswith("search:")] != [
        "search: 'what is not there' finds ['index.html'] and not lost.html"
    ]:
        missed.append("the search is not judged right")
    for line in missed:
        print(line)
    print(f"{len(FAULTS)} planted faults, {len(missed)} of them missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
