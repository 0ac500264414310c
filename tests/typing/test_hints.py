"""Annotations of all that is public can be read at run time, as frameworks and documentation tools do."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_type_hints

import attrs
import pytest
import tinsmith
from tinsmith import types
from tinsmith.core import values

if TYPE_CHECKING:
    from collections.abc import Iterator


def methods(name: str, public: Any) -> Iterator[tuple[str, Any]]:
    """Yield the functions of a public name: itself, or its methods and properties with its constructor."""
    if inspect.isfunction(public):
        yield name, public
    if not isinstance(public, type):
        return
    yield name, public
    for attribute in dir(public):
        if attribute.startswith("_") and attribute != "__init__":
            continue
        found = inspect.getattr_static(public, attribute)
        found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
        if inspect.isfunction(found) and found.__module__.startswith("tinsmith"):
            yield f"{name}.{attribute}", found


PUBLIC = {
    label: function
    for owner, names in ((tinsmith, tinsmith.__all__), (values, dir(values)), (types, dir(types)))
    for name in names
    if not name.startswith("__")
    for label, function in methods(name, getattr(owner, name))
}


@pytest.mark.parametrize("label", sorted(PUBLIC))
def test_annotations_can_be_read(label: str) -> None:
    """Each name in them means something in its module."""
    get_type_hints(PUBLIC[label])


def test_many_methods_are_tried() -> None:
    """Of clients, values, futures and errors."""
    assert len(PUBLIC) > 300
    assert {"TrainingClient.forward_backward", "APIFuture.result", "TensorData.from_torch"} <= set(PUBLIC)


@pytest.mark.parametrize("name", [name for name in dir(types) if attrs.has(getattr(types, name))])
def test_constructors_show_the_types_of_the_fields(name: str) -> None:
    """What a converter of all values takes is not shown in their place; inherited fields have theirs too."""
    cls = getattr(types, name)
    hints, shown = get_type_hints(cls), get_type_hints(cls.__init__)
    vague = {field.name for field in attrs.fields(cls) if field.init and shown.get(field.alias, Any) is Any}
    assert vague == {field for field in vague if hints[field] is Any}
    assert set(inspect.signature(cls).parameters) <= set(shown)


def test_a_signature_is_read_by_people() -> None:
    """Numbers, what may be left out, values in values, and what newer servers add."""
    assert get_type_hints(types.AdamParams.__init__)["learning_rate"] is float
    run = get_type_hints(types.TrainingRun.__init__)
    assert run["last_checkpoint"] == types.Checkpoint | None
    assert run["extra"] == Mapping[str, Any] | bytes | None


def test_nothing_is_loaded_for_them() -> None:
    """Making values and naming the clients loads neither numpy nor httpx nor torch."""
    program = (
        "import sys, tinsmith; from tinsmith import types; types.TensorData([1], 'int64');"
        "sys.exit(bool({'numpy', 'httpx', 'torch', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_service_loads_no_client_that_nobody_asked_for() -> None:
    """What its annotations name is loaded with the first of its kind."""
    program = (
        "import sys, tinsmith; tinsmith.ServiceClient;"
        "kinds = {f'tinsmith.clients.{kind}' for kind in ('training', 'sampling', 'rest', 'raw')};"
        "sys.exit(bool({'jinja2', *kinds} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
