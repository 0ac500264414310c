"""The notebooks of the documentation: they run, show what is stored, and become pages of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from docs.run_notebooks import FOLDER, differences, execute, nbformat, read, settle
from tests.redacted import traces
from tools.site.notebook_pages import page_of

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    """A supervised loop, and reinforcement learning."""
    assert [path.stem for path in NOTEBOOKS] == ["first-loop", "reinforcement"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_fresh_kernel_shows_what_is_stored(path: Path) -> None:
    """Without a key and in an empty folder: no error, and the same outputs but for what varies."""
    stored, fresh = read(path), read(path)
    for cell in fresh.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs = []
    execute(fresh)
    settle(fresh)
    assert differences(fresh, stored) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_stored_names_no_machine_and_no_failure(path: Path) -> None:
    """Each cell was run, in order, without an error; neither a path nor a key is in the file."""
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert [output for cell in code for output in cell.outputs if output.output_type == "error"] == []
    assert traces(path.read_text()) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_has_all_cells_and_a_text_for_each_picture(path: Path) -> None:
    """Sources, tables and pictures are there, and nothing that a browser would run or fetch."""
    page, pictures = page_of(path)
    for cell in read(path).cells:
        assert cell.source in page
    assert pictures
    for name, picture in pictures.items():
        assert picture.startswith(b"\x89PNG")
        assert f"]({name})" in page
        assert f"![]({name})" not in page
    assert "<script" not in page
    assert "src=" not in page


def test_what_differs_from_run_to_run_is_replaced() -> None:
    """Ids, times and speeds, each id by the same everywhere; numbers stay; of a table only HTML is kept."""

    def notebook(name: str, loss: str) -> Any:
        cell = nbformat.v4.new_code_cell("x", execution_count=1)
        table = {"text/html": f"<td>session-{name}:train:0</td>", "text/plain": "x" * 99}
        text = f"{name} at 2026-03-04 05:06:07, {loss}, 123.4 tokens/s, 0:00:09 left, 0.1234567890123456789\n"
        cell.outputs = [
            nbformat.v4.new_output("execute_result", data=table, execution_count=1),
            nbformat.v4.new_output("stream", text=text),
        ]
        made = nbformat.v4.new_notebook(cells=[cell])
        settle(made)
        return made

    first, again, other = (
        notebook("0a1b2c3d4e5f0a1b", "loss 0.5000"),
        notebook("1a1b2c3d4e5f0a1b", "loss 0.5001"),
        notebook("0a1b2c3d4e5f0a1b", "loss 0.6000"),
    )
    table, text = first.cells[0].outputs
    assert list(table["data"]) == ["text/html"]
    assert "0a1b2c3d4e5f0a1b" not in str(first)
    assert text["text"].split(" ")[0] in table["data"]["text/html"]
    assert text["text"].endswith(
        " at 2026-12-01 12:00:00, loss 0.5000, 600 tokens/s, 0:00:01 left, 0.1234567890123456789\n"
    )
    assert differences(first, again) == []
    assert len(differences(first, other)) == 1
    first.cells[0].metadata["tags"] = other.cells[0].metadata["tags"] = ["varies"]
    assert differences(first, other) == []
