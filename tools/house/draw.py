"""Draw the packages of the facade and who imports whom, from the import graph, into docs/house.svg.

Usage: python -m tools.house.draw [--check]. With --check the picture is compared and not written.

A box is a name of the drawing in docs/architecture.md, with the beginning of its docstring. It stands above
what it imports. An arrow that follows from others is left out; one that is made in functions only is dashed.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from attrs import Factory, define

from tools.house.graph import ROOT, House, heights, read
from tools.house.layers import PAGE, Layers, drawn, place_of

if TYPE_CHECKING:
    from collections.abc import Mapping

PICTURE = ROOT / "docs" / "house.svg"

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 184, 66, 22, 54, 24
LINE_WIDTH, LINES = 27, 2
"""Letters in a line of a box, and lines below its name."""
LONG_NAME = 20
"""Letters of a name that fit into a box in its usual size."""
LANE_WIDTH = 12
"""What an arrow needs that passes a floor between two boxes."""
SWEEPS = 40
"""How often the order of the floors is improved; more changes nothing."""
TEXTS = {"tinsmith_api": "Generated from openapi/tinker.yaml"}
"""What the docstring does not say."""
KINDS = {"io": "io", "core": "core", "tinsmith_api": "generated", "tinsmith_local": "embedded"}
"""First part of a name -> its colour; every other name has the one of `top`."""

TITLE = (
    "The packages of Tinsmith. An arrow points to what is imported; one that follows from others is left out."
)

STYLE = """
    svg { font-family: ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif; }
    .page { fill: #ffffff; }
    rect.box { stroke-width: 1.2; }
    .top { fill: #f2f4f7; stroke: #98a2b3; } .io { fill: #e4effd; stroke: #5b8def; }
    .core { fill: #e3f5e9; stroke: #4ba36b; } .generated { fill: #fdf1d8; stroke: #c9952c; }
    .embedded { fill: #f1e8fb; stroke: #9068c8; }
    .name { font: 600 14px ui-monospace, 'DejaVu Sans Mono', monospace; fill: #1d2939; }
    .long { font-size: 12px; } .text { font-size: 11px; fill: #475467; }
    path { fill: none; stroke: #667085; stroke-width: 1.3; } marker path { fill: #667085; stroke: none; }
    .door { stroke-dasharray: 5 4; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #14181f; }
      .top { fill: #262c36; stroke: #667085; } .io { fill: #1b2c47; stroke: #5b8def; }
      .core { fill: #173124; stroke: #4ba36b; } .generated { fill: #3a2e13; stroke: #c9952c; }
      .embedded { fill: #2c2140; stroke: #9068c8; }
      .name { fill: #f2f4f7; } .text { fill: #c3cad5; }
      path { stroke: #98a2b3; } marker path { fill: #98a2b3; stroke: none; }
    }
"""


# ---- what is drawn --------------------------------------------------------------------------------------


def packages(house: House, layers: Layers) -> dict[str, set[str]]:
    """Return the arrows between the drawn names, without those that follow from others."""
    arrows: dict[str, set[str]] = {}
    for module, targets in house.arrows.items():
        place = place_of(module, layers)
        if place:
            found = {place_of(target, layers) for target in targets} - {None, place}
            arrows.setdefault(place, set()).update(name for name in found if name)
    for name in [name for name in arrows if name.split(".")[-1].startswith("__")]:
        through = arrows.pop(name)  # a package's own file only hands out names of others
        for targets in arrows.values():
            targets |= through if name in targets else set()
            targets.discard(name)
    for target in set().union(*arrows.values()) - arrows.keys():
        arrows[target] = set()
    return {
        name: {target for target in arrows[name] if not _follows(arrows, name, target)} for name in arrows
    }


def _follows(arrows: Mapping[str, set[str]], name: str, target: str) -> bool:
    """Say whether a way leads to the target through something else that the name imports."""
    return any(
        target in below(arrows, other) and other not in below(arrows, target)
        for other in arrows[name] - {target}
    )


def below(arrows: Mapping[str, set[str]], name: str) -> set[str]:
    """Return everything that a name reaches."""
    found: set[str] = set()
    stack = [*arrows[name]]
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack += arrows[node]
    return found - {name}


def text_of(name: str, house: House) -> str:
    """Return the beginning of a docstring: to its first colon, full stop or bracket; to a comma if long."""
    if name in TEXTS:
        return TEXTS[name]
    document = ast.get_docstring(ast.parse(house.files[name].read_text())) or ""
    text = re.split(r"[:.](?=\s|$)| \(|\n\n", document)[0].replace("`", "").replace("\n", " ")
    return text if len(textwrap.wrap(text, LINE_WIDTH)) <= LINES else text.split(",")[0]


# ---- where it stands ------------------------------------------------------------------------------------


@define
class Spot:
    """A box, or the place where an arrow passes a floor."""

    name: str
    floor: int
    x: float = 0.0
    """The middle."""
    below: list[Spot] = Factory(list)
    above: list[Spot] = Factory(list)
    passes: bool = False

    @property
    def width(self) -> float:
        """What it takes of the floor, gap included."""
        return LANE_WIDTH + GAP_X / 2 if self.passes else BOX_WIDTH + GAP_X


def floors_of(arrows: Mapping[str, set[str]]) -> list[list[Spot]]:
    """Give each name its floor, the lowest first, and cut long arrows into pieces of one floor.

    What nobody imports is what a person starts with, and stands on top.
    """
    height = heights(arrows)
    imported = set().union(*arrows.values())
    height |= {name: max(height.values()) for name in arrows if name not in imported}
    spots = {name: Spot(name, height[name]) for name in sorted(arrows)}
    floors: list[list[Spot]] = [[] for _ in range(max(height.values()))]
    for spot in spots.values():
        floors[spot.floor - 1].append(spot)
    for name, targets in sorted(arrows.items()):
        for target in sorted(targets):
            upper = spots[name]
            for floor in range(height[name] - 1, height[target], -1):
                lane = Spot(f"{name}>{target}", floor, passes=True)
                floors[floor - 1].append(lane)
                _join(upper, lane)
                upper = lane
            _join(upper, spots[target])
    return floors


def _join(upper: Spot, lower: Spot) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def arrange(floors: list[list[Spot]]) -> float:
    """Order each floor so that few arrows cross, put spots near what they are joined to; return the width."""
    for floor in floors:
        _spread(floor)
    for sweep in range(SWEEPS):
        down = sweep % 2
        for floor in reversed(floors) if down else floors:
            wanted = {}
            for spot in floor:
                near = (spot.above if down else spot.below) or [*spot.above, *spot.below] or [spot]
                wanted[id(spot)] = sum(other.x for other in near) / len(near)
            if sweep < SWEEPS - 4:
                floor.sort(key=lambda spot: (wanted[id(spot)], spot.name))
            for spot in floor:
                spot.x = wanted[id(spot)]
            _spread(floor, wanted)
    left = min(spot.x - spot.width / 2 for floor in floors for spot in floor)
    for floor in floors:
        for spot in floor:
            spot.x += MARGIN - left
    return max(spot.x + spot.width / 2 for floor in floors for spot in floor) + MARGIN


def _spread(floor: list[Spot], wanted: Mapping[int, float] | None = None) -> None:
    """Push the spots of a floor apart, in their order, and as near to where they want to be as that goes."""
    groups: list[tuple[list[Spot], float]] = []  # spots that touch, and the middle of the first one
    for spot in floor:
        group, start = [spot], wanted[id(spot)] if wanted else 0.0
        while groups and groups[-1][1] + _length(groups[-1][0], group[0]) > start:
            earlier, _ = groups.pop()
            group = [*earlier, *group]
            offsets = [_length(group[:place], one) if place else 0.0 for place, one in enumerate(group)]
            start = sum(
                (wanted[id(one)] if wanted else 0.0) - by for one, by in zip(group, offsets, strict=True)
            )
            start /= len(group)
        groups.append((group, start))
    for group, start in groups:
        for place, spot in enumerate(group):
            spot.x = start + (_length(group[:place], spot) if place else 0.0)


def _length(before: list[Spot], spot: Spot) -> float:
    """Return how far the middle of a spot is from that of the first of those that touch before it."""
    return sum(one.width for one in before) - before[0].width / 2 + spot.width / 2


# ---- the picture ----------------------------------------------------------------------------------------


def render(house: House, layers: Layers) -> str:
    """Return the picture."""
    floors = floors_of(packages(house, layers))
    width = arrange(floors)
    height = MARGIN * 2 + len(floors) * BOX_HEIGHT + (len(floors) - 1) * GAP_Y
    boxes = [spot for floor in floors for spot in floor if not spot.passes]
    doors = {(place_of(source, layers), place_of(target, layers)) for source, target in layers.late}
    lines = [_arrow(spot, lower, len(floors), doors) for spot in boxes for lower in spot.below]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}"'
            f' height="{height}" role="img" aria-labelledby="title">',
            "<!-- Written by tools/house/draw.py from the import graph. Do not edit; run `make docs`. -->",
            f'<title id="title">{TITLE}</title>',
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
            ' orient="auto"><path d="M0,1 L10,5 L0,9 z"/></marker></defs>',
            f'<rect class="page" width="{width:.0f}" height="{height}" rx="12"/>',
            *lines,
            *(part for spot in boxes for part in _box(spot, text_of(spot.name, house), len(floors))),
            "</svg>\n",
        ]
    )


def _top(floor: int, count: int) -> float:
    return MARGIN + (count - floor) * (BOX_HEIGHT + GAP_Y)


def _arrow(start: Spot, lower: Spot, count: int, doors: set[tuple[str | None, str | None]]) -> str:
    """Draw an arrow through the lanes that it passes, dashed if it is made in functions only."""
    upper = start
    path = [f"M{start.x:.0f},{_top(start.floor, count) + BOX_HEIGHT:.0f}"]
    while True:
        y, end = _top(upper.floor, count) + BOX_HEIGHT, _top(lower.floor, count)
        middle = (y + end) / 2
        path.append(f"C{upper.x:.0f},{middle:.0f} {lower.x:.0f},{middle:.0f} {lower.x:.0f},{end:.0f}")
        if not lower.passes:
            kind = ' class="door"' if (start.name, lower.name) in doors else ""
            return f'<path{kind} d="{" ".join(path)}" marker-end="url(#tip)"/>'
        path.append(f"L{lower.x:.0f},{end + BOX_HEIGHT:.0f}")
        upper, lower = lower, lower.below[0]


def _box(spot: Spot, text: str, count: int) -> list[str]:
    name = spot.name.removeprefix("tinsmith.")
    kind = KINDS.get(name.split(".")[0], "top")
    left, top, middle = f"{spot.x - BOX_WIDTH / 2:.0f}", _top(spot.floor, count), f"{spot.x:.0f}"
    lines = [(21, "name long" if len(name) > LONG_NAME else "name", name)]
    for line in textwrap.wrap(text, LINE_WIDTH, max_lines=LINES, placeholder=" …"):
        lines.append((lines[-1][0] + (18 if len(lines) == 1 else 14), "text", line))
    return [
        f'<rect class="box {kind}" x="{left}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="7"/>',
        *(
            f'<text class="{style}" x="{middle}" y="{top + down}" text-anchor="middle">{escape(line)}</text>'
            for down, style, line in lines
        ),
    ]


def main(arguments: list[str]) -> int:
    """Write the picture, or with --check compare it."""
    wanted = render(read(), drawn(PAGE.read_text()))
    if "--check" not in arguments:
        PICTURE.write_text(wanted)
        return 0
    if PICTURE.exists() and PICTURE.read_text() == wanted:
        return 0
    print(f"{PICTURE.relative_to(ROOT)} is not what the imports say: make docs")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
