"""Value and Model: what all public values can do that the official ones can.

Owns reading and writing them as plain mappings and JSON, changed copies, what is unknown of them, and their
description for pydantic. Must not import pydantic: who uses it calls the hook, and has it.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from copy import deepcopy
from datetime import datetime
from enum import Enum
from functools import cache, partial
from inspect import cleandoc
from typing import Any, Literal, Self, get_type_hints

import attrs

from .errors import InputError
from .ownership import is_array
from .reading import UNNAMED, named_fields, own_fields

Extra = Mapping[str, Any] | bytes
"""Fields of a JSON object by name, or of a protobuf message as its bytes."""

FACTORY: Any = attrs.Factory
"""The class of defaults that are made anew, which the types of attrs call a function."""


@cache
def _as_dataclass(cls: Any) -> Any:
    """Make the dataclass that has the fields of a value; only its description is used."""
    fields: list[Any] = [
        (field.name, field.hint)
        if field.default is attrs.NOTHING
        else (
            field.name,
            field.hint,
            dataclasses.field(default_factory=field.default.factory)
            if isinstance(field.default, FACTORY)
            else dataclasses.field(default=field.default),
        )
        for field in named_fields(cls)
    ]
    return dataclasses.make_dataclass(cls.__name__, fields, kw_only=True)


def _inherited_type(cls: type, name: str) -> Any:
    """Return the type of a field of a base, whose module knows names that the module of `cls` does not."""
    return next(hints[name] for base in cls.__mro__[1:] if name in (hints := _own_types(base)))


@cache
def _own_types(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls) if attrs.has(cls) else {}


class _Described:
    """A class attribute that is made when somebody asks for it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, value: object, cls: type) -> Any:
        if not attrs.has(cls):
            raise AttributeError(self._name)
        return getattr(_as_dataclass(cls), self._name)


class Value:
    """The base of all values: `model_*` methods and iteration, as pydantic's models have them."""

    __slots__ = ()

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        """Give the constructor the types of the fields, where attrs has the Any that a converter takes."""
        made: Any = cls
        shown = made.__init__.__annotations__
        for field in attrs.fields(made):
            if shown.get(field.alias) in (Any, "Any"):
                shown[field.alias] = _inherited_type(cls, field.name) if field.inherited else field.type

    # What the functions of the module dataclasses look for: some official values are dataclasses, and
    # programs call `replace`, `fields` and `asdict` with them.
    __dataclass_fields__ = _Described("__dataclass_fields__")
    __dataclass_params__ = _Described("__dataclass_params__")

    @classmethod
    def of_owned(cls, **fields: Any) -> Self:
        """Keep all fields as they are, neither checked nor copied; for decoders, and for nobody else."""
        made = cls.__new__(cls)
        for name, value in fields.items():
            object.__setattr__(made, name, value)
        return made

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield the name and the value of each field."""
        return ((name, value) for name, value, _ in self._named())

    def _repr_html_(self) -> str | None:
        """Return the table that a notebook shows."""
        from .tables import value_table

        return value_table(self)

    def _named(self) -> Iterator[tuple[str, Any, object]]:
        """Yield name, value and default of each field."""
        cls: Any = type(self)
        for field in named_fields(cls):
            yield field.name, getattr(self, field.attribute), field.default

    def model_dump(
        self,
        *,
        mode: Literal["python", "json"] | str = "python",
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        by_alias: bool | None = None,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """Return the fields by name, and those of the values in them: lists for arrays, base64 for bytes.

        In mode `json` times are texts too, and all of it can be written as JSON. `include` and `exclude` are
        names of fields of the value itself; `by_alias` changes nothing, because no field has another name.
        """
        for names in (include, exclude):
            if isinstance(names, (str, Mapping)):
                raise InputError(f"include and exclude are sets of names, not {names!r:.100}")
        plain = partial(
            _plain,
            as_json=mode == "json",
            dump=lambda value: value.model_dump(
                mode=mode, exclude_defaults=exclude_defaults, exclude_none=exclude_none
            ),
        )
        return {
            name: plain(value)
            for name, value, default in self._named()
            if (include is None or name in include)
            and (exclude is None or name not in exclude)
            and not (exclude_none and value is None)
            and not (exclude_defaults and _is_default(value, default))
        }

    def model_dump_json(
        self,
        *,
        indent: int | None = None,
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        by_alias: bool | None = None,
        exclude_defaults: bool = False,
        exclude_none: bool = False,
    ) -> str:
        """Return the JSON of `model_dump`; NaN and infinities are null. `indent` is in spaces."""
        import orjson

        fields = self.model_dump(
            mode="json",
            include=include,
            exclude=exclude,
            exclude_defaults=exclude_defaults,
            exclude_none=exclude_none,
        )
        written = orjson.dumps(fields, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
        if indent is None:
            return written.decode()
        return json.dumps(orjson.loads(written), indent=indent, ensure_ascii=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed, which are checked as in the constructor."""
        changes = dict(update or {})
        _refuse_unknown(type(self), changes)
        own = deepcopy(self) if deep else self
        return attrs.evolve(own, **changes)  # type: ignore[misc]  # every value is an attrs class

    @classmethod
    def model_validate(cls, obj: object) -> Self:
        """Build a value from a mapping of its fields, or take one as it is; an error names the field.

        Fields that are not known are kept where a value is open to them, and else refused.
        """
        if isinstance(obj, cls):
            return obj
        if not isinstance(obj, Mapping):
            raise InputError(f"must be a {cls.__name__} or a mapping of its fields, not {obj!r:.100}")
        return cls._of_mapping(obj)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray) -> Self:
        """Build a value from the JSON of its fields."""
        import orjson

        try:
            return cls.model_validate(orjson.loads(json_data))
        except orjson.JSONDecodeError as cause:
            raise InputError(f"is no JSON of a {cls.__name__}: {cause}") from cause

    @classmethod
    def _of_mapping(cls, fields: Mapping[str, Any]) -> Self:
        hashed: Any = cls  # checkers take the hash of the values for that of the class
        names = named_fields(hashed)
        known = {field.name: fields[field.name] for field in names if field.name in fields}
        for field in names:
            if field.default is attrs.NOTHING and field.name not in known:
                raise InputError(f"is missing; {cls.__name__} needs it", field=field.name)
        unknown = {name: value for name, value in fields.items() if name not in known}
        if unknown and issubclass(cls, Model):
            known[UNNAMED] = unknown
        else:
            _refuse_unknown(cls, unknown)
        return cls(**known)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: Any) -> Any:
        """Describe to pydantic, which calls this, how the class is built, written and shown as a schema."""
        from pydantic_core import core_schema

        hashed: Any = cls  # checkers take the hash of the values for that of the class
        fields = {
            field.name: core_schema.typed_dict_field(
                handler.generate_schema(field.hint), required=field.default is attrs.NOTHING
            )
            for field in named_fields(hashed)
        }
        return core_schema.no_info_wrap_validator_function(
            lambda value, _: cls.model_validate(value),
            core_schema.typed_dict_schema(fields, cls_name=cls.__name__),
            serialization=core_schema.plain_serializer_function_ser_schema(_serialized, info_arg=True),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> Any:
        """Name and describe the class and its fields in the JSON schemas that pydantic makes."""
        made: dict[str, Any] = {**handler(schema), "title": cls.__name__}
        words, fields = _texts_of(cls.__doc__ or "")
        if words:
            made["description"] = words
        if "properties" in made:
            made["properties"] = {
                name: {**part, "description": fields[name]} if name in fields else part
                for name, part in made["properties"].items()
            }
        return made


@attrs.frozen(field_transformer=own_fields)
class Model(Value):
    """A value to which newer servers and clients may add fields."""

    extra: Extra | None = attrs.field(default=None, kw_only=True, repr=False, eq=False)
    """Fields that this version does not know, sent back as they came, in the encoding in which they came.

    They take no part in comparisons, so that what a newer server adds changes nothing here.
    """


def unknown_among(fields: Mapping[str, Any], known: Set[str]) -> Mapping[str, Any] | None:
    """Return those fields of a JSON object that are not known, or None."""
    if fields.keys() <= known:
        return None
    return {name: value for name, value in fields.items() if name not in known}


def named_extra(value: object) -> Mapping[str, Any]:
    """Return the unknown fields of any value that JSON has a name for."""
    extra = getattr(value, "extra", None)
    return extra if isinstance(extra, Mapping) else {}


def as_mapping(value: Any) -> dict[str, Any]:
    """Return the fields of a value and of the values in it by name, the unknown ones among them."""
    known = {
        field.name: _by_name(getattr(value, field.name))
        for field in attrs.fields(type(value))
        if field.name != "extra"
    }
    return {**named_extra(value), **known}


def _by_name(part: Any) -> Any:
    if attrs.has(type(part)):
        return as_mapping(part)
    if isinstance(part, (list, tuple)):
        return [_by_name(item) for item in part]
    return part


def _serialized(value: Value, info: Any) -> dict[str, Any]:
    return value.model_dump(
        mode=info.mode, exclude_defaults=info.exclude_defaults, exclude_none=info.exclude_none
    )


def _texts_of(docstring: str) -> tuple[str, dict[str, str]]:
    """Return what the docstring of a value says first, and what its list says of each field."""
    text = cleandoc(docstring)
    fields = re.findall(r"^\* `(\w+)`: (.+(?:\n  .+)*)", text, re.MULTILINE)
    return _on_one_line(text.partition("\n\n")[0]), {name: _on_one_line(words) for name, words in fields}


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _refuse_unknown(cls: Any, fields: Mapping[str, Any]) -> None:
    names = [field.name for field in named_fields(cls)]
    for name in fields:
        if name not in names:
            raise InputError(f"is no field of {cls.__name__}; it has {', '.join(names)}", field=str(name))


def _is_default(value: object, default: Any) -> bool:
    if default is attrs.NOTHING:
        return False
    return bool(value == (default.factory() if isinstance(default, FACTORY) else default))


def _plain(value: Any, as_json: bool, dump: Callable[[Value], Any]) -> Any:
    """Return what a field holds without values of this package in it."""
    if isinstance(value, Value):
        return dump(value)
    if is_array(value):
        return value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(part, as_json, dump) for name, part in value.items()}
    if isinstance(value, (list, tuple, range, frozenset)):
        items = [_plain(item, as_json, dump) for item in value]
        return tuple(items) if isinstance(value, tuple) and not as_json else items
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if as_json and isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if as_json and isinstance(value, Enum):
        return value.value
    return value
