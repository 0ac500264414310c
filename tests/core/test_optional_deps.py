"""The lists of optional libraries are those of pyproject.toml, and a missing one is named at once."""

import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from tinsmith import MissingExtraError, ServiceClient
from tinsmith.core import optional_deps

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


def canonical(name: str) -> str:
    """Spell a distribution's name in one way."""
    return name.lower().replace("_", "-")


@pytest.mark.parametrize("extra", optional_deps.LIBRARIES)
def test_lists_are_those_of_the_package(extra: str) -> None:
    """An extra's import names belong to just the distributions that the extra installs."""
    declared = {
        canonical(requirement.split(">")[0]) for requirement in PROJECT["optional-dependencies"][extra]
    }
    owners = packages_distributions()
    assert {canonical(owners[name][0]) for name in optional_deps.LIBRARIES[extra]} == declared


def test_local_service_without_its_extra_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client of `local:` names the extra before anything is asked of it."""
    monkeypatch.setitem(optional_deps.LIBRARIES, "local", ("starlette", "no_such_library"))
    with pytest.raises(MissingExtraError, match=r"local:.*tinsmith\[local\]"):
        ServiceClient(base_url="local:")


def test_an_installed_extra_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is raised where every library can be imported."""
    monkeypatch.setitem(optional_deps.LIBRARIES, "local", ("json", "tomllib"))
    optional_deps.require_extra("this test", "local")
