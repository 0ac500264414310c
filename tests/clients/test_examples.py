"""The examples in docstrings do what they print, against the embedded service."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest
import tinsmith
from tinsmith import clients, data, testing

if TYPE_CHECKING:
    from types import ModuleType

PACKAGES = (clients, data, testing)
MODULES = [
    f"{each.__name__}.{module.name}" for each in PACKAGES for module in pkgutil.iter_modules(each.__path__)
]
CLIENTS = ("ServiceClient", "TrainingClient", "SamplingClient", "RestClient")


def examples(module: ModuleType) -> list[doctest.DocTest]:
    """Return the docstrings of a module that have examples."""
    found = doctest.DocTestFinder(exclude_empty=True).find(module)
    return [test for test in found if test.examples]


@pytest.mark.parametrize(
    "name",
    [name for name in MODULES if examples(importlib.import_module(name))],
    ids=lambda name: name.removeprefix("tinsmith."),
)
def test_the_examples_run(name: str) -> None:
    """A reader who pastes them gets what they print."""
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0
    assert outcome.attempted > 0


@pytest.mark.parametrize("owner", CLIENTS)
def test_every_client_has_an_example_and_names_its_errors(owner: str) -> None:
    """Whoever reads the class alone knows how it is used and what it raises."""
    text = getattr(tinsmith, owner).__doc__
    assert ">>> " in text
    assert "InputError" in text
    assert "`applied`" in text
