"""The layers that docs/architecture.md draws, and what in the import graph goes against them.

A line of the drawing is a chain, `a, b -> c -> d`: each name may import the names to its right and those
beside it. A line that begins with `only` says that nobody else imports what is on its right; `only in
functions`, that even these import it inside functions. A name stands for a module, or for a package and all
that is in it; names of the facade leave out `tinsmith.`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from attrs import frozen

from tools.house.graph import ROOT, House, circles, inside, read

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs" / "architecture.md"

BLOCK = re.compile(r"^## Who may import whom\n.*?^```\n(?P<drawing>.*?)^```$", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"(only )?(in functions )?(.*)")


@frozen
class Layers:
    """The drawing, read."""

    may: dict[str, set[str]]
    """Drawn name -> names that it may import, itself and what stands beside it among them."""
    only: dict[str, set[str]]
    """Name -> the only names that may import it."""
    late: set[tuple[str, str]]
    """Pairs of importer and imported that meet inside functions only."""


def drawn(page: str) -> Layers:
    """Read the drawing from the text of the page."""
    found = BLOCK.search(page)
    if found is None:
        raise ValueError("docs/architecture.md has no drawing under 'Who may import whom'")
    layers = Layers(may=defaultdict(set), only=defaultdict(set), late=set())
    lowest = set()
    for line in re.sub(r"\n\s+->", " ->", found["drawing"]).splitlines():
        only, late, chain = LINE.fullmatch(line).groups()  # type: ignore[union-attr]
        groups = [{_full(name) for name in group.split(",")} for group in chain.split("->")]
        if only:
            for target in groups[1]:
                layers.only[target] |= groups[0]
                layers.late.update((source, target) for source in groups[0] if late)
            continue
        for place, group in enumerate(groups[:-1]):
            for name in group:
                layers.may[name].update(*groups[place:])
        lowest |= groups[-1]
    for name in lowest:  # neither a name for several drawn ones, as `io`, nor a part of one
        if not any(_covers(name, other) or _covers(other, name) for other in layers.may):
            layers.may[name].add(name)
    return layers


def _full(name: str) -> str:
    name = name.strip()
    return name if name.startswith("tinsmith_") else f"tinsmith.{name}"


def _covers(name: str, module: str) -> bool:
    return module == name or module.startswith(name + ".")


def place_of(module: str, layers: Layers) -> str | None:
    """Return the longest drawn name that covers a module; the facade's own file is `tinsmith.__init__`."""
    fits = [name for name in layers.may if _covers(name, _itself(module))]
    return max(fits, key=len, default=None)


def _itself(module: str) -> str:
    return "tinsmith.__init__" if module == "tinsmith" else module


# ---- faults ---------------------------------------------------------------------------------------------


def faults(house: House, layers: Layers) -> Counter[str]:
    """Return what is wrong, each with how often: circles, arrows up, modules not drawn, names given twice."""
    return Counter([*_circles(house), *_arrows(house, layers), *_names(house)])


def _circles(house: House) -> Iterator[str]:
    packages = {name.rpartition(".")[0] for name in house.files} - {""}
    for package in sorted(packages):
        for circle in circles(inside(house.arrows, package)):
            yield from [f"circle in {package}"] * len(circle)


def _arrows(house: House, layers: Layers) -> Iterator[str]:
    for module, targets in house.arrows.items():
        if module.split(".")[0] not in {"tinsmith", "tinsmith_local"}:
            continue
        if place_of(module, layers) is None:
            if targets or house.files[module].name != "__init__.py":
                yield f"not drawn: {'.'.join(module.split('.')[:2])}"
            continue
        for target in sorted(targets):
            if not _allowed(module, target, layers):
                yield f"arrow up: {module} -> {target}"
            elif target in house.early[module] and _late(module, target, layers):
                yield f"not inside a function: {module} -> {target}"


def _allowed(here: str, there: str, layers: Layers) -> bool:
    place = place_of(here, layers)
    if place is None or (place_of(there, layers) is None and there.startswith("tinsmith.")):
        return True  # it is reported as not drawn
    for target, sources in layers.only.items():
        if _covers(target, there) and not _covers(target, here):
            return any(_covers(source, here) for source in sources)
    return any(_covers(name, _itself(there)) for name in layers.may[place])


def _late(here: str, there: str, layers: Layers) -> bool:
    return any(_covers(source, here) and _covers(target, there) for source, target in layers.late)


def _names(house: House) -> Iterator[str]:
    """Find file names and class names that stand twice in one of the packages written by hand."""
    for package in ("tinsmith", "tinsmith_local"):
        mine = {name: path for name, path in house.files.items() if name.split(".")[0] == package}
        names = Counter(path.name for path in mine.values())
        classes = Counter(
            node.name
            for path in mine.values()
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ClassDef)
        )
        for name, count in names.items():
            if count > 1 and not name.startswith("__"):
                yield from [f"file name twice in {package}: {name}"] * count
        for name, count in classes.items():
            if count > 1:
                yield from [f"class name twice in {package}: {name}"] * count


def main() -> int:
    """Print the faults, and say whether there are any."""
    found = faults(read(), drawn(PAGE.read_text()))
    for text, count in sorted(found.items()):
        print(count, text)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
