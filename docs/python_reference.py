"""Writes docs/reference/python: every public name of the package, with the first sentence about it.

Usage: python_reference.py [--check]. With --check it writes nothing and exits with 1 when a page is stale. On
the site tools/site/hooks.py puts signatures, fields and whole texts in place of the comment below each name.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import tinsmith
from tinsmith import types
from tinsmith.core import config
from tinsmith_api.model import Value

DOCS = Path(__file__).parent
FOLDER = DOCS / "reference" / "python"
SOURCES = (DOCS.parent / "facade" / "tinsmith", DOCS.parent / "generated" / "tinsmith_api")

OWN = {"cli", "clients", "contract", "core", "io", "__main__"}
"""Modules of the package that are not for users."""

HEAD = "<!-- Written by docs/python_reference.py from the docstrings. Do not edit. -->\n# {title}\n\n{text}\n"


def modules() -> list[str]:
    """Return the public modules below `tinsmith`, `types` left out."""
    found = [module.name for module in pkgutil.iter_modules(tinsmith.__path__)]
    return [name for name in found if name not in OWN and not name.startswith("_") and name != "types"]


def public(module: Any) -> list[str]:
    """Return the names that a module offers, in alphabetical order; without `__all__` what it defines."""
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__
    ]
    return sorted((name for name in names if not name.startswith("_")), key=str.lower)


def pages() -> dict[str, tuple[str, str, list[tuple[str, str]]]]:
    """Return each page: its title, its text, and its names, each with where it is imported from."""
    top = [name for name in public(tinsmith) if name not in ("data", "export", "train", "types")]
    values = sorted(dir(types), key=str.lower)
    found = {
        "clients.md": (
            "Clients and futures",
            "What `import tinsmith` offers besides [values](values.md), [errors](../errors.md) and"
            " [settings](../settings.md).",
            [("tinsmith", name) for name in top if name not in values],
        ),
        "values.md": (
            "Values of every program",
            "What a training loop builds and gets back. Import them from `tinsmith` or `tinsmith.types`.\n\n"
            + methods_of_values(),
            [("tinsmith", name) for name in top if name in values],
        ),
        "types.md": (
            "All other values",
            "What else the API has, in `tinsmith.types`: bodies of requests and answers, and names of types.",
            [("tinsmith.types", name) for name in values if name not in top],
        ),
    }
    for name in modules():
        module = importlib.import_module(f"tinsmith.{name}")
        names = [(f"tinsmith.{name}", one) for one in public(module)]
        found[f"{name}.md"] = (f"tinsmith.{name}", inspect.getdoc(module) or "", names)
    return found


def methods_of_values() -> str:
    """Return the table of the methods that each value has, those for decoders left out."""
    rows = [
        f"| `{name}` | {' '.join((inspect.getdoc(method) or '').split())} |"
        for name, method in inspect.getmembers(Value, callable)
        if not name.startswith("_") and name != "of_owned"
    ]
    return "\n".join(["Each value has these methods:", "", "| method | |", "| --- | --- |", *rows])


def home(where: str, name: str) -> str:
    """Return the module of ours in which a public name is defined; empty for a name of another library."""
    value = getattr(importlib.import_module(where), name)
    if getattr(value, "__name__", "") == name:
        return str(value.__module__) if value.__module__.startswith("tinsmith") else ""
    found = _assignments().get(name, [])
    if not found:
        raise SystemExit(f"{where}.{name} is defined nowhere at the top of a module")
    return min(found, key=lambda module: (not module.startswith(where), "values" not in module, module))


@cache
def _assignments() -> dict[str, list[str]]:
    """Return where each name is assigned at the top of a module that describes it in a text below."""
    found: dict[str, list[str]] = {}
    for source in SOURCES:
        for path in sorted(source.rglob("*.py")):
            module = ".".join(path.relative_to(source.parent).with_suffix("").parts).removesuffix(".__init__")
            for statement in ast.parse(path.read_text()).body:
                for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
                    if isinstance(target, ast.Name):
                        found.setdefault(target.id, []).append(module)
    return found


def sentence(where: str, name: str) -> str:
    """Return the first paragraph about a name: of its docstring, of the text below it, or what it is."""
    value, module = getattr(importlib.import_module(where), name), home(where, name)
    if not module:
        return f"`{value.__module__}.{name}`, as it is."
    if getattr(value, "__name__", "") == name:
        about = inspect.getdoc(value) or ""
    else:
        shown = re.sub(r"(?:\w+\.)+(?=\w)", "", value.__name__ if inspect.isclass(value) else str(value))
        about = _text_below(importlib.import_module(module), name) or f"`{shown}`"
    return " ".join(about.split("\n\n")[0].split())


def _text_below(module: Any, name: str) -> str:
    body = ast.parse(inspect.getsource(module)).body
    for statement, below in pairwise(body):
        target = getattr(statement, "target", None) or getattr(statement, "targets", [None])[0]
        match target, below:
            case ast.Name(id=found), ast.Expr(value=ast.Constant(value=str(text))) if found == name:
                return text
    return ""


def _is_elsewhere(value: Any) -> bool:
    """Say whether a name is on the page of errors or of settings."""
    settings = getattr(value, "__module__", "") == config.__name__ and attrs.has(value)
    return settings or (inspect.isclass(value) and issubclass(value, BaseException))


def render(title: str, text: str, names: list[tuple[str, str]]) -> str:
    """Return a page."""
    page = HEAD.format(title=title, text=_blocks(text))
    for where, name in names:
        module = home(where, name)
        if not _is_elsewhere(getattr(importlib.import_module(where), name)):
            page += f"\n## {name}\n\n{sentence(where, name)}\n"
            page += f"\n<!-- api: {module}.{name} -->\n" if module else ""
    return page


def _blocks(text: str) -> str:
    """Write examples with prompts as blocks of the console language, so that nothing of them is markup."""
    return re.sub(
        r"^(?:>>> .*\n?)(?:.+\n?)*",
        lambda found: f"```pycon\n{found[0].rstrip()}\n```\n",
        text,
        flags=re.MULTILINE,
    )


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them."""
    stale = 0
    FOLDER.mkdir(exist_ok=True)
    for name, page in pages().items():
        path, text = FOLDER / name, render(*page)
        if "--check" not in arguments:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.stderr.write(f"reference/python/{name} is not what the docstrings say; run make docs\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
