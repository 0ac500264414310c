"""The public surface against the tables: names, parameters, kinds and async twins."""

from __future__ import annotations

import inspect
import re
from typing import Any

import attrs
import pytest
import tinsmith
from tinsmith import types

from tests.clients.surface import (
    ATTRIBUTES,
    CONTEXT_MANAGERS,
    LATER_METHODS,
    METHODS,
    SEAMS,
    SERVICE_KEYWORDS,
    Method,
)
from tests.clients.surface_values import (
    ERRORS,
    EXPORTS,
    FIELDS,
    OWN_EXPORTS,
    RETRY_CONFIG,
    TYPES,
    VALUE_METHODS,
)

ALL_METHODS = METHODS + LATER_METHODS
CLIENTS = ("ServiceClient", "TrainingClient", "SamplingClient", "RestClient", "APIFuture")


def expected(parameters: str) -> dict[str, Any]:
    """Return name -> default of a parameter list written as in a `def`."""
    signature = inspect.signature(eval(f"lambda {parameters}: None"))
    return {parameter.name: parameter.default for parameter in signature.parameters.values()}


def parameters_of(function: Any) -> list[inspect.Parameter]:
    """Return the parameters of a method, without `self`."""
    return [parameter for name, parameter in inspect.signature(function).parameters.items() if name != "self"]


def members_of(cls: type) -> dict[str, Any]:
    """Return what a class and its own bases define."""
    ours = [base for base in reversed(cls.__mro__) if base.__module__.startswith("tinsmith")]
    return {name: member for base in ours for name, member in vars(base).items()}


def disagreements(function: Any, first: str, later: str) -> list[str]:
    """Say where a signature is not `first`, in order and by position, with `later` somewhere behind it."""
    ours = parameters_of(function)
    wanted = expected(first)
    found = []
    if [parameter.name for parameter in ours][: len(wanted)] != list(wanted):
        found.append(f"begins with {[parameter.name for parameter in ours][: len(wanted)]}")
    for parameter in ours:
        by_position = parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if parameter.kind in {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}:
            found.append(f"passes *{parameter.name} through")
        elif parameter.name in wanted:
            if not by_position or parameter.default != wanted[parameter.name]:
                found.append(f"{parameter} is not by position with default {wanted[parameter.name]!r}")
        elif parameter.default is inspect.Parameter.empty:
            found.append(f"needs {parameter.name}, which the official method does not have")
    defaults = {parameter.name: parameter.default for parameter in ours}
    for name, default in expected(later).items():
        if name not in defaults or defaults[name] != default:
            found.append(f"lacks {name}={default!r}")
    return found


def plain(annotation: Any) -> str:
    """Return an annotation as text without module names: `types.Datum` -> `Datum`."""
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", str(annotation))


def test_all_is_pinned() -> None:
    """`tinsmith.__all__` holds every official export and our own, no other name, and each resolves."""
    assert set(tinsmith.__all__) == EXPORTS | OWN_EXPORTS
    assert len(tinsmith.__all__) == len(set(tinsmith.__all__))
    assert [name for name in tinsmith.__all__ if getattr(tinsmith, name, None) is None] == []


def test_types_are_exported() -> None:
    """Every name of the official `types` is in ours, and each of ours resolves."""
    assert TYPES - set(dir(types)) == set()
    assert [name for name in dir(types) if getattr(types, name, None) is None] == []


@pytest.mark.parametrize("row", ALL_METHODS, ids=lambda row: f"{row.owner}.{row.name}")
def test_method(row: Method) -> None:
    """A method of the table is an ordinary function with this signature and this kind of result."""
    function = inspect.getattr_static(getattr(tinsmith, row.owner), row.name)
    assert inspect.isfunction(function)
    assert not inspect.iscoroutinefunction(function)
    assert disagreements(function, row.parameters, row.later) == []
    wanted = f"APIFuture[{row.result}]" if row.returns == "future" else row.result
    assert plain(inspect.signature(function).return_annotation) == wanted


@pytest.mark.parametrize(
    "row", [row for row in ALL_METHODS if row.twin != "none"], ids=lambda row: f"{row.owner}.{row.name}_async"
)
def test_async_twin(row: Method) -> None:
    """The `_async` twin is a coroutine function with the same parameters and the promised result."""
    owner = getattr(tinsmith, row.owner)
    twin = inspect.getattr_static(owner, f"{row.name}_async")
    assert inspect.iscoroutinefunction(twin)
    assert [str(parameter) for parameter in parameters_of(twin)] == [
        str(parameter) for parameter in parameters_of(getattr(owner, row.name))
    ]
    wanted = f"APIFuture[{row.result}]" if row.twin == "future" else row.result
    assert plain(inspect.signature(twin).return_annotation) == wanted


@pytest.mark.parametrize("owner", CLIENTS[:4])
def test_every_async_method_has_a_plain_one(owner: str) -> None:
    """No client has an `_async` method without its plain form."""
    cls = getattr(tinsmith, owner)
    names = {name for name in members_of(cls) if name.endswith("_async")}
    assert {name for name in names if not hasattr(cls, name.removesuffix("_async"))} == set()


@pytest.mark.parametrize("owner", CLIENTS[:4])
def test_public_methods_pass_nothing_through(owner: str) -> None:
    """No public method takes `**kwargs`: a misspelt argument is an error at the call."""
    loose = {
        name
        for name, member in members_of(getattr(tinsmith, owner)).items()
        if inspect.isfunction(member) and (not name.startswith("_") or name == "__init__")
        if any(
            parameter.kind is inspect.Parameter.VAR_KEYWORD
            for parameter in inspect.signature(member).parameters.values()
        )
    }
    assert loose == set()


def test_service_client_constructor() -> None:
    """`user_metadata` is the one positional argument; what 0.6.3 passed through is named and keyword-only."""
    ours = {parameter.name: parameter for parameter in parameters_of(tinsmith.ServiceClient.__init__)}
    assert next(iter(ours)) == "user_metadata"
    by_position = [
        name for name, parameter in ours.items() if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    assert by_position in (["user_metadata"], ["user_metadata", "project_id"])
    for name in SERVICE_KEYWORDS:
        assert (ours[name].kind, ours[name].default) == (inspect.Parameter.KEYWORD_ONLY, None)


def test_sampling_client_create() -> None:
    """`SamplingClient.create` is static, takes the holder and keywords, and returns a future."""
    create = inspect.getattr_static(tinsmith.SamplingClient, "create")
    assert isinstance(create, staticmethod)
    signature = inspect.signature(create)
    first, *rest = signature.parameters.values()
    assert first.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert {"model_path", "base_model", "sampling_session_id", "retry_config"} <= {
        parameter.name for parameter in rest if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    assert plain(signature.return_annotation) == "APIFuture[SamplingClient]"


def test_future() -> None:
    """An APIFuture is a `concurrent.futures.Future` that can be awaited."""
    assert [base.__module__ for base in tinsmith.APIFuture.__mro__ if base.__name__ == "Future"] == [
        "concurrent.futures._base"
    ]
    assert hasattr(tinsmith.APIFuture, "__await__")
    assert hasattr(tinsmith.APIFuture, "cancel")


@pytest.mark.parametrize("owner", CONTEXT_MANAGERS)
def test_context_manager(owner: str) -> None:
    """`with` and `async with` close the client."""
    cls = getattr(tinsmith, owner)
    for name in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
        assert callable(getattr(cls, name))


@pytest.mark.parametrize(("owner", "name"), ATTRIBUTES)
def test_public_attribute(owner: str, name: str) -> None:
    """Attributes that programs read are there, declared or set by the constructor."""
    cls = getattr(tinsmith, owner)
    declared = name in inspect.get_annotations(cls) or name in getattr(cls, "__slots__", ())
    assert declared or hasattr(cls, name) or f"self.{name}" in inspect.getsource(cls.__init__)


@pytest.mark.parametrize(("owner", "name"), SEAMS)
def test_public_seam(owner: str, name: str) -> None:
    """The doors that replace reaching into private code are there, and say what they are for."""
    assert inspect.getdoc(inspect.getattr_static(getattr(tinsmith, owner), name))


@pytest.mark.parametrize("name", FIELDS)
def test_value_fields(name: str) -> None:
    """A value is built with the official field names and defaults."""
    ours = inspect.signature(getattr(types, name)).parameters
    for field, default in expected(_required_last(FIELDS[name])).items():
        assert ours[field].default == default, field
    extra = set(ours) - set(expected(_required_last(FIELDS[name])))
    assert [field for field in extra if ours[field].default is inspect.Parameter.empty] == []


@pytest.mark.parametrize("name", VALUE_METHODS)
def test_value_methods(name: str) -> None:
    """The conveniences of the values exist."""
    assert [method for method in VALUE_METHODS[name] if not hasattr(getattr(types, name), method)] == []


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    """Errors hang in the official tree."""
    base, _ = ERRORS[name]
    assert issubclass(getattr(tinsmith, name), getattr(tinsmith, base))


def test_retry_config() -> None:
    """RetryConfig is public and has the official fields."""
    ours = inspect.signature(tinsmith.RetryConfig).parameters
    for field, default in expected(RETRY_CONFIG).items():
        assert ours[field].default == default, field
    assert "retryable_exceptions" in ours


def test_values_are_frozen() -> None:
    """A value cannot be changed after it was built."""
    params = types.AdamParams()
    with pytest.raises(AttributeError):
        params.learning_rate = 1.0  # type: ignore[misc]


def test_a_wrong_signature_is_found() -> None:
    """The comparison can fail: order, default, missing and pass-through are all reported."""

    def wrong(self: Any, b: int, a: int = 2, *, must: int, **rest: int) -> None: ...

    found = disagreements(wrong, "a, b=3", "c=None")
    assert len(found) == 6, found


def _required_last(parameters: str) -> str:
    """Reorder fields so that they form a `def`: those without a default first."""
    fields = [field.strip() for field in parameters.split(",")]
    return ", ".join(sorted(fields, key=lambda field: "=" in field))


@pytest.mark.parametrize("home", [tinsmith, types], ids=lambda home: home.__name__)
def test_help_shows_every_field(home: Any) -> None:
    """The text of a public class names each of its fields, and `help()` shows it."""
    values = [getattr(home, name) for name in dir(home)]
    lacking = [
        f"{value.__name__}.{field.alias}"
        for value in values
        if inspect.isclass(value) and attrs.has(value)
        for field in attrs.fields(value)
        if not field.name.startswith("_") and field.name != "extra"
        if f"* `{field.alias}`: " not in (inspect.getdoc(value) or "")
    ]
    assert lacking == []
