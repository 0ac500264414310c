"""A real kernel: bars below cells, tables, and the interrupt."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from docs.run_notebooks import execute, kernel, nbformat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jupyter_client.blocking.client import BlockingKernelClient
    from jupyter_client.manager import KernelManager

CELLS = (
    """
    import time
    from tinsmith.progress import EvaluationDisplay, ProgressDisplay, StepDisplay, TrainingDisplay

    with TrainingDisplay(200) as display:
        for step in range(1, 201):
            display(step, {"loss": 1 / step, "tokens": 10})
            time.sleep(0.005)
    """,
    """
    with EvaluationDisplay(2) as display, StepDisplay("Checking") as steps:
        display(loss=0.5, weight=1.0, score=None)
        steps.step("healthz")
        display(loss=1.5, weight=1.0, score=None)
    """,
    """
    import tinsmith

    service = tinsmith.ServiceClient(base_url="local:")
    with ProgressDisplay(of=service):
        trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
        tokenizer = trainer.get_tokenizer()  # a cell may wait, though the kernel's loop runs
        step = trainer.optim_step(tinsmith.AdamParams())
        awaited = await step
    """,
    "trainer",
    "step",
    "awaited",
    "service.close();",
)


@pytest.fixture(scope="module")
def outputs() -> list[list[Any]]:
    """Run the cells; return the outputs of each."""
    cells = [nbformat.v4.new_code_cell(dedent(cell)) for cell in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    execute(notebook)
    return [cell.outputs for cell in notebook.cells]


def test_a_bar_is_one_output_that_changes(outputs: list[list[Any]]) -> None:
    """Two hundred steps are one line at the end, without colours; so are two bars at once, and requests."""
    texts = [[output["data"]["text/plain"] for output in cell] for cell in outputs[:3]]
    assert len(texts[0]) == 1
    assert texts[0][0].startswith("step 200/200")
    assert "loss 0.0050" in texts[0][0]
    assert "0:00:00 left" in texts[0][0]
    assert len(texts[1]) == 2
    assert texts[1][0].startswith("record 2/2")
    assert "healthz" in texts[1][1]
    assert len(texts[2]) == 1
    assert "requests 1/1" in texts[2][0]
    assert "0 waiting, 0 in flight" in texts[2][0]
    assert not [text for cell in texts for text in cell if "\x1b" in text]


def test_what_a_cell_ends_in_is_a_table(outputs: list[list[Any]]) -> None:
    """A client, a future and a result."""
    for cell, word in zip(outputs[3:6], ("ready", "finished", "step:max"), strict=True):
        assert [word in output["data"]["text/html"] for output in cell] == [True]
        assert cell[0]["data"]["text/html"].startswith("<table")
    assert outputs[6] == []


@pytest.fixture
def client(tmp_path: Path) -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    """Start a kernel; give its manager and a client."""
    with kernel(str(tmp_path)) as manager:
        client = manager.client()
        client.start_channels()
        client.wait_for_ready()
        yield manager, client
        client.stop_channels()


def test_an_interrupt_ends_a_wait(client: tuple[KernelManager, BlockingKernelClient]) -> None:
    """A result that never comes is given up at once; the bar stays, and the kernel goes on."""
    manager, asked = client
    asked.execute(
        "import tinsmith\nfrom tinsmith.progress import TrainingDisplay\n"
        "with TrainingDisplay(3):\n    tinsmith.APIFuture().result()"
    )
    shown: list[Any] = []
    while True:
        message = asked.get_iopub_msg()
        shown.append(message)
        if message["msg_type"] == "display_data":
            manager.interrupt_kernel()
        if message["content"].get("execution_state") == "idle":
            break
    kinds = [message["msg_type"] for message in shown]
    assert kinds.count("display_data") == 1
    (error,) = [message["content"] for message in shown if message["msg_type"] == "error"]
    assert error["ename"] == "KeyboardInterrupt"
    assert asked.execute("1 + 1", reply=True)["content"]["status"] == "ok"
