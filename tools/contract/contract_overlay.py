"""Writes what the generator reads: the contract, with what it would otherwise not see put where it looks.

Usage: contract_overlay.py CONTRACT TARGET. The contract itself stays as people and other tools read it. What
is taken out of it or narrowed stands in overlay.yaml and overlay_generator.yaml.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from contract_document import Json, load, operations, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


def narrow(document: Json) -> Json:
    """Return a copy of a contract with overlay.yaml applied, and without references to what it took out."""
    narrowed = copy.deepcopy(document)
    _apply(narrowed, HERE / "overlay.yaml")
    for op in operations(narrowed):
        if "parameters" in op.node:
            op.node["parameters"] = [one for one in op.node["parameters"] if _leads_somewhere(narrowed, one)]
    return narrowed


def _apply(document: Json, overlay: Path) -> None:
    """Apply an OpenAPI overlay whose targets are made of names, `['names']`, `*` and `[?@.name]`."""
    for action in yaml.safe_load(overlay.read_text(encoding="utf-8"))["actions"]:
        steps = re.findall(r"[.](?:[*]|\w+)|\[[^]]+\]", action["target"])
        for holder, key in list(_places(document, steps)):
            if action.get("remove"):
                del holder[key]
            else:
                holder[key].update(action["update"])


def _places(node: Json, steps: list[str]) -> Iterator[tuple[Json, str]]:
    """Find what a target names: its holder and its key. What is not there is no error."""
    if not isinstance(node, dict):
        return
    first, *rest = steps
    if first.startswith("[?@."):
        wanted = first[4:-1]
        keys = [key for key, value in node.items() if isinstance(value, dict) and wanted in value]
    else:
        keys = [key for key in node if first in (".*", f".{key}", f"['{key}']")]
    for key in keys:
        if rest:
            yield from _places(node[key], rest)
        else:
            yield node, key


def _leads_somewhere(document: Json, node: Json) -> bool:
    try:
        resolve(document, node)
    except KeyError:
        return False
    return True


def for_generation(document: Json) -> Json:
    """Return the generator's view of a contract."""
    document = narrow(document)
    _apply(document, HERE / "overlay_generator.yaml")
    for op in operations(document):
        # The generator reads the security of operations and not that of the document.
        op.node.setdefault("security", document.get("security", []))
        # It drops the words of parameters and the extensions of operations: the operation's text says them.
        words = [op.node.get("description", "").strip(), *_more_words(document, op.node)]
        op.node["description"] = "\n\n".join(words)
    return document


def _more_words(document: Json, node: Json) -> list[str]:
    """Return the paragraphs about an operation's parameters and about the result of its promise."""
    found = []
    if node.get("parameters"):
        lines = []
        for parameter in (resolve(document, each) for each in node["parameters"]):
            name = parameter["name"].lower().replace("-", "_")
            lines.append(f"* `{name}`: {' '.join(parameter.get('description', '').split())}")
        found.append("\n".join(lines))
    if node.get("x-tinker-result"):
        found.append(f"The answer is a promise: `wait` for it as {node['x-tinker-result']}.")
    return found


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(for_generation(load(Path(sys.argv[1])))), encoding="utf-8")
