"""The walls of docs/architecture.md, held against the import graph."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "facade" / "tinsmith"

#: Room -> rooms of this package that it may import at module level or inside a function.
MAY_IMPORT: dict[str, set[str]] = {
    "core": {"core"},
    "types": {"core"},
    "io": {"io", "core", "types"},
    "clients": {"clients", "io", "core", "types"},
    "local": {"local", "core", "types"},
    "contract": {"contract", "io", "core"},
    "cli": {"cli", "clients", "contract", "io", "core", "types", "progress"},
    "testing": {"testing", "io", "local", "core", "types"},
    "compat": {"compat", "clients", "core", "types"},
    "progress": {"progress"},
}

#: Doors: (importing file, room) pairs allowed although the row above forbids them.
DOORS: set[tuple[str, str]] = {
    ("clients/service.py", "local"),
    ("cli/serve.py", "local"),
    ("cli/model.py", "local"),
    ("io/transport.py", "local"),
}

#: Library -> the only files (or rooms, with a trailing slash) that import it.
ONLY_HERE: dict[str, tuple[str, ...]] = {
    "httpx": ("io/transport.py", "local/transport.py"),
    "httpx_aiohttp": ("io/transport.py",),
    "aiohttp": ("io/transport.py",),
    "tenacity": ("core/retry.py",),
    "typer": ("cli/",),
    "rich": ("cli/", "progress.py", "progress/"),
    "starlette": ("local/",),
    "uvicorn": ("local/",),
    "sqlite3": ("local/",),
    "gguf": ("local/models/",),
    "safetensors": ("local/",),
    "google": ("core/codec/",),
    "simdjson": ("core/codec/large.py",),
    "backports": ("core/codec/compression.py",),
}

#: What core/ may use of the generated client: values and what they stand on, no operation.
IN_CORE = tuple(
    f"tinsmith_api.{name}"
    for name in [
        "bounds",
        "conversion",
        "errors",
        "limits",
        "model",
        "models",
        "numbers",
        "ownership",
        "reading",
        "values",
        "wire",
    ]
)

NEVER = {"transformers", "pydantic", "requests", "peft"}
#: Optional peers, imported inside functions only.
INSIDE_FUNCTIONS = {"torch", "jax", "autograd", "huggingface_hub", "matplotlib", "PIL"}


def modules() -> list[Path]:
    """Every source file of the facade."""
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path, *, module_level: bool = False) -> Iterator[str]:
    """Dotted names that a file imports, TYPE_CHECKING blocks left out; relative ones made absolute."""
    tree = ast.parse(path.read_text())
    package = ["tinsmith", *path.relative_to(PACKAGE).parent.parts]
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
    """First folder below the package, or the file's own name."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def breaches(path: Path) -> list[str]:
    """What a file imports although it must not."""
    here = path.relative_to(PACKAGE).as_posix()
    found = []
    for name in imports(path):
        top, *rest = name.split(".")
        if top == "tinsmith" and rest and room(path) in MAY_IMPORT:
            target = rest[0]
            if target in MAY_IMPORT and target not in MAY_IMPORT[room(path)] and (here, target) not in DOORS:
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


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_stay_in_their_room(path: Path) -> None:
    """No file imports a room or a library that the drawing keeps from it."""
    assert breaches(path) == []


def test_doors_into_local_are_opened_inside_functions() -> None:
    """The few doors into the embedded service cost nothing at import."""
    opened = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in modules()
        if room(path) != "local" and room(path) != "testing"
        for name in imports(path, module_level=True)
        if name.startswith("tinsmith.local")
    }
    assert opened == set()


def test_only_config_reads_the_environment() -> None:
    """`os.environ` and `os.getenv` stand in core/config alone."""
    readers = {
        path.relative_to(PACKAGE).as_posix()
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}
    }
    assert readers <= {"core/config.py"}


def test_a_breach_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The check can fail: planted breaches of each kind are reported."""
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    planted = tmp_path / "core" / "planted.py"
    planted.parent.mkdir()
    planted.write_text(
        "import httpx\nimport torch\nfrom tinsmith.io import runtime\nfrom ..clients import service\n"
        "def late():\n    import pydantic\n    from tinsmith_api.api import training\n"
    )
    assert sorted(line.split("imports ")[1] for line in breaches(planted)) == sorted(
        [
            "httpx",
            "torch at module level",
            "tinsmith.io.runtime",
            "tinsmith.clients.service",
            "pydantic",
            "tinsmith_api.api.training",
        ]
    )
