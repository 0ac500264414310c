"""The reference is whole: every public name, setting, environment variable, error and event has its place."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import attrs
import pytest
import tinsmith
from tinsmith import types
from tinsmith.core import config
from tinsmith.io import events

from tests.docs.test_generated import script

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
SOURCES = (ROOT / "facade" / "tinsmith", ROOT / "embedded" / "tinsmith_local")
SHARED = {"Value", "FaultPlan", "_CountDisplay"}
"""Bases whose other methods are hooks for their own classes, such as the constructor of decoders."""
OURS = re.compile(r"\b(?:TINKER|TINSMITH)_[A-Z_]+\b")


@pytest.fixture(scope="module")
def pages() -> Any:
    """Load the generator of settings, errors, events and variables."""
    return script("docs/reference_pages.py")


@pytest.fixture(scope="module")
def python() -> Any:
    """Load the generator of the pages about Python."""
    return script("docs/python_reference.py")


def headings(page: Path) -> set[str]:
    """Return the headings of a page."""
    return set(re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE))


def setting_classes() -> list[type]:
    """Return `ClientConfig` and the classes of its parts."""
    found = [value for value in vars(config).values() if isinstance(value, type) and attrs.has(value)]
    return [one for one in found if one.__module__ == config.__name__]


def test_every_setting_is_on_its_page() -> None:
    """Each field of each class of settings has a row in the section of its class, with a meaning."""
    text = (REFERENCE / "settings.md").read_text()
    counted = 0
    for cls in setting_classes():
        (section,) = re.findall(rf"^## {cls.__name__}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        for field in attrs.fields(cls):
            (row,) = re.findall(rf"^\| `{field.name}`<br>.*$", section, re.MULTILINE)
            assert all(cell.strip() for cell in row.strip("|").split(" | ")), row
            counted += 1
    assert counted > 70


def test_every_error_is_on_its_page_with_applied_and_advice(pages: Any) -> None:
    """Each public error says what it means, what `applied` is then, and what to do."""
    found = headings(REFERENCE / "errors.md")
    for cls in pages.error_classes():
        assert all(pages.told(cls))
        assert cls.__name__ in found
    assert len(found) >= 30


def test_an_error_without_advice_is_refused(pages: Any) -> None:
    """The generator stops at a docstring that does not say what to do, and names the class."""

    class SilentError(tinsmith.TinkerError):
        """Something.

        Applied: no.
        """

    with pytest.raises(SystemExit, match='SilentError lacks a line "Applied: …" or "Do: …"'):
        pages.told(SilentError)


def test_every_event_is_on_its_page() -> None:
    """Each class that has a kind of event is delivered, and its section has all of its fields."""
    text = (REFERENCE / "events.md").read_text()
    kinds = [one for one in vars(events).values() if isinstance(one, type) and hasattr(one, "kind")]
    assert set(kinds) == set(get_args(events.Event))
    for cls in kinds:
        (section,) = re.findall(rf"^## {cls.__name__}\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
        for field in attrs.fields(cls):
            assert f"| `{field.name}` |" in section


def read_variables() -> Iterator[str]:
    """Yield the environment variables that the sources name: our own anywhere, others where they are read."""
    for source in SOURCES:
        for path in source.rglob("*.py"):
            text = path.read_text()
            yield from OURS.findall(text)
            for node in ast.walk(ast.parse(text)):
                match node:
                    case ast.Call(func=ast.Name(id="set_variables"), args=names):
                        yield from (one.value for one in names if isinstance(one, ast.Constant))  # type: ignore[misc]
                    case (
                        ast.Call(
                            func=ast.Attribute(attr="get" | "getenv", value=ast.Name(id="env" | "os")),
                            args=[ast.Constant(value=str(name)), *_],
                        )
                        | ast.Call(func=ast.Name(id="_switched_on"), args=[_, ast.Constant(value=str(name))])
                    ):
                        yield name


def test_every_environment_variable_is_on_its_page(pages: Any) -> None:
    """Each variable that the package reads has a section, and names a setting that exists."""
    found = set(read_variables())
    assert {"TINKER_API_KEY", "DO_NOT_TRACK", "SSL_CERT_FILE", "XDG_CACHE_HOME"} <= found
    assert found <= headings(REFERENCE / "environment.md")
    settings = {field.name for field in attrs.fields(config.ClientConfig)}
    assert {setting for setting, _ in pages.VARIABLES.values()} - {""} <= settings


def test_every_public_method_is_on_a_page() -> None:
    """Each method and property of a public class has a text, and is shown where the class or its base is.

    The site shows what the clients and the future inherit (tools/site/hooks.py); the methods of all values
    are named once, on their page.
    """
    of_values = (REFERENCE / "python" / "values.md").read_text()
    counted = 0
    for page in (REFERENCE / "python").glob("*.md"):
        for module, name in re.findall(r"^<!-- api: ([\w.]+)\.(\w+) -->$", page.read_text(), re.MULTILINE):
            cls = getattr(importlib.import_module(module), name, None)
            inherits = module.startswith("tinsmith.clients.") or name == "APIFuture"
            for member, owner in public_members(cls):
                text = inspect.getdoc(getattr(owner, member))
                assert text, f"{module}.{name}.{member} has no docstring"
                named = f"| `{member}` |" in of_values
                assert owner is cls or inherits or named or owner.__name__ in SHARED, f"{name}.{member}"
                counted += 1
    assert counted > 1000


def public_members(cls: object) -> Iterator[tuple[str, type]]:
    """Yield the methods and properties of a class that are defined in our packages, with where."""
    bases = inspect.getmro(cls) if isinstance(cls, type) else ()
    for name in dir(cls) if bases else ():
        owner: type = next((one for one in bases if name in vars(one)), object)
        member = vars(owner).get(name)
        called = callable(member) or isinstance(member, (property, classmethod, staticmethod))
        if called and not name.startswith("_") and owner.__module__.startswith("tinsmith"):
            yield name, owner


def test_every_public_name_is_on_a_page(python: Any) -> None:
    """Each name of the package and of its public modules has a heading and a sentence."""
    written = [
        name
        for page in python.FOLDER.glob("*.md")
        for name in re.findall(r"^## (\w+)\n\n.+", page.read_text(), re.MULTILINE)
    ]
    elsewhere = headings(REFERENCE / "errors.md") | headings(REFERENCE / "settings.md")
    modules = {"data", "export", "train", "types"}
    names = {name for name in tinsmith.__all__ if not name.startswith("__")} - modules
    assert names <= {*written, *elsewhere}
    assert set(dir(types)) <= {*written, *elsewhere}
    for module in python.modules():
        page = (python.FOLDER / f"{module}.md").read_text()
        offered = python.public(__import__(f"tinsmith.{module}", fromlist=["x"]))
        assert offered
        assert [name for name in offered if f"## {name}\n" not in page] == []
    assert {"data", "export", "train", "testing", "progress", "compat"} <= set(python.modules())
