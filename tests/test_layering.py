"""The walls of docs/architecture.md, held against the import graph."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_files_entered import test_a_call_enters_few_files  # noqa: F401
from tests.test_house import house, test_io_has_few_floors, test_the_house_is_as_it_is_drawn  # noqa: F401

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "tinsmith": ROOT / "facade" / "tinsmith",
    "tinsmith_local": ROOT / "embedded" / "tinsmith_local",
}
"""The two packages that are written by hand. What is said below of files names those of the second one from
`tinsmith_local/` on, those of the first one from inside it."""

#: Room -> rooms of the facade that it may import at module level or inside a function.
MAY_IMPORT: dict[str, set[str]] = {
    "core": {"core"},
    "types": {"core"},
    "io": {"io", "core", "types"},
    "clients": {"clients", "io", "core", "types"},
    "data": {"data", "core", "types"},
    "train": {"train", "data", "clients", "io", "core", "types"},
    "export": {"export", "train", "clients", "io", "core", "types"},
    "contract": {"contract", "io", "core"},
    "gateway": {"gateway", "clients", "core"},
    "cli": {
        *("cli", "clients", "contract", "data", "export", "gateway", "io", "core", "types", "progress"),
        "train",
    },
    "testing": {"testing", "io", "core", "types"},
    "compat": {"compat", "clients", "core", "types"},
    "progress": {"progress"},
}

#: The only files (or rooms, with a trailing slash) of the facade that import the embedded service.
DOORS = ("io/http/transport.py", "cli/gateway.py", "cli/serve.py", "cli/model.py", "export/", "testing/")

#: What the embedded service may use of the facade.
OF_THE_FACADE = tuple(
    f"tinsmith.core.{name}"
    for name in ["codec", "config", "errors", "addresses", "tokenizer_files", "values"]
)

#: Library -> the only files (or rooms, with a trailing slash) that import it.
ONLY_HERE: dict[str, tuple[str, ...]] = {
    "httpx": ("io/http/transport.py", "tinsmith_local/transport.py"),
    "httpx_aiohttp": ("io/http/transport.py",),
    "aiohttp": ("io/http/transport.py",),
    "tenacity": ("core/retry.py",),
    "typer": ("cli/",),
    "rich": ("cli/", "progress.py", "progress/"),
    "starlette": ("gateway/", "tinsmith_local/"),
    "uvicorn": ("tinsmith_local/",),
    "sqlite3": ("tinsmith_local/",),
    "gguf": ("tinsmith_local/models/", "tinsmith_local/conversion/"),
    "safetensors": ("tinsmith_local/",),
    "google": ("core/codec/",),
    "simdjson": ("core/codec/wire.py",),
    "backports": ("core/codec/wire.py",),
    "pyarrow": ("data/files.py",),
}

#: What core/ may use of the generated client: values and what they stand on, no operation.
IN_CORE = tuple(
    f"tinsmith_api.{name}"
    for name in [
        "conversion",
        "errors",
        "limits",
        "model",
        "models",
        "numbers",
        "ownership",
        "paths",
        "reading",
        "values",
        "wire",
    ]
)

NEVER = {"transformers", "pydantic", "requests", "peft"}
#: Optional peers, imported inside functions only.
INSIDE_FUNCTIONS = {
    "torch",
    "jax",
    "autograd",
    "huggingface_hub",
    "matplotlib",
    "PIL",
    "pyarrow",
    "tensorboardX",
    "trackio",
    "wandb",
}


def modules() -> list[Path]:
    """Every source file of the packages."""
    return sorted(path for package in PACKAGES.values() for path in package.rglob("*.py"))


def package_of(path: Path) -> str:
    """Name of the package that a file belongs to."""
    return next(name for name, folder in PACKAGES.items() if path.is_relative_to(folder))


def place(path: Path) -> str:
    """Name a file as the tables above do."""
    name = package_of(path)
    inside = path.relative_to(PACKAGES[name]).as_posix()
    return inside if name == "tinsmith" else f"{name}/{inside}"


def imports(path: Path, *, module_level: bool = False) -> Iterator[str]:
    """Dotted names that a file imports, TYPE_CHECKING blocks left out; relative ones made absolute."""
    tree = ast.parse(path.read_text())
    name = package_of(path)
    package = [name, *path.relative_to(PACKAGES[name]).parent.parts]
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            stack.extend(node.orelse)
            continue
        if module_level and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package[: len(package) - node.level + 1]
                stem = ".".join([*base, *(node.module or "").split(".")]).rstrip(".")
            else:
                stem = node.module or ""
            yield from (f"{stem}.{alias.name}" for alias in node.names)
        stack.extend(ast.iter_child_nodes(node))


def room(path: Path) -> str:
    """First folder below the facade, or the file's own name; the name of the package for the other one."""
    return place(path).split("/")[0].removesuffix(".py")


def breaches(path: Path) -> list[str]:
    """What a file imports although it must not."""
    here = place(path)
    found = []
    for name in imports(path):
        top, *rest = name.split(".")
        kept_out = MAY_IMPORT.keys() - MAY_IMPORT.get(room(path), set(MAY_IMPORT))
        if top == "tinsmith" and rest and rest[0] in kept_out:
            found.append(f"{here} imports {name}")
        if top == "tinsmith" and room(path) == "tinsmith_local" and not name.startswith(OF_THE_FACADE):
            found.append(f"{here} imports {name}")
        if top == "tinsmith_local" and not here.startswith(("tinsmith_local/", *DOORS)):
            found.append(f"{here} imports {name}")
        if top in NEVER or (top in ONLY_HERE and not here.startswith(ONLY_HERE[top])):
            found.append(f"{here} imports {name}")
        if top == "tinsmith_api" and room(path) == "core" and not name.startswith(IN_CORE):
            found.append(f"{here} imports {name}")
    found += [
        f"{here} imports {name} at module level"
        for name in imports(path, module_level=True)
        if name.split(".")[0] in INSIDE_FUNCTIONS
    ]
    return found


@pytest.mark.parametrize("path", modules(), ids=place)
def test_imports_stay_in_their_room(path: Path) -> None:
    """No file imports a room or a library that the drawing keeps from it."""
    assert breaches(path) == []


def test_doors_into_the_embedded_service_are_opened_inside_functions() -> None:
    """The few doors cost nothing at import."""
    opened = {
        (place(path), name)
        for path in modules()
        if room(path) != "tinsmith_local"
        for name in imports(path, module_level=True)
        if name.split(".")[0] == "tinsmith_local"
    }
    assert opened == set()


def test_only_config_reads_the_environment() -> None:
    """`os.environ` and `os.getenv` stand in core/config alone."""
    readers = {
        place(path)
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
    }
    assert readers <= {"core/config.py"}


def test_a_breach_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The check can fail: planted breaches of each kind are reported."""
    monkeypatch.setitem(PACKAGES, "tinsmith", tmp_path / "facade")
    monkeypatch.setitem(PACKAGES, "tinsmith_local", tmp_path / "embedded")
    planted = tmp_path / "facade" / "core" / "planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text(
        "import httpx\nimport torch\nfrom tinsmith.io import runtime\nfrom ..clients import service\n"
        "def late():\n    import pydantic\n    from tinsmith_local import serve\n"
        "    from tinsmith_api.api import training\n"
    )
    assert sorted(line.split("imports ")[1] for line in breaches(planted)) == sorted(
        [
            "httpx",
            "torch at module level",
            "tinsmith.io.runtime",
            "tinsmith.clients.service",
            "pydantic",
            "tinsmith_local.serve",
            "tinsmith_api.api.training",
        ]
    )
    other = tmp_path / "embedded" / "planted.py"
    other.parent.mkdir()
    other.write_text("from tinsmith.core import errors, retry\nfrom tinsmith import clients\n")
    assert sorted(breaches(other)) == [
        f"tinsmith_local/planted.py imports tinsmith.{name}" for name in ("clients", "core.retry")
    ]
