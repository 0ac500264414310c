"""codegen.sh in a copy of the repository: the same bytes each time, drift noticed, bad documents refused."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.long


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a directory that holds what code generation needs, and nothing that others use."""
    for name in ("openapi", "tools", "generated"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "codegen.sh", tmp_path)
    (tmp_path / ".venv-codegen").symlink_to(ROOT / ".venv-codegen")
    return tmp_path


def codegen(where: Path, *arguments: str, seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Run codegen.sh."""
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.run(
        ["./codegen.sh", *arguments], cwd=where, env=environment, capture_output=True, text=True, check=False
    )


def contents(where: Path) -> dict[str, bytes]:
    """Return every generated file."""
    files = (where / "generated").rglob("*")
    return {str(file.relative_to(where)): file.read_bytes() for file in files if file.is_file()}


def test_output_depends_on_the_contract_alone(copy: Path) -> None:
    """Two runs under different hash seeds write the bytes that are checked in."""
    checked_in = contents(copy)
    for seed in ("0", "31337"):
        shutil.rmtree(copy / "generated" / "tinsmith_api")
        assert codegen(copy, seed=seed).returncode == 0
        assert contents(copy) == checked_in


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


def test_new_document_is_taken(copy: Path) -> None:
    """A new contract is compared, copied and generated from."""
    new = (
        (copy / "openapi" / "tinker.yaml")
        .read_text()
        .replace("        lora_rank:\n", "        lora_width:\n", 1)
    )
    (copy / "new.yaml").write_text(new)
    found = codegen(copy, "new.yaml")
    assert found.returncode == 0
    assert "BREAKING  removed  GetInfoResponse.lora_rank" in found.stdout
    assert (copy / "openapi" / "tinker.yaml").read_text() == new
    assert "lora_width" in (copy / "generated/tinsmith_api/models/get_info_response.py").read_text()
    assert codegen(copy, "--check").returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("operationId: healthz", "operationId: getHealth", "ids_are_snake_case"),
        ("openapi: 3.1.0", "openapi: 9.9.9", "9.9.9"),
        ("paths:", "paths: [", "new.yaml"),
    ],
    ids=["breaks a rule", "no OpenAPI", "no YAML"],
)
def test_bad_document_changes_nothing(old: str, new: str, complaint: str, copy: Path) -> None:
    """A document that breaks a rule, or is none, is refused with the reason, and nothing is touched."""
    contract = copy / "openapi" / "tinker.yaml"
    before = contract.read_bytes(), contents(copy)
    (copy / "new.yaml").write_text(contract.read_text().replace(old, new, 1))
    found = codegen(copy, "new.yaml")
    assert found.returncode != 0
    assert complaint in found.stderr
    assert (contract.read_bytes(), contents(copy)) == before
