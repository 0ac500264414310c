"""The house of docs/architecture.md: no circle, no arrow up, every module drawn, every name given once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.house.draw import packages, render
from tools.house.graph import House, circles, floors, inside, read
from tools.house.layers import PAGE, drawn, faults

if TYPE_CHECKING:
    from pathlib import Path

IO_FLOORS = 6
"""The longest way down through `io`, a sub-package counted as one step."""

PAGE_OF_A_SMALL_HOUSE = """## Who may import whom

```
cli -> clients -> io.queues, io.session
    -> io.http -> core
testing -> io, core
only clients -> core.secret
only in functions io.http -> core.late
```
"""

SMALL_HOUSE = {
    "cli/__init__.py": "from tinsmith.clients import training",
    "clients/training.py": "import tinsmith.io.queues.jobs\nfrom ..core import secret",
    "io/queues/jobs.py": "from tinsmith.io import session\nfrom tinsmith.io.http import sender",
    "io/session.py": "from tinsmith.core import retry",
    "io/http/sender.py": "def send():\n    from tinsmith.core.late import Slow",
    "core/retry.py": "import attrs",
    "core/secret.py": "",
    "core/late.py": "class Slow: ...",
    "testing/ledger.py": "from tinsmith.io import session",
}


def built(folder: Path, files: dict[str, str]) -> House:
    """Write a small package and read its graph."""
    for name, text in files.items():
        path = folder / "tinsmith" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        for package in [*path.relative_to(folder).parents][:-1]:
            (folder / package / "__init__.py").touch()
        path.write_text(text)
    return read(folder, {"tinsmith": "tinsmith"})


@pytest.fixture(scope="module")
def house() -> House:
    """Give the graph of the whole repository."""
    return read()


def test_the_house_is_as_it_is_drawn(house: House) -> None:
    """No circle, no arrow up, nothing that is not drawn, no name twice."""
    assert not faults(house, drawn(PAGE.read_text()))


def test_io_has_few_floors(house: House) -> None:
    """A reader of `io` goes down a few steps, and none up."""
    assert floors(inside(house.arrows, "tinsmith.io")) <= IO_FLOORS


def test_a_sound_house_has_no_fault(tmp_path: Path) -> None:
    """What the drawing allows is not reported."""
    layers = drawn(PAGE_OF_A_SMALL_HOUSE)
    assert faults(built(tmp_path, SMALL_HOUSE), layers) == {}


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (
            "io/session.py",
            "from tinsmith.clients import training",
            "arrow up: tinsmith.io.session -> tinsmith.clients.training",
        ),
        (
            "core/retry.py",
            "from ..io.http import sender",
            "arrow up: tinsmith.core.retry -> tinsmith.io.http.sender",
        ),
        (
            "core/retry.py",
            "if TYPE_CHECKING:\n    from tinsmith.io.http.sender import send",
            "arrow up: tinsmith.core.retry -> tinsmith.io.http.sender",
        ),
        (
            "core/retry.py",
            "def late():\n    import tinsmith.io.session as session",
            "arrow up: tinsmith.core.retry -> tinsmith.io.session",
        ),
        (
            "core/retry.py",
            "HOMES = {'tinsmith.io.session': 'Session'}",
            "arrow up: tinsmith.core.retry -> tinsmith.io.session",
        ),
        (
            "testing/ledger.py",
            "import tinsmith.clients",
            "arrow up: tinsmith.testing.ledger -> tinsmith.clients",
        ),
        (
            "io/session.py",
            "from tinsmith.core import secret",
            "arrow up: tinsmith.io.session -> tinsmith.core.secret",
        ),
        (
            "io/http/sender.py",
            "from tinsmith.core.late import Slow",
            "not inside a function: tinsmith.io.http.sender -> tinsmith.core.late",
        ),
        ("io/session.py", "from tinsmith.io.queues import jobs", "circle in tinsmith.io"),
        ("io/extra.py", "", "not drawn: tinsmith.io"),
        ("cli/retry.py", "", "file name twice in tinsmith: retry.py"),
        ("cli/other.py", "def inner():\n    class Slow: ...", "class name twice in tinsmith: Slow"),
    ],
)
def test_a_planted_fault_is_found(tmp_path: Path, name: str, text: str, fault: str) -> None:
    """Each kind of fault, also inside functions, under TYPE_CHECKING and in tables of names, is reported."""
    layers = drawn(PAGE_OF_A_SMALL_HOUSE)
    found = faults(built(tmp_path, SMALL_HOUSE | {name: text}), layers)
    assert fault in found
    assert {other for other in found if not other.startswith("circle")} <= {fault}


def test_circles_are_joined_and_counted_as_one_floor() -> None:
    """Two circles that meet are one; the way down goes through it once."""
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": {"c", "e"}, "e": set(), "f": {"e"}}
    assert circles(arrows) == [{"b", "c", "d"}]
    assert floors(arrows) == 3
    assert circles({"a": {"b"}, "b": set()}) == []


def test_the_picture_has_each_package_and_the_arrows_that_do_not_follow(tmp_path: Path) -> None:
    """A name is a box; an arrow that others imply is left out, one made in functions is dashed."""
    page = PAGE_OF_A_SMALL_HOUSE.replace("core.late", "late").replace(
        "    -> io.http -> core", "    -> io.http -> core, late"
    )
    small = {name: text.replace("core.late", "late") for name, text in SMALL_HOUSE.items()}
    house, layers = built(tmp_path, small | {"late/__init__.py": '"""Slow: comes late."""'}), drawn(page)
    assert packages(house, layers)["tinsmith.cli"] == {"tinsmith.clients"}
    assert packages(house, layers)["tinsmith.io.queues"] == {"tinsmith.io.http", "tinsmith.io.session"}
    picture = render(house, layers)
    assert picture == render(house, layers)
    assert picture.count('<rect class="box') == 8
    assert picture.count("marker-end") == 7
    assert picture.count('class="door"') == 1
    assert ">Slow</text>" in picture
