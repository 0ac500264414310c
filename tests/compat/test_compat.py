"""Programs written for the official SDK, run as they are on the stand-in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guard import WAIT_S

PROGRAMS = Path(__file__).parent / "programs"
WITH_TORCH = Path(__file__).parents[2] / ".venv-golden" / "bin" / "python"
MODEL = "tinsmith/tiny"
ENVIRONMENT = {"TINKER_BASE_URL": "local:", "PATH": "", "PYTHONWARNINGS": "error::ResourceWarning"}


def run(
    *arguments: str, python: str = sys.executable, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with the settings of these tests alone."""
    kept = {name: os.environ[name] for name in ("HOME", "SYSTEMROOT", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [python, *arguments],
        env=kept | ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("program", "arguments", "said"),
    [
        ("supervised.py", ("--base-model", MODEL), "loss"),
        ("reinforce.py", (MODEL,), "trained on 12 rollouts"),
        ("resume.py", (MODEL,), "resumed at"),
        ("listing.py", (MODEL,), "listed 2 checkpoints"),
        ("retries.py", (MODEL,), "sampled 8"),
        ("spawned.py", ("one",), "spawned tinsmith 2"),
        ("low_level.py", (MODEL,), "unloaded True True"),
    ],
)
def test_program(program: str, arguments: tuple[str, ...], said: str) -> None:
    """A program for the official SDK runs to its end on the embedded service, from the environment alone."""
    done = run("-m", "tinsmith.compat", str(PROGRAMS / program), *arguments)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert done.stderr == ""


@pytest.mark.long
@pytest.mark.skipif(not WITH_TORCH.exists(), reason="no environment with torch; make golden makes it")
def test_program_with_torch() -> None:
    """A custom loss written for the official SDK, with the real torch, in the reference environment."""
    places = os.pathsep.join(path for path in sys.path if path)
    done = run(
        "-m",
        "tinsmith.compat",
        str(PROGRAMS / "custom_loss.py"),
        MODEL,
        python=str(WITH_TORCH),
        PYTHONPATH=places,
    )
    assert done.returncode == 0, done.stderr
    assert "squared" in done.stdout


def test_module_and_folder_of_the_program(tmp_path: Path) -> None:
    """`-m` runs a module, and a script finds its neighbours as Python itself would let it."""
    (tmp_path / "neighbour.py").write_text("import tinker\nname = tinker.Datum.__name__\n")
    (tmp_path / "program.py").write_text(
        "import sys, neighbour\nprint(neighbour.name, sys.argv[1:], __name__)\n"
    )
    as_script = run("-m", "tinsmith.compat", str(tmp_path / "program.py"), "-x", "1")
    assert as_script.stdout == "Datum ['-x', '1'] __main__\n", as_script.stderr
    code = f"import os; os.chdir({str(tmp_path)!r}); from tinsmith.compat.__main__ import main"
    as_module = run("-c", f"{code}; main(['-m', 'program', 'a'])")
    assert as_module.stdout == "Datum ['a'] __main__\n", as_module.stderr


def test_command_line_under_its_official_name() -> None:
    """`python -m tinker.cli` is our command line, from the runner and with the folder on PYTHONPATH."""
    runner = run("-m", "tinsmith.compat", "-m", "tinker.cli", "version")
    assert (runner.returncode, runner.stdout[:8]) == (0, "tinsmith"), runner.stderr
    folder = run("-m", "tinsmith.compat", "--path").stdout.strip()
    plain = run("-m", "tinker.cli", "version", PYTHONPATH=folder)
    assert (plain.returncode, plain.stdout) == (0, runner.stdout), plain.stderr


def test_exit_code_and_errors_of_the_program(tmp_path: Path) -> None:
    """What the program raises and how it exits is the program's own."""
    (tmp_path / "fails.py").write_text("import tinker, sys\nsys.exit(7)\n")
    assert run("-m", "tinsmith.compat", str(tmp_path / "fails.py")).returncode == 7
    (tmp_path / "raises.py").write_text("import tinker\nraise tinker.TinkerError('mine')\n")
    raised = run("-m", "tinsmith.compat", str(tmp_path / "raises.py"))
    assert raised.returncode == 1
    assert "mine" in raised.stderr


def test_path_for_other_processes() -> None:
    """The folder that `--path` prints makes `import tinker` ours in any process."""
    folder = run("-m", "tinsmith.compat", "--path").stdout.strip()
    code = (
        "import importlib.metadata as m; print(m.version('tinker')); "
        "import tinker, tinsmith, tinker.types.tensor_data as t; print(t.TensorData is tinsmith.TensorData)"
    )
    done = run("-c", code, PYTHONPATH=folder)
    assert done.stdout == "0.38.0\nTrue\n", done.stderr


def test_install_refuses_beside_the_real_one(tmp_path: Path) -> None:
    """Another `tinker` that is already imported is named, with its place, and nothing is changed."""
    (tmp_path / "tinker.py").write_text("mark = 'real'\n")
    code = (
        "import tinker, tinsmith.compat, tinsmith\n"
        "try:\n    tinsmith.compat.install()\n"
        "except tinsmith.TinkerError as error:\n    print(error)\n"
        "import tinker as again\nprint(again.mark, tinsmith.compat.installed())\n"
    )
    done = run("-c", code, PYTHONPATH=str(tmp_path))
    assert f"another 'tinker' is already imported, from {tmp_path / 'tinker.py'}" in done.stdout, done.stderr
    assert "real False" in done.stdout


def test_install_wins_over_an_installed_one_and_may_be_repeated(tmp_path: Path) -> None:
    """A `tinker` on the path that nobody imported yet is not in the way."""
    (tmp_path / "tinker.py").write_text("raise SystemExit('the real one was imported')\n")
    code = (
        "import tinsmith.compat as c; c.install(); c.install(); import tinker, tinsmith, sys\n"
        "print(tinker.Datum is tinsmith.Datum, sum('Finder' in type(f).__name__ and 'tinsmith' in"
        " type(f).__module__ for f in sys.meta_path))\n"
    )
    done = run("-c", code, PYTHONPATH=str(tmp_path))
    assert done.stdout == "True 1\n", done.stderr


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("import tinker._base_client", "No module named 'tinker._base_client': tinsmith.compat stands in"),
        ("from tinker.lib import sync_only", "cannot import name 'sync_only'"),
        ("import tinker.proto.tinker_public_pb2", "the messages of tinsmith's binary form have other names"),
        ("from tinker import NoSuchName", "cannot import name 'NoSuchName'"),
        ("import tinker.types.no_such_value", "No module named 'tinker.types.no_such_value'"),
        ("from tinker.types.tensor_data import Nothing", "cannot import name 'Nothing'"),
    ],
)
def test_what_is_missing_is_said(statement: str, said: str) -> None:
    """A module or name that the stand-in lacks is an ImportError that says whose lack it is."""
    done = run("-c", f"import tinsmith.compat; tinsmith.compat.install(); {statement}")
    assert done.returncode == 1
    assert said in done.stderr


def test_stars_and_names() -> None:
    """Star imports, `dir` and `__all__` of the stand-in agree with the names of this package."""
    code = (
        "import tinsmith.compat; tinsmith.compat.install()\n"
        "from tinker import *\nfrom tinker.types import *\nimport tinker, tinsmith\n"
        "print(Datum is tinsmith.Datum, LossFnType is not None, set(tinker.__all__) > set(tinsmith.__all__),"
        " 'ServiceClient' in dir(tinker), tinker.__version__)\n"
    )
    done = run("-c", code)
    assert done.stdout == "True True True True 0.38.0\n", done.stderr


@pytest.mark.parametrize("arguments", [(), ("--nonsense",), ("no-such-program.py",)])
def test_usage(arguments: tuple[str, ...]) -> None:
    """A wrong command line is refused with exit code 2."""
    done = run("-m", "tinsmith.compat", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("tinsmith.compat: ")


def test_help() -> None:
    """`--help` prints the usage."""
    done = run("-m", "tinsmith.compat", "--help")
    assert (done.returncode, done.stdout[:6]) == (0, "usage:")
