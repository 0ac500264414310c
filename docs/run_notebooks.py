"""Runs the notebooks in docs/notebooks and writes down what their cells show.

Usage: run_notebooks.py (`make notebooks`). It takes a minute, so it is no part of docs/generate.py: run it
after a change of a notebook, or of what its cells show. Ids, times and speeds are replaced by ones that stay.
Each notebook runs in a kernel of this interpreter, in an empty folder, with no settings but those in it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from docs.cli_examples import DATE, LEFT, SPEED

if TYPE_CHECKING:
    from collections.abc import Iterator

nbformat: Any = import_module("nbformat")  # only some of its functions have types

FOLDER = Path(__file__).parent / "notebooks"

KEPT = ("HOME", "LANG", "LC_ALL", "PATH")
"""What a kernel gets of the environment: it must not find a key or an address."""

ID = re.compile(r"(?<![\w.])(?=[0-9]*[a-f])[0-9a-f]{16,}(?!\w)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")

NEAR = 0.02
"""Relative distance of numbers that two machines may compute for the same."""


@contextmanager
def kernel(folder: str) -> Iterator[KernelManager]:
    """Start a kernel of this interpreter in a folder, and end it. It keeps all of its files there."""
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    only_ours = KernelSpecManager(kernel_dirs=[])  # what else the machine calls python3 may be another
    manager = KernelManager(
        connection_file=os.path.join(folder, "kernel.json"), kernel_spec_manager=only_ours
    )
    manager.start_kernel(cwd=folder, env={**environment, "IPYTHONDIR": folder})
    try:
        yield manager
    finally:
        manager.shutdown_kernel(now=True)


def execute(notebook: Any) -> None:
    """Run the cells of a notebook in a kernel of their own, and keep what they show. An error is raised."""
    with tempfile.TemporaryDirectory() as folder, kernel(folder) as manager:
        client: Any = NotebookClient(notebook, km=manager, timeout=None)
        try:
            client.execute()
        finally:
            client.kc.stop_channels()


def read(path: Path) -> Any:
    """Read a notebook."""
    return nbformat.read(path, as_version=4)


def settle(notebook: Any) -> None:
    """Replace in what cells show what differs from run to run; of a table the plain text is left out."""
    ids: dict[str, str] = {}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if data.keys() & {"text/html", "image/png"}:
                data.pop("text/plain", None)
            if "text" in output:
                output["text"] = _settled(ids, output["text"])
            for kind in data:
                if kind.startswith("text/"):
                    data[kind] = _settled(ids, data[kind])
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def _settled(ids: dict[str, str], text: str) -> str:
    def id_of(found: re.Match[str]) -> str:
        number = ids.setdefault(found[0], str(len(ids)))
        return hashlib.sha256(number.encode()).hexdigest()[: len(found[0])]

    text = LEFT.sub("0:00:01 left", SPEED.sub("600 tokens/s", ID.sub(id_of, text)))
    return DATE.sub("2026-12-01 12:00:00", text)


def shown(notebook: Any) -> list[list[str]]:
    """Return the texts that each cell of code shows, but for cells with the tag `varies`.

    Pictures are left out: they depend on the version of what draws them.
    """
    return [
        [str(text) for output in cell.outputs for text in _texts(output)]
        for cell in notebook.cells
        if cell.cell_type == "code" and "varies" not in cell.metadata.get("tags", [])
    ]


def _texts(output: Any) -> list[str]:
    data = output.get("data", {})
    return (
        [output["text"]] if "text" in output else [data[kind] for kind in sorted(data) if kind[:5] == "text/"]
    )


def differences(one: Any, other: Any) -> list[str]:
    """Return the texts of cells that differ in more than a number that is near."""
    pairs = zip(shown(one), shown(other), strict=True)
    return [
        f"{first} is not {second}"
        for first, second in pairs
        if not _alike("\n".join(first), "\n".join(second))
    ]


def _alike(one: str, other: str) -> bool:
    if NUMBER.sub("0", one) != NUMBER.sub("0", other):
        return False
    numbers = zip(map(float, NUMBER.findall(one)), map(float, NUMBER.findall(other)), strict=True)
    return all(abs(first - second) <= NEAR * max(abs(first), abs(second)) + 1e-6 for first, second in numbers)


def main() -> int:
    """Run all notebooks, and write them."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = read(path)
        execute(notebook)
        settle(notebook)
        nbformat.write(notebook, path)
        sys.stdout.write(f"{path.name}: {len(notebook.cells)} cells\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
