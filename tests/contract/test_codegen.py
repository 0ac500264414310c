"""codegen.sh in a copy of the repository: the same bytes each time, drift noticed, bad documents refused."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from contract_document import dangling_references, load
from contract_uses import facade_uses, gone

from tests.contract import foreign
from tests.contract.planted import Document, op, rename, schemas

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a directory that holds what code generation needs, and nothing that others use."""
    for name in ("openapi", "tools", "generated", "facade", "embedded"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "codegen.sh", tmp_path)
    (tmp_path / ".venv-codegen").symlink_to(ROOT / ".venv-codegen")
    return tmp_path


def run(
    *command: str | Path, cwd: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program."""
    given = {**os.environ, **(environment or {})}
    return subprocess.run(command, cwd=cwd, env=given, capture_output=True, text=True, check=False)


def codegen(where: Path, *arguments: str | Path, seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Run codegen.sh as a user does, with the pinned tools."""
    return run("./codegen.sh", *arguments, cwd=where, environment={"PYTHONHASHSEED": seed})


def decide(where: Path, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program behind codegen.sh, which decides before it needs a generator."""
    program = where / "tools" / "contract" / "contract_codegen.py"
    return run(sys.executable, program, *arguments, cwd=cwd or where)


def contents(where: Path) -> dict[str, bytes]:
    """Return every generated file."""
    files = (where / "generated").rglob("*")
    return {str(file.relative_to(where)): file.read_bytes() for file in files if file.is_file()}


def everything(where: Path) -> tuple[bytes, dict[str, bytes]]:
    """Return the contract and every generated file."""
    return (where / "openapi" / "tinker.yaml").read_bytes(), contents(where)


def save(document: Document, path: Path) -> Path:
    """Write a document as YAML."""
    path.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
    return path


def raised(document: Document) -> None:
    """Raise the version as far as anything may ask for."""
    document["info"]["version"] = "99.0.0"


def without_use(document: Document) -> None:
    """Take away an operation and a field that the facade uses."""
    del document["paths"][op(document, "get_sampler").path]
    del schemas(document)["GetInfoResponse"]["properties"]["model_data"]
    schemas(document)["GetInfoResponse"]["required"].remove("model_data")


@pytest.mark.long
def test_output_depends_on_the_contract_alone(copy: Path) -> None:
    """Two runs under different hash seeds write the bytes that are checked in."""
    checked_in = contents(copy)
    for seed in ("0", "31337"):
        shutil.rmtree(copy / "generated" / "tinsmith_api")
        assert codegen(copy, seed=seed).returncode == 0
        assert contents(copy) == checked_in
    assert "since the last generation" not in codegen(copy).stdout


@pytest.mark.long
@pytest.mark.parametrize("kind", ["edited", "added", "missing"])
def test_drift_is_noticed(kind: str, copy: Path) -> None:
    """A file that was edited, added or removed by hand fails the check, and the output names it."""
    file = copy / "generated" / "tinsmith_api" / ("stray.py" if kind == "added" else "types.py")
    if kind == "missing":
        file.unlink()
    else:
        file.write_text((file.read_text() if file.exists() else "") + "x = 1\n")
    found = codegen(copy, "--check")
    assert found.returncode == 1
    assert file.name in found.stderr
    assert codegen(copy).returncode == 0
    assert codegen(copy, "--check").returncode == 0


@pytest.mark.long
def test_new_document_is_taken_as_json_from_another_directory(copy: Path, document: Document) -> None:
    """A new contract, JSON at a relative path, is compared, written as YAML and generated from."""
    schemas(document)["Cursor"]["properties"]["width"] = {
        "type": "integer",
        "description": "How wide it is.",
        "examples": [1],
    }
    raised(document)
    elsewhere = copy / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "new.json").write_text(json.dumps(document))
    found = run(copy / "codegen.sh", "new.json", cwd=elsewhere)
    assert found.returncode == 0, found.stderr
    assert "Cursor.width" in found.stdout
    assert "next: make docs" in found.stdout
    assert load(copy / "openapi" / "tinker.yaml") == document
    assert not (copy / "openapi" / "tinker.yaml").read_text().startswith("{")
    assert "width" in (copy / "generated/tinsmith_api/models/cursor.py").read_text()
    assert codegen(copy, "--check").returncode == 0


@pytest.mark.long
def test_breaking_document_is_taken_by_force(copy: Path, document: Document) -> None:
    """--force takes what breaks clients and the facade, and says so."""
    without_use(document)
    found = codegen(copy, save(document, copy / "new.yaml"), "--force")
    assert found.returncode == 0, found.stderr
    assert "by force" in found.stderr
    assert "mend the uses" in found.stdout
    assert "get_sampler" not in (copy / "generated/tinsmith_api/operations.py").read_text()


IMPORT_ALL = """
import importlib, pkgutil, tinsmith_api
for module in pkgutil.walk_packages(tinsmith_api.__path__, "tinsmith_api."):
    for name in getattr(importlib.import_module(module.name), "__all__", ()):
        getattr(importlib.import_module(module.name), name)
"""


@pytest.mark.long
@pytest.mark.parametrize("of", foreign.DOCUMENTS)
def test_foreign_document_is_taken_by_force(of: str, copy: Path) -> None:
    """A document of another server makes a package that imports and passes strict typing."""
    (copy / "foreign.json").write_text(json.dumps(foreign.DOCUMENTS[of]()))
    found = decide(copy, "foreign.json")
    assert found.returncode == 1
    assert "breaking changes" in found.stderr
    assert codegen(copy, "foreign.json", "--force").returncode == 0
    generated = copy / "generated"
    imported = run(sys.executable, "-c", IMPORT_ALL, cwd=generated)
    assert imported.returncode == 0, imported.stderr
    typed = run(
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "-p", "tinsmith_api", cwd=generated
    )
    assert typed.returncode == 0, typed.stdout


def test_breaking_document_is_refused_with_the_uses(copy: Path, document: Document) -> None:
    """A document that breaks says what, names the facade's uses, and changes nothing."""
    without_use(document)
    raised(document)
    before = everything(copy)
    found = decide(copy, save(document, copy / "new.yaml"))
    assert found.returncode == 1
    assert "BREAKING  removed  GetInfoResponse.model_data" in found.stdout
    assert "facade/tinsmith/clients/sampling.py:" in found.stdout
    assert "operation get_sampler is gone" in found.stdout
    assert "field GetInfoResponse.model_data is gone" in found.stdout
    assert "--force" in found.stderr
    assert everything(copy) == before


def test_edited_contract_is_refused_where_the_facade_uses_what_went(copy: Path, document: Document) -> None:
    """A contract edited in place is refused too, when the facade still uses what went."""
    without_use(document)
    save(document, copy / "openapi" / "tinker.yaml")
    before = contents(copy)
    found = decide(copy)
    assert found.returncode == 1
    assert "BREAKING  removed  GetInfoResponse.model_data" in found.stdout
    assert "info.version is" in found.stderr
    assert "operation get_sampler is gone" in found.stdout
    assert "field GetInfoResponse.model_data is gone" in found.stdout
    assert contents(copy) == before


@pytest.mark.parametrize("edited", [True, False], ids=["edited in place", "taken"])
def test_field_that_stays_and_breaks_needs_force(edited: bool, copy: Path, document: Document) -> None:
    """A field of another type is refused with the facade's uses of it, however the contract comes."""
    schemas(document)["GetInfoResponse"]["properties"]["model_data"] = {
        "type": "string",
        "description": "Other words.",
        "examples": ["a"],
    }
    raised(document)
    path = save(document, copy / ("openapi/tinker.yaml" if edited else "new.yaml"))
    before = everything(copy)
    found = decide(copy) if edited else decide(copy, path)
    assert found.returncode == 1
    assert "breaking changes" in found.stderr
    assert "--force" in found.stderr
    uses = [line for line in found.stdout.splitlines() if "field GetInfoResponse.model_data breaks: " in line]
    assert uses, found.stdout
    assert all(line.startswith(("  facade/tinsmith/", "  embedded/tinsmith_local/")) for line in uses)
    assert everything(copy) == before


def test_version_must_rise(copy: Path, document: Document) -> None:
    """A document that adds something and keeps its version is refused, with the version to give it."""
    schemas(document)["Cursor"]["properties"]["width"] = {
        "type": "integer",
        "description": "How wide it is.",
        "examples": [1],
    }
    before = everything(copy)
    found = decide(copy, save(document, copy / "new.yaml"))
    assert found.returncode == 1
    assert "info.version is" in found.stderr
    assert everything(copy) == before


@pytest.mark.parametrize(
    ("change", "use"),
    [
        (
            lambda d: rename(d, "GetSamplerResponse", "SamplerInfo"),
            "model GetSamplerResponse is SamplerInfo now",
        ),
        (
            lambda d: op(d, "get_sampler").node.update(operationId="sampler"),
            "operation get_sampler is sampler now",
        ),
        (without_use, "field GetInfoResponse.model_data is gone"),
        (lambda d: op(d, "get_sampler").node.update(description="Other words."), None),
        (lambda d: schemas(d).update(Fresh={"type": "object", "properties": {"a": {}}}), None),
    ],
    ids=["renamed model", "renamed operation", "field gone", "words", "more"],
)
def test_uses_are_found(
    change: Callable[[Document], Any], use: str | None, loaded: Document, document: Document
) -> None:
    """Uses of what went or has another name are found with their lines; others are not."""
    change(document)
    found = facade_uses(gone(loaded, document), ROOT)
    assert bool(found) is (use is not None), found
    for line in found:
        path, number, _ = line.split(":", 2)
        assert (ROOT / path).read_text().splitlines()[int(number) - 1].strip()
    assert use is None or any(line.endswith(use) for line in found)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("openapi: 3.1.0", "openapi: 9.9.9", "9.9.9"),
        ("paths:", "paths: [", "new.yaml"),
        ('schemas/HealthResponse"', 'schemas/HealthResponce"', "is it #/components/schemas/HealthResponse?"),
        ('#/components/schemas/HealthResponse"', 'other.yaml#/HealthResponse"', "bundle it into one file"),
        ("paths:", f"x: {'[' * 200}{']' * 200}\npaths:", "new.yaml: nested more than 100 levels deep"),
    ],
    ids=["no OpenAPI", "no YAML", "dangling reference", "outer reference", "too deep"],
)
def test_bad_document_changes_nothing(old: str, new: str, complaint: str, copy: Path) -> None:
    """A document that is none, or refers to what is not there, is refused in a sentence; all is kept."""
    before = everything(copy)
    text = (copy / "openapi" / "tinker.yaml").read_text().replace(old, new, 1)
    (copy / "new.yaml").write_text(text)
    found = decide(copy, "new.yaml")
    assert found.returncode == 1
    assert complaint in found.stderr
    assert "Traceback" not in found.stderr
    assert everything(copy) == before


def test_missing_document_is_a_sentence(copy: Path) -> None:
    """A path that leads nowhere is named, and so is a contract edited into one with a dangling reference."""
    found = decide(copy, "none.yaml")
    assert (found.returncode, "Traceback" in found.stderr) == (1, False)
    assert "none.yaml" in found.stderr
    contract = copy / "openapi" / "tinker.yaml"
    contract.write_text(contract.read_text().replace("schemas/HealthResponse", "schemas/Nope", 1))
    found = decide(copy)
    assert (found.returncode, "Traceback" in found.stderr) == (1, False)
    assert "names nothing" in found.stderr


def test_contract_refers_to_what_is_there(loaded: Document) -> None:
    """No reference of the contract dangles, and examples that look like one are data."""
    assert list(dangling_references(loaded)) == []
    assert list(dangling_references({"paths": {}, "x": {"example": {"$ref": "#/nowhere"}}})) == []
    circle = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}
    assert list(dangling_references(circle)) == ["a: $ref '#/b' names nothing", "b: $ref '#/a' names nothing"]


def test_stale_environment_is_renewed(copy: Path) -> None:
    """Packages are installed again when their list changed, and only then."""
    environment = copy / ".venv-codegen"
    environment.unlink()
    (environment / "bin").mkdir(parents=True)
    python = environment / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "$@" >>"{copy}/calls"\n')
    python.chmod(0o755)
    for _ in range(2):
        assert codegen(copy, "--env").returncode == 0
        assert (copy / "calls").read_text().count("pip install") == 1
    with (copy / "openapi" / "requirements-codegen.txt").open("a") as wanted:
        wanted.write("other==1\n")
    assert codegen(copy, "--env").returncode == 0
    assert (copy / "calls").read_text().count("pip install") == 2
    # An environment whose interpreter is gone is made anew, by the Python that is asked for.
    python.unlink()
    python.symlink_to(copy / "gone")
    maker = copy / "maker"
    maker.write_text(f"""#!/bin/sh
echo "$@" >>"{copy}/calls"
rm "{python}" && printf '#!/bin/sh\\necho "$@" >>"{copy}/calls"\\n' >"{python}" && chmod +x "{python}"
""")
    maker.chmod(0o755)
    made = run("./codegen.sh", "--env", cwd=copy, environment={"PYTHON": str(maker)})
    assert made.returncode == 0, made.stderr
    assert (copy / "calls").read_text().splitlines()[-2:] == [
        f"-m venv --clear {environment}",
        f"-m pip install -q -r {copy}/openapi/requirements-codegen.txt",
    ]


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import contract_replace
if sys.argv[2] == "True":
    contract_replace.exchange = lambda *_: False
OLD, NEW = {"a.py": "old", "sub/c.py": "old"}, {"a.py": "new", "sub/c.py": "new"}

def write(folder, files):
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
        Path(folder, name).write_text(text)

def read(folder):
    return {str(p.relative_to(folder)): p.read_text() for p in Path(folder).rglob("*") if p.is_file()}

def replace(step):
    left = step
    def count(event, arguments):
        nonlocal left
        if event.split(".")[0] in ("os", "open", "shutil", "ctypes"):
            left -= 1
            if left < 0:
                left = 10**9  # the kill is such an event too
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    contract_replace.recover(Path("target"))
    contract_replace.replace(Path("fresh"), Path("target"))

def in_child(step):
    child = os.fork()
    if not child:
        replace(step)
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])

step, killed = 0, True
while killed:
    for left_over in (".target.new", ".target.old"):
        shutil.rmtree(left_over, ignore_errors=True)
    write("fresh", NEW)
    write("target", OLD)
    killed = in_child(step)
    if not os.path.exists("target"):
        assert sys.argv[2] == "True" and read(".target.old") == OLD, step
    else:
        assert read("target") in (OLD, NEW), (step, read("target"))
    assert in_child(10**9) == 0
    assert read("target") == NEW and sorted(os.listdir()) == ["fresh", "target"], step
    step += 1
print(step)
"""


@pytest.mark.parametrize("slow", [False, True], ids=["exchanged", "two renames"])
def test_killed_replacement_leaves_a_whole_package(slow: bool, tmp_path: Path) -> None:
    """Killed before any of its steps, it leaves the old files or the new ones, and the next run works."""
    done = run(sys.executable, "-c", KILLED, str(ROOT / "tools" / "contract"), str(slow), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 20
