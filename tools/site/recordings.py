"""Records `tinsmith train` and `tinsmith chat` in a terminal, as docs/recorded-*.svg.

Usage: python -m tools.site.recordings BIN [PICTURE ...], where BIN is the folder of `tinsmith`. It types the
lines of SCENES into a shell, on SmolLM2 in the embedded service, and draws what a terminal of 80 columns
shows at the end. Nothing is drawn that was not shown. It takes some minutes: run `make docs-recordings` after
a change of what the two commands say.
"""

from __future__ import annotations

import io
import itertools
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

if TYPE_CHECKING:
    from pyte.screens import Char

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
COLUMNS, ROWS = 80, 100
"""Rows are more than are used, so that nothing scrolls away; empty ones are not drawn."""
WAIT_S = 900
"""For a training run on a slow machine."""

SHELL_PROMPT = r"\$ $"
CHAT_PROMPT = r"\n(?:\x1b\[\?2004h)?> $"


class Typed(NamedTuple):
    """A line that is typed, and what the terminal shows when it is done."""

    line: str
    """The line, or `^C` for that key."""
    until: str = SHELL_PROMPT
    """The next line is typed when this was shown."""


class Scene(NamedTuple):
    """A picture: its title, and what is typed."""

    title: str
    lines: list[Typed]


TRAINING = Typed(
    "tinsmith train examples/data/pirate.jsonl --model smollm2 --steps 20 --batch-items 4 --out runs/pirate"
)

SCENES = {
    "recorded-train.svg": Scene(
        "A terminal: tinsmith train trains on a file of chats, and the model then answers like the file.",
        [
            TRAINING,
            Typed("tinsmith chat runs/pirate --temperature 0", CHAT_PROMPT),
            Typed("What is the capital of France?", CHAT_PROMPT),
        ],
    ),
    "recorded-chat.svg": Scene(
        "A terminal: a chat with a model, in which an answer is stopped, dropped, and asked for again.",
        [
            Typed("tinsmith --base-url local: chat --model smollm2 --temperature 0", CHAT_PROMPT),
            Typed("Write a story about a tin soldier.", "humble origins"),
            Typed("^C", CHAT_PROMPT),
            Typed("/undo", CHAT_PROMPT),
            Typed("/params max_tokens 60", CHAT_PROMPT),
            Typed("Give me a name for a ship.", CHAT_PROMPT),
            Typed("/save chats.jsonl", CHAT_PROMPT),
        ],
    ),
}
"""Files, and what is typed for each, in this order and in one folder."""


def palette(ground: str, letters: str, normal: str, bright: str) -> TerminalTheme:
    """Make a theme of colours in hexadecimal: ground and letters, eight colours, and eight bright ones."""
    one, other, *colors = (
        (int(color[:2], 16), int(color[2:4], 16), int(color[4:], 16))
        for color in (ground, letters, *normal.split(), *bright.split())
    )
    return TerminalTheme(one, other, colors[:8], colors[8:])


THEMES = {
    "light": palette(
        "fafafa",
        "2d3440",
        "2d3440 b42318 166e3c 8a5a00 1f4ea8 862a8c 006978 5a6270",
        "646c7a c82d23 1c7a44 946208 2a5cbe 96379e 067486 464e5c",
    ),
    "dark": palette(
        "181c24",
        "d6dce6",
        "788292 f28c80 6ecd96 e6be6e 8cb0f5 dc96e6 60cddc c8ced8",
        "96a0b0 fa9b91 82dca6 f0cc82 9ebefa e6a8f0 78dcea f0f4fa",
    ),
}
"""Colours of pages -> those of the terminal. Each has a contrast of 4 or more to its ground."""

FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"
 role="img" aria-labelledby="title">
<!-- Recorded by tools/site/recordings.py. Do not edit; run `make docs-recordings`. -->
<title id="title">NAMED</title>
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace;
  font-size: {char_height}px;
  white-space: pre;
}}
STYLES
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
<rect class="ground" x="1" y="1" width="EDGE" height="LOW" rx="10"/>
<g fill="#98a2b3">
<circle cx="22" cy="22" r="6"/><circle cx="42" cy="22" r="6"/><circle cx="62" cy="22" r="6"/>
</g>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def play(scene: Scene, folder: Path, binaries: str) -> list[list[Char]]:
    """Type the lines of a scene into a shell; return the characters on the screen at the end, row by row."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL") if name in os.environ}
    variables = {"TERM": "xterm", "PS1": "$ ", "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    shell = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile"],
        cwd=folder,
        env={**kept, "LANG": "C.UTF-8", **variables},
        dimensions=(ROWS, COLUMNS),
        encoding="utf-8",
        timeout=WAIT_S,
    )

    def show(until: str) -> None:
        if shell.expect([until, SHELL_PROMPT]) and until != SHELL_PROMPT:
            raise SystemExit(f"the command ended early:\n{shell.before}")
        stream.feed(shell.before + shell.after)

    show(SHELL_PROMPT)
    for typed in scene.lines:
        if typed.line == "^C":
            shell.sendintr()
        else:
            shell.send(f"{typed.line}\r")
            shell.expect(re.escape(typed.line[-8:]))  # its echo, which may be broken at the edge
            stream.feed(shell.before + shell.after)
        show(typed.until)
    shell.close(force=True)
    rows = [[screen.buffer[row][column] for column in range(COLUMNS)] for row in range(ROWS)]
    used = max(number for number, row in enumerate(rows) if any(char.data.strip() for char in row))
    return rows[: used + 1]


def style(char: Char) -> Style:
    """Return the look of a character; its colours are those of the theme."""
    color = {"default": None, "brown": "yellow", "brightbrown": "bright_yellow"}.get(
        char.fg, re.sub(r"^bright(?!_)", "bright_", char.fg)
    )
    return Style(color=color, bold=char.bold, italic=char.italics, underline=char.underscore)


def drawn(rows: list[list[Char]], title: str, name: str) -> str:
    """Draw a screen, with its colours for light and for dark pages."""
    bodies, rules = set(), {}
    for scheme, theme in THEMES.items():
        console = Console(width=COLUMNS, record=True, file=io.StringIO(), color_system="standard")
        for row in rows:
            runs = [("".join(char.data for char in run), look) for look, run in itertools.groupby(row, style)]
            console.print(Text.assemble(*runs), soft_wrap=True)
        exported = console.export_svg(
            theme=theme, code_format=FORMAT.replace("STYLES", "/*{styles}*/"), unique_id=name
        )
        found = re.search(r"/\*(.*?)\*/", exported, re.DOTALL)
        assert found is not None
        ground = f".ground {{ fill: {theme.background_color.hex}; stroke: #98a2b3; }}"
        rules[scheme] = "\n".join([ground, *(line.strip() for line in found[1].splitlines() if line.strip())])
        bodies.add(exported.replace(found[0], "STYLES"))
    (body,) = bodies  # the two differ in their colours alone
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', body)
    assert size is not None
    body = body.replace("EDGE", f"{float(size[1]) - 2:g}").replace("LOW", f"{float(size[2]) - 2:g}")
    media = f"{rules['light']}\n@media (prefers-color-scheme: dark) {{\n{rules['dark']}\n}}"
    return body.replace("NAMED", escape(title)).replace("STYLES", media)


def main(binaries: str, *chosen: str) -> None:
    """Play the scenes, and draw what they show."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.joinpath("examples").symlink_to(ROOT / "examples")
        for file, scene in SCENES.items():
            if chosen and file not in chosen:
                continue
            rows = play(scene, folder, str(Path(binaries).resolve()))
            DOCS.joinpath(file).write_text(drawn(rows, scene.title, Path(file).stem))
            print(f"docs/{file}: {len(rows)} lines")


if __name__ == "__main__":
    main(*sys.argv[1:])
