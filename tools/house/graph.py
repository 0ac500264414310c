"""The import graph of the repository: who imports whom, its circles and its floors.

Every import counts: inside functions, under TYPE_CHECKING, and by name (a string that is exactly the name of
a module, as the tables of lazy packages hold them). Nothing is imported; the files are parsed.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROOT = Path(__file__).parents[2]

HOMES = {
    "tinsmith": "facade/tinsmith",
    "tinsmith_local": "embedded/tinsmith_local",
    "tinsmith_api": "generated/tinsmith_api",
    "tools.contract": "tools/contract",
    "tools.house": "tools/house",
    "openapi.runtime": "openapi/runtime",
    "docs": "docs",
    "examples": "examples",
    "benchmarks": "benchmarks",
    "tests": "tests",
}
"""Package -> its folder."""

FLAT = {"tools.contract", "openapi.runtime", "docs", "examples", "benchmarks"}
"""Folders of programs, which import each other by bare names."""


# ---- the graph ------------------------------------------------------------------------------------------


@frozen
class House:
    """Modules by dotted name, and who imports whom."""

    files: dict[str, Path]
    """Dotted name -> file. A package stands for its `__init__.py`."""
    arrows: dict[str, set[str]]
    """Dotted name -> modules of the house that it imports."""
    early: dict[str, set[str]]
    """The part of `arrows` that is followed when the module itself is imported."""


def read(root: Path = ROOT, homes: Mapping[str, str] = HOMES) -> House:
    """Parse every Python file of the packages that exist."""
    files = {}
    for home, folder in homes.items():
        for path in sorted((root / folder).rglob("*.py")):
            parts = [home, *path.relative_to(root / folder).with_suffix("").parts]
            files[".".join(parts).removesuffix(".__init__")] = path
    arrows: dict[str, set[str]] = {}
    early: dict[str, set[str]] = {}
    for name, path in files.items():
        tree = ast.parse(path.read_text())
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        arrows[name] = set(_imported(ast.walk(tree), package, files)) - {name}
        early[name] = set(_imported(_early(tree), package, files)) & arrows[name]
    return House(files=files, arrows=arrows, early=early)


def _early(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk what runs at import: no function, nothing under TYPE_CHECKING, no table of names."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            stack += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Constant):
            yield node
            stack += ast.iter_child_nodes(node)


def _imported(nodes: Iterable[ast.AST], package: list[str], files: Mapping[str, Path]) -> Iterator[str]:
    for node in nodes:
        wanted: list[str] = []
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = [*base, *(node.module or "").split(".")]
            wanted = [".".join([*filter(None, stem), alias.name]) for alias in node.names]
        elif isinstance(node, ast.Constant) and str(node.value) in files and "." in str(node.value):
            yield str(node.value)
        for target in wanted:
            sibling = ".".join([*package, target])
            if ".".join(package) in FLAT and _module(sibling, files) not in {None, ".".join(package)}:
                target = sibling
            if found := _module(target, files):
                yield found


def _module(name: str, files: Mapping[str, Path]) -> str | None:
    """Return the longest beginning of a dotted name that is a module."""
    parts = name.split(".")
    while parts and ".".join(parts) not in files:
        parts.pop()
    return ".".join(parts) or None


# ---- circles and floors ---------------------------------------------------------------------------------


def circles(arrows: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Return the groups of nodes that import each other, directly or around a corner."""
    return [set(group) for group in _condensed(arrows) if len(group) > 1]


def heights(arrows: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """Return how many nodes the longest way down from each one has, itself and a circle counted as one."""
    graph = _condensed(arrows)
    height: dict[frozenset[str], int] = {}
    for group in TopologicalSorter(graph).static_order():
        height[group] = 1 + max((height[below] for below in graph[group]), default=0)
    return {node: count for group, count in height.items() for node in group}


def floors(arrows: Mapping[str, Iterable[str]]) -> int:
    """Count the nodes of the longest way down."""
    return max(heights(arrows).values(), default=0)


def _condensed(arrows: Mapping[str, Iterable[str]]) -> dict[frozenset[str], set[frozenset[str]]]:
    """Join the nodes of every circle into one."""
    nodes = set(arrows).union(*arrows.values())
    groups = {node: frozenset([node]) for node in nodes}
    while True:
        graph: dict[frozenset[str], set[frozenset[str]]] = defaultdict(set)
        for node in sorted(nodes):
            graph[groups[node]] |= {groups[target] for target in arrows.get(node, ())} - {groups[node]}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            joined: frozenset[str] = frozenset().union(*error.args[1])
            groups.update(dict.fromkeys(joined, joined))
        else:
            return dict(graph)


def inside(arrows: Mapping[str, Iterable[str]], package: str) -> dict[str, set[str]]:
    """Return the arrows between the direct children of a package; a sub-package counts as one node."""

    def child(name: str) -> str | None:
        if name == package:
            return "__init__"
        return name[len(package) + 1 :].split(".")[0] if name.startswith(package + ".") else None

    found: dict[str, set[str]] = defaultdict(set)
    for name, targets in arrows.items():
        if source := child(name):
            found[source] |= {target for item in targets if (target := child(item)) and target != source}
    return dict(found)
