"""`tinsmith export`: what it says, which options belong together, and that nothing half-written stays."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tinsmith import train

from tests.export.conftest import trained  # noqa: F401 - a fixture
from tests.guard import WAIT_S
from tests.train.conftest import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result
    from tests.export.conftest import Trained


def test_a_run_is_exported(cli: Callable[..., Result], tmp_path: Path) -> None:
    """By its folder alone, from its own server or that of --base-url, in every form."""
    metals, run = written(tmp_path / "metals.jsonl"), tmp_path / "run"
    fast = ("-m", "tinsmith/tiny", "--rank", "2", "--steps", "2", "-o", str(run))
    assert cli("train", metals, *fast).code == 0
    before = sorted(path.name for path in run.iterdir())
    for form, name, more in (
        ("peft", "peft", ()),
        ("merged", "merged", ("--dtype", "float16")),
        ("gguf-lora", "tone.gguf", ("--without", "lm_head")),
        ("gguf-lora", "whole.gguf", ("--base", "tinsmith/tiny-untied")),
    ):
        done = cli("export", str(run), "--to", form, "--out", str(tmp_path / name), *more)
        assert done.code == 0, done.err
        assert f"Form {form} Written to {tmp_path / name}" in done.words
        assert f"{tmp_path / name}" in done.err.splitlines()[-1]
    assert sorted(path.name for path in run.iterdir()) == before
    assert train.RunFolder.open(run).sampler_weights()
    (run / "service").rename(tmp_path / "moved")
    moved = cli(
        "export",
        str(run),
        "--to",
        "peft",
        "-o",
        str(tmp_path / "again"),
        "--base-url",
        f"local:{tmp_path / 'moved'}",
    )
    assert moved.code == 0, moved.err


def test_what_is_said_of_a_merge(cli: Callable[..., Result], trained: Trained, tmp_path: Path) -> None:  # noqa: F811
    """Size and room before, progress, the comparison, notes, and how the model is loaded."""
    out = tmp_path / "merged"
    done = cli("export", str(trained.folder), "--to", "merged", "-o", str(out))
    assert done.code == 0, done.err
    lines = done.err.splitlines()
    assert lines[0].startswith(f"Writing 467.2 KB to {out}; ")
    assert lines[0].endswith(" are free there.")
    assert "merge: 100 % of 467.2 KB" in lines
    assert "Comparing the merged model with base model and adapter ..." in lines
    assert lines[-1] == f'Use: transformers.AutoModelForCausalLM.from_pretrained("{out}")'
    assert "(limit 0.001)" in done.words
    done = cli("export", str(trained.folder), "--to", "merged", "-o", str(out), "--overwrite", "--no-check")
    assert "Largest Difference" not in done.words
    done = cli(
        "export", str(trained.folder), "--to", "merged", "-o", str(out), "--overwrite", "--dtype", "bfloat16"
    )
    assert "(limit 0.05)" in done.words
    assert "(from rounding to 16 bits)" in done.words


def test_a_base_model_alone(cli: Callable[..., Result], tmp_path: Path) -> None:
    """Its name takes the place of a checkpoint; the folder is then a base model for peft."""
    done = cli("export", "tinsmith/tiny", "--to", "merged", "-o", str(tmp_path / "base"), "-f", "json")
    assert done.code == 0, done.err
    assert (done.json["checkpoint"], done.json["rank"], done.json["difference"]) == (None, None, 0.0)
    assert (tmp_path / "base" / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("{adapter} --to peft", 2, "--out: say where to write, such as --out tone"),
        ("{adapter} --to gguf-lora", 2, "--out: say where to write, such as --out tone.gguf"),
        ("{adapter} --to zip -o {out}", 2, "'zip' is not one of 'peft', 'merged', 'gguf-lora', 'hub'"),
        ("{adapter} --to peft -o {out} --dtype float16", 2, "--dtype: is for --to merged"),
        ("{adapter} --to peft -o {out} --without lm_head", 2, "--without: is for --to gguf-lora"),
        ("{adapter} --to merged -o {out} --repo me/x", 2, "--repo: is for --to hub"),
        ("{adapter} --to hub -o {out}", 2, "merged and peft; for hub, --dry-run DIR writes a folder"),
        (
            "{adapter} --to merged -o {out} --base no/body",
            1,
            "download it, such as with `hf download no/body`",
        ),
        (
            "{adapter} --to merged -o {out} --base {data}",
            1,
            "config.json: is missing, so this is not a model",
        ),
        ("{adapter} --to gguf-lora -o {out}", 1, "leave lm_head out (--without lm_head)"),
        (
            "{adapter} --to gguf-lora -o {out} --without x",
            2,
            "--without: the adapter does not change x; it changes down_proj",
        ),
        (
            "{adapter} --to gguf-lora -o {out} --without lm_head"
            + "".join(
                f" --without {part}_proj" for part in ("q", "k", "v", "o", "gate", "up", "down", "patch")
            ),
            2,
            "--without: nothing is left of the adapter, which changes down_proj",
        ),
        ("{adapter} --to gguf-lora -o {data}", 2, "is a folder; name a file"),
        ("tinker://a/weights/b --to peft -o {out}", 4, "no server is named, so that https://"),
        ("{adapter} --to peft -o {data}", 2, "is there and is no earlier export; choose another place"),
        ("{adapter} --to peft -o {adapter}", 1, "(--overwrite replaces it)"),
        ("{adapter} --to peft -o {adapter} --overwrite", 2, "holds what is exported"),
        ("{out} --to peft -o {out}", 2, "is not there; name a checkpoint (tinker://...)"),
        ("{data} --to merged -o {out}", 2, "is neither the folder of an adapter"),
        ("no/body --to merged -o {out}", 2, "no/body is not there; name a checkpoint"),
    ],
)
def test_bad_input(
    cli: Callable[..., Result],
    trained: Trained,  # noqa: F811
    tmp_path: Path,
    arguments: str,
    code: int,
    message: str,
) -> None:
    """A sentence says what to do, and nothing half-written is left."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "file").write_text("kept")
    places = {"adapter": trained.folder, "out": tmp_path / "deep" / "out", "data": data}
    done = cli("export", *arguments.format(**places).split())
    assert (done.code, done.out) == (code, "")
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["data", "file"]


INTERRUPTED = """
import os, signal, sys
from tinsmith.cli import main
from tinsmith_local.conversion.merge import Merge

def interrupted(self, name):
    os.kill(os.getpid(), signal.SIGINT)
    return self.base_tensor(name)

Merge.tensor = interrupted
main(sys.argv[1:])
"""


def test_ctrl_c_while_it_writes(trained: Trained, tmp_path: Path) -> None:  # noqa: F811
    """Nothing is left, not even the folders above."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            INTERRUPTED,
            "export",
            str(trained.folder),
            "--to",
            "merged",
            "-o",
            str(tmp_path / "deep" / "out"),
        ],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
