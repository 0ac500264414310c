"""Draws docs/overview.svg: what Tinsmith is, in one picture, for light and dark pages.

Usage: overview.py [--check]. With --check it writes nothing and exits with 1 when the picture is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.sax.saxutils import escape

PICTURE = Path(__file__).parent / "overview.svg"

TITLE = "Your program calls Tinsmith, which calls the hosted service, your own server, or your own machine."

WIDTH, HEIGHT = 560, 470
PROGRAM = ["forward_backward(data, loss)", "optim_step(adam)", "sample(prompt)"]
CARE = ["requests in order, each once", "retries, limits, encodings", "a future for every call"]
SERVERS = [
    ("hosted service", "its GPUs, your key"),
    ("your own server", "SkyRL, TuFT, Hatchery"),
    ("local:", "no GPU, no key"),
]

STYLE = """
    svg { font-family: ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif; }
    .page { fill: #ffffff; } rect.box { stroke-width: 1.5; }
    .you { fill: #f2f4f7; stroke: #98a2b3; } .tin { fill: #e4effd; stroke: #5b8def; }
    .server { fill: #e3f5e9; stroke: #4ba36b; }
    text { text-anchor: middle; fill: #344054; font-size: 15px; }
    .name { font-weight: 600; font-size: 18px; fill: #1d2939; }
    .code { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; }
    .short { font-size: 16px; } .small { font-size: 13px; }
    path { fill: none; stroke: #667085; stroke-width: 2; } marker path { fill: #667085; stroke: none; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #14181f; }
      .you { fill: #262c36; stroke: #667085; } .tin { fill: #1b2c47; stroke: #5b8def; }
      .server { fill: #173124; stroke: #4ba36b; }
      text { fill: #c3cad5; } .name { fill: #f2f4f7; }
      path { stroke: #98a2b3; } marker path { fill: #98a2b3; stroke: none; }
    }
"""


def box(kind: str, x: int, y: int, width: int, height: int) -> str:
    """Return a box with round corners."""
    return f'<rect class="box {kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/>'


def line(text: str, x: int, y: int, kind: str = "") -> str:
    """Return a line of text around x."""
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def arrow(x1: int, y1: int, x2: int, y2: int) -> str:
    """Return an arrow that leaves and arrives upright."""
    middle = (y1 + y2) // 2
    return f'<path d="M{x1},{y1} C{x1},{middle} {x2},{middle} {x2},{y2}" marker-end="url(#tip)"/>'


def render() -> str:
    """Return the picture."""
    middle = WIDTH // 2
    parts = [
        box("you", 110, 20, 340, 118),
        line("your training loop", middle, 46, "name"),
        *(line(call, middle, 72 + 24 * place, "code") for place, call in enumerate(PROGRAM)),
        arrow(middle, 138, middle, 176),
        box("tin", 110, 178, 340, 118),
        line("Tinsmith", middle, 204, "name"),
        *(line(text, middle, 230 + 24 * place) for place, text in enumerate(CARE)),
    ]
    for place, (name, text) in enumerate(SERVERS):
        x = 98 + place * 182
        parts += [arrow(middle + (place - 1) * 90, 296, x, 362), box("server", x - 84, 364, 168, 84)]
        parts += [line(name, x, 398, "name short"), line(text, x, 424, "small")]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
            f' height="{HEIGHT}" role="img" aria-labelledby="title">',
            "<!-- Written by docs/overview.py. Do not edit; run `make docs`. -->",
            f'<title id="title">{TITLE}</title>',
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
            ' orient="auto"><path d="M0,1 L10,5 L0,9 z"/></marker></defs>',
            f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="12"/>',
            *parts,
            "</svg>\n",
        ]
    )


def main(arguments: list[str]) -> int:
    """Write the picture, or compare it."""
    if "--check" not in arguments:
        PICTURE.write_text(render())
        return 0
    if PICTURE.exists() and PICTURE.read_text() == render():
        return 0
    sys.stderr.write(f"{PICTURE.name} is not what its generator draws; run make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
