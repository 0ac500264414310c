"""Opens every page of the built site in Chromium, wide and narrow, light and dark, and reports what is wrong.

Usage: python -m tools.site.check SITE [--only PAGE ...]. It serves the folder over loopback. Reported are
console errors, requests to other machines, pages that are wider than the window, what axe-core calls serious
or critical, dead links, pictures without a text, and questions whose page is not among the first results of
the search.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import tomllib
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import sync_playwright

from tools.site import built

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import ConsoleMessage, Page, Request, Response

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
QUESTIONS = HERE / "questions.toml"

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
GRAVE = {"serious", "critical"}
FIRST_RESULTS = 3
SETTLED = 20
"""Seconds in which the results of a search must have come and stay the same."""

OVERFLOW = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return null;
  const right = element => element.getBoundingClientRect().right;
  const wide = [...document.body.querySelectorAll('*')].filter(element => right(element) > room + 1);
  return (wide.at(-1) || document.body).outerHTML.slice(0, 120);
}"""

AXE_RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
  ({impact, id, nodes}) => [impact, id, nodes.length, nodes[0].html.slice(0, 99), nodes[0].failureSummary])"""

RESULTS = ".md-search-result__item a.md-search-result__link"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve a folder over loopback; yield its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def browser() -> Iterator[Page]:
    """Start Chromium with a profile of its own; yield a page."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as profile:
        context = playwright.chromium.launch_persistent_context(profile, executable_path=CHROMIUM, args=FLAGS)
        context.add_init_script(
            "localStorage.clear()"
        )  # the theme keeps the colours of the first visit there
        try:
            yield context.pages[0]
        finally:
            context.close()


class Visit:
    """What goes wrong while pages are open in one window."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.wrong: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrong.append(f"an exception: {error}"))
        page.on("request", self._asked)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(f"the console says: {message.text}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            self.wrong.append(f"asks another machine: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.url.removeprefix(self.address)} is answered {response.status}")

    def look(self, name: str, width: int, scheme: Any) -> list[str]:
        """Open a page in one size and colour scheme and return what is wrong with it."""
        self.wrong.clear()
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=scheme)
        self.page.goto(self.address + name, wait_until="networkidle")
        if cause := self.page.evaluate(OVERFLOW):
            self.wrong.append(f"is wider than the window, by {cause}")
        self.page.add_script_tag(path=AXE)
        for impact, rule, count, example, summary in self.page.evaluate(AXE_RUN):
            if impact in GRAVE:
                reason = " ".join(summary.split())
                self.wrong.append(f"axe: {impact}: {rule}, {count} times, such as {example} ({reason})")
        return [f"{name}, {width} pixels, {scheme}: {each}" for each in self.wrong]

    def search(self, question: str) -> list[str]:
        """Ask the search of the site; return the addresses of its first pages."""
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        self.page.goto(self.address + "index.html", wait_until="networkidle")
        self.page.locator("input.md-search__input").press_sequentially(question)
        shown: list[str] = []
        for _ in range(
            SETTLED
        ):  # the worker answers as the index is loaded, and once more for the last letter
            self.page.wait_for_timeout(1000)
            before, shown = (
                shown,
                self.page.eval_on_selector_all(RESULTS, "links => links.map(one => one.href)"),
            )
            if shown and shown == before:
                break
        pages = [urlsplit(link).path.lstrip("/") for link in shown]
        return list(dict.fromkeys(pages))[:FIRST_RESULTS]


def searched(visit: Visit, questions: Path) -> tuple[int, list[str]]:
    """Ask every question; return how many found their page, and a sentence for each other."""
    asked = tomllib.loads(questions.read_text(encoding="utf-8"))["question"]
    wrong = []
    for each in asked:
        found = visit.search(each["words"])
        if each["page"] not in found:
            wrong.append(f"search: {each['words']!r} finds {found} and not {each['page']}")
    return len(asked) - len(wrong), wrong


def check(site: Path, names: list[str], questions: Path | None) -> list[str]:
    """Return everything that is wrong with a site; print how many pages were opened and questions asked."""
    wrong = built.faults(site)
    with served(site) as address, browser() as page:
        visit = Visit(page, address)
        for name in names:
            seen = [visit.look(name, width, scheme) for width in WIDTHS for scheme in SCHEMES]
            wrong += [fault for found in seen for fault in found]
            print(f"{name}: {sum(map(len, seen))} faults", flush=True)
        print(f"{len(names)} pages opened, {len(WIDTHS) * len(SCHEMES)} times each")
        if questions is not None:
            hits, missed = searched(visit, questions)
            asked = hits + len(missed)
            print(f"{hits} of {asked} questions find their page in the first {FIRST_RESULTS} results")
            wrong += missed
    return wrong


def main(arguments: list[str]) -> int:
    """Check a site; print a line for each fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("--only", nargs="+", help="pages to open, in place of all")
    chosen = parser.parse_args(arguments)
    if not Path(CHROMIUM).exists():
        print(f"{CHROMIUM} is not there; on Debian: apt-get install chromium")
        return 1
    wrong = check(chosen.site, chosen.only or built.pages(chosen.site), None if chosen.only else QUESTIONS)
    print("\n".join(wrong))
    print(f"{len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
