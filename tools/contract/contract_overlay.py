"""Writes what the generator reads: the contract, with what it would otherwise not see put where it looks.

Usage: contract_overlay.py CONTRACT TARGET. The contract itself stays as people and other tools read it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from contract_document import Json, load, operations, resolve


def for_generation(document: Json) -> Json:
    """Return the generator's view of a contract."""
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
