"""Writes the generated package anew from the contract, or takes a new contract, and says what to do next.

codegen.sh calls it with the pinned tools. It checks a document, compares it with the contract of the last
generation, names the facade's uses of what is gone, and replaces the package in one step.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import contract_rules
import yaml
from contract_completion import completed
from contract_diff import diff, report, version_problem
from contract_document import CONTRACT, Json, dangling_references, load
from contract_finish import finish
from contract_overlay import for_generation
from contract_replace import recover, replace
from contract_uses import changed, facade_uses, gone

if TYPE_CHECKING:
    from contract_schema_diff import Change

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "generated" / "tinsmith_api"
TOOLS = Path(sys.executable).parent
WIRE = ROOT / "openapi" / "tinker_wire.proto"
PAGES = "docs"
WARNINGS = 12
"""How many warnings are shown."""
RUFF = ("--isolated", "--no-cache", "--quiet", "--target-version", "py311", "--line-length", "110")


class RefusedError(Exception):
    """Why nothing was written."""


def main(arguments: list[str]) -> int:
    """Do what was asked for; 1 when nothing was written, 2 when the question was wrong."""
    parser = argparse.ArgumentParser(prog="codegen.sh", description="Write generated/tinsmith_api.")
    parser.add_argument("path", nargs="?", type=Path, help="a new contract, YAML or JSON")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on drift")
    parser.add_argument("--force", action="store_true", help="go on where clients or the facade break")
    asked = parser.parse_args(arguments)
    if asked.check and (asked.path or asked.force):
        parser.error("--check compares what is checked in, and takes nothing else")
    # So that the temporary directory goes in every case but a kill.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="tinsmith-codegen-") as work:
            if asked.check:
                return check(Path(work))
            recover(TARGET)
            if asked.path:
                take(asked.path, Path(work), force=asked.force)
            else:
                regenerate(Path(work), force=asked.force)
    except RefusedError as refusal:
        print(f"codegen: {refusal}", file=sys.stderr)
        return 1
    return 0


def check(work: Path) -> int:
    """Say whether the package is what the contract generates."""
    generate(CONTRACT, work / "tinsmith_api")
    command = ["diff", "-ruN", "-x", "__pycache__", TARGET, work / "tinsmith_api"]
    drift = subprocess.run(command, capture_output=True, text=True, check=False)
    if drift.returncode:
        print(*drift.stdout.splitlines()[:200], sep="\n", file=sys.stderr)
        raise RefusedError("generated/tinsmith_api is not what openapi/ generates; run ./codegen.sh")
    print("codegen: generated/tinsmith_api is what openapi/ generates")
    return 0


def regenerate(work: Path, *, force: bool) -> None:
    """Write the package anew. What clients or the facade use may break by force alone."""
    document = _read(CONTRACT)
    _refuse_dangling(document, CONTRACT)
    last = TARGET / "openapi.json"
    old = load(last) if last.exists() else document
    changes = diff(old, document)
    if changes:
        print("since the last generation:", report(changes), sep="\n")
    if (wanted := version_problem(old, document, changes)) is not None:
        # The last generation may be younger than the last release, against which versions count.
        print(f"codegen: note: {wanted}, unless no such version was released yet", file=sys.stderr)
    reasons, uses = judge(CONTRACT, old, document, changes)
    _refuse_unless_forced(reasons, force=force)
    generate(CONTRACT, work / "tinsmith_api")
    replace(work / "tinsmith_api", TARGET)
    print("codegen: wrote generated/tinsmith_api")
    next_steps(uses)


def take(path: Path, work: Path, *, force: bool) -> None:
    """Make a document the contract: checked, compared, tried, copied, generated from."""
    document = _read(path)
    _refuse_dangling(document, path)
    problems = contract_rules.misfits(document) or contract_rules.errors(document)
    if problems:
        raise RefusedError("\n  ".join([f"{path} is no contract to generate from:", *problems]))
    style = contract_rules.warnings(document)
    for line in style[:WARNINGS]:
        print(f"codegen: warning: {line}", file=sys.stderr)
    if style[WARNINGS:]:
        print(
            f"codegen: {len(style) - WARNINGS} more: tools/contract/contract_rules.py {path}", file=sys.stderr
        )
    old = _read(CONTRACT)
    changes = diff(old, document)
    print(report(changes))
    reasons, uses = judge(path, old, document, changes)
    wanted = version_problem(old, document, changes)
    _refuse_unless_forced([*reasons, *([wanted] if wanted else [])], force=force)
    trial = work / "contract.yaml"
    trial.write_bytes(_as_yaml(document) if _is_json(path) else path.read_bytes())
    generate(trial, work / "tinsmith_api")
    # The contract goes first: after a crash in between, ./codegen.sh finishes what was begun.
    fresh = CONTRACT.with_name(f"{CONTRACT.name}.new")
    shutil.copyfile(trial, fresh)
    os.replace(fresh, CONTRACT)
    replace(work / "tinsmith_api", TARGET)
    print("codegen: wrote openapi/tinker.yaml and generated/tinsmith_api")
    next_steps(uses)


def judge(path: Path, old: Json, new: Json, changes: list[Change]) -> tuple[list[str], list[str]]:
    """Print the facade's uses of what breaks; return why a contract needs force, and the uses to mend."""
    uses = facade_uses(gone(old, new), ROOT)
    if uses:
        print(_told(uses))
    hit = facade_uses(changed(changes, new), ROOT)
    if hit:
        print("\n".join([f"{len(hit)} places of the facade to look at:", *(f"  {use}" for use in hit)]))
    breaking = [change for change in changes if change.breaking]
    reasons = [
        *([f"{path} has {len(breaking)} breaking changes, listed above"] if breaking else []),
        *(["the facade uses what is gone"] if uses else []),
    ]
    return reasons, uses


def _refuse_unless_forced(reasons: list[str], *, force: bool) -> None:
    if reasons and not force:
        raise RefusedError("; ".join(reasons) + ". Nothing was written; --force takes it all the same")
    for reason in reasons:
        print(f"codegen: by force: {reason}", file=sys.stderr)


def next_steps(uses: list[str]) -> None:
    """Write the pages that come from the contract, and say what is left to do by hand."""
    pages = ROOT / PAGES
    python = ROOT / ".venv" / "bin" / "python"
    if (pages / "generate.py").exists() and python.exists():
        before = _contents(pages)
        done = subprocess.run([python, pages / "generate.py"], capture_output=True, text=True, check=False)
        written = [name for name, text in _contents(pages).items() if before.get(name) != text]
        for name in written:
            print(f"codegen: wrote {PAGES}/{name}")
        if done.returncode:
            print(done.stderr.strip().rpartition("\n")[2], file=sys.stderr)
            print("codegen: some pages could not be written; run make docs when the facade is mended")
        elif not written:
            print("codegen: every page is up to date")
    else:
        print("codegen: next: make docs, which writes the pages about the contract")
    if uses:
        print("codegen: next: mend the uses listed above")
    print("codegen: next: make check")


def generate(contract: Path, package: Path) -> None:
    """Write the package of a contract into a directory that is not there yet."""
    published = load(contract)
    document = completed(published)
    if document != published:
        print("codegen: what has no description gets its name as one; operations without a tag get `default`")
    package.parent.mkdir(parents=True, exist_ok=True)
    view = package.parent / "view.json"
    view.write_text(json.dumps(for_generation(document)), encoding="utf-8")
    _run(
        *(sys.executable, "-m", "openapi_python_client"),  # its script holds the path of its environment
        *("generate", "--path", view, "--config", ROOT / "openapi" / "codegen.yaml", "--meta", "none"),
        *("--output-path", package, "--custom-template-path", ROOT / "openapi" / "templates"),
        "--fail-on-warning",
    )
    finish(document, published, package)
    _run(TOOLS / "ruff", "check", *RUFF, "--select", "I,F401", "--fix-only", package)
    _run(TOOLS / "ruff", "format", *RUFF, package)
    compile_wire(package)


def compile_wire(package: Path) -> None:
    """Add the messages of the binary form.

    The compiler keeps the path of its source as the file's name in the process, so it stands below our own
    package's name there, where no other file does.
    """
    given, made = package.parent / "wire-in", package.parent / "wire-out"
    (given / "tinsmith_api" / "wire").mkdir(parents=True)
    made.mkdir()
    shutil.copy(WIRE, given / "tinsmith_api" / "wire")
    flags = (f"--python_out={made}", f"--mypy_out=quiet:{made}")
    _run(sys.executable, "-m", "grpc_tools.protoc", "-I", given, *flags, f"tinsmith_api/wire/{WIRE.name}")
    words = "The messages of the binary form, compiled; empty here, so that only their users load protobuf."
    text = f'"""{words}"""\n'
    (made / "tinsmith_api" / "wire" / "__init__.py").write_text(text, encoding="utf-8")
    (package / "wire").mkdir()
    header = f"# Written by codegen.sh from openapi/{WIRE.name}. Do not edit.\n"
    for name in ("__init__.py", f"{WIRE.stem}_pb2.py", f"{WIRE.stem}_pb2.pyi"):
        body = (made / "tinsmith_api" / "wire" / name).read_text(encoding="utf-8")
        (package / "wire" / name).write_text(header + body, encoding="utf-8")


def _run(*command: str | Path) -> None:
    # The generator looks its formatter up on PATH: ours must come first.
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False)
    if done.returncode:
        name = command[2] if command[1] == "-m" else Path(command[0]).name
        raise RefusedError(f"{name} failed, nothing was written:\n{done.stdout}{done.stderr}".rstrip())


def _read(path: Path) -> Json:
    try:
        return load(path)
    except OSError as problem:
        raise RefusedError(f"{path}: {problem.strerror or problem}") from problem
    except (ValueError, yaml.YAMLError) as problem:
        raise RefusedError(f"{path}: {' '.join(str(problem).split())}") from problem


def _refuse_dangling(document: Json, path: Path) -> None:
    found = list(dangling_references(document))
    if found:
        raise RefusedError("\n  ".join([f"{path} refers to what is not there:", *found]))


def _is_json(path: Path) -> bool:
    return path.read_bytes().lstrip().startswith(b"{")


def _as_yaml(document: Json) -> bytes:
    dumped: str = yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=110)
    return dumped.encode()


def _told(uses: list[str]) -> str:
    return "\n".join([f"the facade uses what is gone, in {len(uses)} places:", *(f"  {use}" for use in uses)])


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.md"))}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
