"""Renders the models of the generated package: schemas as frozen classes and as other names of types.

The generator drops what these need: the words beside a reference, named unions, bounds, known defaults. Part
of contract_finish.py; owns the text of `tinsmith_api.models` and `tinsmith_api.values`.
"""

from __future__ import annotations

import keyword
import re
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

from contract_document import Json, resolve
from contract_schema_rules import side
from contract_types import BOUNDS, PLAIN, templates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

REFERENCE = "#/components/schemas/"
CHECKED = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minItems", "maxItems")
LIMITS = {keyword: BOUNDS[keyword] for keyword in CHECKED}
"""Keywords of JSON Schema that a value checks, and what `tinsmith_api.limits.Limits` calls them."""

WIDTH = 100


class Field(NamedTuple):
    """A field as it is written."""

    name: str
    """Its name, on the wire and in Python."""
    type: str
    """Its annotation."""
    default: str
    """What stands behind the equals sign; empty for a field that must be given."""
    words: str
    """The text under it."""


class Models:
    """The schemas of one contract."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.schemas: dict[str, Json] = document["components"]["schemas"]
        self.requests = side(document, answer=False)

    def has_module(self, name: str) -> bool:
        """Tell whether a schema is a class or a name of its own; plain texts and numbers are not."""
        schema = self.schemas[name]
        return bool(
            schema.get("type") == "object" or schema.get("enum") or schema.get("oneOf") or schema.get("anyOf")
        )

    def is_map(self, name: str) -> bool:
        """Tell whether a schema is a mapping of names that are data."""
        schema = self.schemas[name]
        inner = schema.get("additionalProperties")
        return schema.get("type") == "object" and "properties" not in schema and inner not in (False, None)

    def is_class(self, name: str) -> bool:
        """Tell whether a schema becomes a class: an object that is no mere map."""
        return self.schemas[name].get("type") == "object" and not self.is_map(name)

    def type_of(self, node: Json) -> str:
        """Return the annotation of a schema."""
        if "$ref" in node:
            name = str(node["$ref"]).removeprefix(REFERENCE)
            return (
                name
                if self.has_module(name) and not self.is_map(name)
                else self.type_of(resolve(self.document, node))
            )
        if "const" in node:
            return f"Literal[{node['const']!r}]"
        if "enum" in node:
            return f"Literal[{', '.join(map(repr, node['enum']))}]"
        members = node.get("oneOf") or node.get("anyOf") if "properties" not in node else None
        if members:
            return _union(self.type_of(member) for member in members)
        kinds = node.get("type", [])
        return (
            _union(self._kind(kind, node) for kind in ([kinds] if isinstance(kinds, str) else kinds)) or "Any"
        )

    def _kind(self, kind: str, node: Json) -> str:
        if kind == "array":
            return f"list[{self.type_of(node.get('items', {}))}]"
        if kind == "object":
            inner = node.get("additionalProperties")
            return f"dict[str, {self.type_of(inner) if isinstance(inner, dict) else 'Any'}]"
        return "datetime" if node.get("format") == "date-time" else PLAIN[kind]

    def fields(self, name: str) -> list[Field]:
        """Return the fields of a class in the contract's order, but needed ones first, and tags last."""
        schema = self.schemas[name]
        required = schema.get("required", [])
        limited = name in self.requests
        made = [
            self._field(prop, node, needed=prop in required, limited=limited)
            for prop, node in schema.get("properties", {}).items()
        ]
        tags = {prop for prop, node in schema.get("properties", {}).items() if _tag(prop, node) is not None}
        return sorted(made, key=lambda field: (field.name in tags, _has_default(field.default)))

    def _field(self, name: str, node: Json, *, needed: bool, limited: bool) -> Field:
        check_name(name)
        whole = self.meaning(node)
        annotation = self.type_of(node)
        default = _default(_tag(name, whole), whole)
        if default is not None and name != "type":  # what null means is the default
            annotation = annotation.removesuffix(" | None")
        options = {}
        if isinstance(default, (list, dict)):
            options["factory"] = self._factory(name, default, node)
        elif default is not None:
            options["default"] = repr(default)
        elif not needed:
            annotation, options["default"] = _union([annotation, "None"]), "None"
        limits = [f"{LIMITS[key]}={whole[key]!r}" for key in LIMITS if key in whole] if limited else []
        if limits:
            options["validator"] = f"Limits({', '.join(limits)})"
        if is_secret(whole):
            options["repr"] = "False"
        if set(options) <= {"default"}:
            written = options.get("default", "")
        else:
            written = f"attrs.field({', '.join(f'{key}={value}' for key, value in options.items())})"
        return Field(name, annotation, written, words_of(whole))

    def secret_fields(self) -> list[str]:
        """Return the names of fields that nobody may see, of any class."""
        properties = (
            schema.get("properties", {}) for name, schema in self.schemas.items() if self.is_class(name)
        )
        return sorted(
            {name for each in properties for name, node in each.items() if is_secret(self.meaning(node))}
        )

    def _factory(self, name: str, default: Json, node: Json) -> str:
        """Return what makes a list, a mapping or a value that stands for an absent field."""
        schema = self.meaning(node, follow=True)
        members = [resolve(self.document, member) for member in schema.get("oneOf", [])]
        for reference, member in zip(schema.get("oneOf", []), members, strict=True):
            if all(member["properties"].get(key, {}).get("const") == value for key, value in default.items()):
                return str(reference["$ref"]).removeprefix(REFERENCE)
        if default and "properties" not in schema:
            return f"lambda: {default!r}"
        if default:
            raise SystemExit(f"codegen: the default of {name!r} is no empty list or object, and no tag alone")
        return type(default).__name__

    def meaning(self, node: Json, *, follow: bool = False) -> Json:
        """Return a field's keywords and those of what it refers to; its own win.

        Of what has a module of its own only the words count, unless `follow` says otherwise.
        """
        others = [member for member in node.get("anyOf", []) if member.get("type") != "null"]
        if len(others) == 1:
            node = {**others[0], **{key: value for key, value in node.items() if key != "anyOf"}}
        if "$ref" in node:
            name = str(node["$ref"]).removeprefix(REFERENCE)
            if self.has_module(name) and not self.is_map(name) and not follow:
                return {"description": self.schemas[name].get("description", ""), **node}
        return resolve(self.document, node)

    def text_of(self, name: str, template: Any) -> str:
        """Return the source of a model's module."""
        schema = self.schemas[name]
        parts: dict[str, Any] = {
            "name": name,
            "words": _wrapped(schema.get("description", name), 4 * self.is_class(name)),
        }
        if self.is_class(name):
            base = "Value" if schema.get("additionalProperties") is False else "Model"
            fields = self.fields(name)
            parts |= {"base": base, "fields": fields, "alias": None, "refused": _refused(schema)}
            parts["words"] = _with_fields(parts["words"], fields)
            used = " ".join(f"{field.type} {field.default}" for field in fields)
            imports = ["import attrs", f"from ..model import {base}", "from ..reading import own_fields"]
            checks = [name for name in ("Limits", "refuse") if f"{name}(" in f"{used} {parts['refused']}"]
            if checks:
                imports.append(f"from ..limits import {', '.join(checks)}")
        else:
            parts |= {"alias": self._alias(schema), "fields": [], "refused": ""}
            used, imports = str(parts["alias"]), []
        imports += _standard(used)
        imports += [
            f"from .{module_of(other)} import {other}"
            for other in self.schemas
            if other != name and self.has_module(other) and re.search(rf"\b{other}\b", _without_texts(used))
        ]
        rendered: str = template.render(imports=imports, **parts)
        return rendered

    def _alias(self, schema: Json) -> str:
        members = schema.get("oneOf") or schema.get("anyOf")
        return _union(map(self.type_of, members)) if members else self.type_of(schema)


def is_secret(node: Json) -> bool:
    """Tell whether the contract marks a field or a header as one that nobody may see."""
    return bool(node.get("x-tinker-secret") or node.get("format") == "password")


def write(document: Json, package: Path) -> None:
    """Write the models into the package, in place of what the generator made of them."""
    models = Models(document)
    environment = templates()
    template, lazy = map(environment.get_template, ("value.py.jinja", "lazy_init.py.jinja"))
    folder = package / "models"
    names = {name: f".{module_of(name)}" for name in models.schemas if models.has_module(name)}
    for name in names:
        check_name(name)
        (folder / f"{module_of(name)}.py").write_text(models.text_of(name, template), encoding="utf-8")
    for file in sorted(folder.glob("*.py")):
        if f".{file.stem}" in names.values():
            continue
        found = re.search(r"^(\w+) = Literal", file.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            names[found[1]] = f".{file.stem}"
        else:
            file.unlink()
    (folder / "__init__.py").write_text(
        lazy.render(
            words="The models, each loaded when it is first named: one operation must not load them all.",
            names=sorted(names.items()),
            package="__name__",
        ),
        encoding="utf-8",
    )
    public = [
        (name, f".models{module}")
        for name, module in sorted(names.items())
        if not models.schemas.get(name, {}).get("x-tinsmith-by-hand")
    ]
    (package / "values.py").write_text(
        lazy.render(
            words="The models that clients use as they are; for the others they have classes of their own.",
            names=public,
            package="__package__",
        ),
        encoding="utf-8",
    )


def module_of(name: str) -> str:
    """Return the module of a class, as the generator names it."""
    has_case = any(map(str.isupper, name))
    apart = re.sub(r"([A-Z]?[a-z]+)", r" \1 ", name) if has_case else name
    return "_".join(re.findall(r"[^\W_]+", apart)).lower()


def check_name(name: str) -> None:
    """Refuse a name that Python has no form for, since fields have one name everywhere."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise SystemExit(f"codegen: {name!r} is no name in Python; call the schema or field otherwise")


def words_of(schema: Json) -> str:
    """Return the text under a field: the contract's words, the unit, and the values seen."""
    parts = [" ".join(str(schema.get("description", "")).split())]
    if "x-unit" in schema:
        parts.append(f"Unit: {schema['x-unit']}.")
    known = schema.get("x-tinker-known-values", [])
    if len(known) > 1:
        parts.append(f"Known values: {', '.join(f'`{value}`' for value in known)}.")
    return _wrapped(" ".join(filter(None, parts)), 4)


def _wrapped(text: str, indent: int) -> str:
    """Return a text as it stands between the quotes of a docstring."""
    text = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    if text.endswith('"'):
        text += " "
    if len(text) + indent + 6 <= WIDTH + 10:
        return text
    return (
        f"\n{' ' * indent}".join(textwrap.wrap(text, WIDTH - indent, break_long_words=False))
        + "\n"
        + " " * indent
    )


def _with_fields(words: str, fields: Sequence[Field]) -> str:
    """Add the fields to the text of a class: `help` shows no text that stands under a field."""
    if not fields:
        return words
    lines = [
        textwrap.fill(
            f"* `{field.name}`: {' '.join(field.words.split())}",
            WIDTH,
            initial_indent="    ",
            subsequent_indent="      ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for field in fields
    ]
    return "\n".join([words.rstrip(), "", *lines, "    "])


def _without_texts(code: str) -> str:
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", code)


def _standard(used: str) -> Iterator[str]:
    typing = [name for name in ("Any", "Literal") if re.search(rf"\b{name}\b", _without_texts(used))]
    if typing:
        yield f"from typing import {', '.join(typing)}"
    if re.search(r"\bdatetime\b", _without_texts(used)):
        yield "from datetime import datetime"


def _union(types: Any) -> str:
    """Join the types of a union, each once, null last."""
    found = list(dict.fromkeys(part for text in types for part in _parts(text)))
    if "Any" in found:
        return "Any"
    null = ["None"] if "None" in found else []
    return " | ".join([part for part in found if part != "None"] + null)


def _parts(text: str) -> list[str]:
    """Take a union apart at its outermost bars."""
    parts, depth = [""], 0
    for piece in re.split(r"(\[|\]| \| )", text):
        depth += (piece == "[") - (piece == "]")
        if piece == " | " and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _tag(name: str, schema: Json) -> Json:
    """Return the one value of a tag; None for what is no tag."""
    if "const" in schema and ("default" in schema or name == "type"):
        return schema["const"]
    known = schema.get("x-tinker-known-values", [])
    return known[0] if name == "type" and len(known) == 1 else None


def _default(tag: Json, schema: Json) -> Json:
    found = (tag, schema.get("default"), schema.get("x-tinker-known-default"))
    return next((value for value in found if value is not None), None)


def _refused(schema: Json) -> str:
    """Return the check of fields that may not have certain values all at once; empty for none."""
    rule = schema.get("not", {})
    together = {name: part.get("const") for name, part in rule.get("properties", {}).items()}
    if not together or set(rule) != {"properties", "required"} or set(rule["required"]) != set(together):
        return ""
    return f"refuse(self, {', '.join(f'{name}={value!r}' for name, value in together.items())})"


def _has_default(written: str) -> bool:
    return bool(written) and (
        not written.startswith("attrs.field(") or "default=" in written or "factory=" in written
    )
