"""`tinsmith train`: what it says, which server it takes, and what it refuses in one sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, get_args

import attrs
import pytest
from tinsmith import train
from tinsmith.cli.run_options import RateShape
from tinsmith.cli.train import SETTINGS
from tinsmith.train import loggers

from tests.train.conftest import written
from tests.train.test_loggers import installed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result

FAST = ("--model", "tinsmith/tiny", "--rank", "2", "--steps", "4")


@pytest.fixture
def metals(tmp_path: Path) -> str:
    """Give a file to train on."""
    return written(tmp_path / "metals.jsonl")


def test_settings_have_options() -> None:
    """All but those that the command finds out; and the shapes are those of the schedule."""
    fields = {field.name for field in attrs.fields(train.RunConfig)}
    assert fields - set(SETTINGS) == {"data", "data_sha256", "base_url"}
    assert set(SETTINGS) < fields
    assert tuple(RateShape) == get_args(train.ScheduleShape)


def test_without_a_key_it_is_local(cli: Callable[..., Result], tmp_path: Path, metals: str) -> None:
    """The state of the service is in the folder of the run, and the commands that are named work on it."""
    out = tmp_path / "runs" / "tone"
    done = cli("train", metals, *FAST, "--out", str(out))
    assert done.code == 0, done.err
    assert f"Training on the embedded service, whose state is kept in {out / 'service'}." in done.err
    assert "step 4 of 4: loss " in done.err
    assert "Steps 4 Loss " in done.words
    chat, download, export, more = (
        next(line.partition("tinsmith ")[2] for line in done.err.splitlines() if line.startswith(word))
        for word in ("Chat:", "Download:", "Export:", "Go on:")
    )
    assert cli(*chat.split(), "--max-tokens", "2", stdin="How hot?\n").code == 0
    assert cli(*download.split(), "-o", str(tmp_path / "adapter")).code == 0
    assert list(tmp_path.glob("adapter/**/adapter_model.safetensors"))
    assert cli(*export.replace("DIR", str(tmp_path / "merged")).split()).code == 0
    assert (tmp_path / "merged" / "model.safetensors").is_file()
    assert f"Serve:    tinsmith gateway --base-url local:{out / 'service'} --alias tone=tinker://" in done.err
    words = more.replace("FILE", metals).replace("DIR", str(tmp_path / "more")).split()
    assert cli(*words, "--steps", "2").code == 0


def test_the_document(cli: Callable[..., Result], tmp_path: Path, metals: str) -> None:
    """It says where everything is, and nothing else is on stdout."""
    out = tmp_path / "run"
    done = cli("train", metals, *FAST, "--out", str(out), "-f", "json")
    assert done.code == 0, done.err
    assert (done.json["out"], done.json["steps"]) == (str(out), 4)
    saved = [json.loads(line) for line in (out / "checkpoints.jsonl").read_text().splitlines()[-2:]]
    assert [done.json["checkpoint"], done.json["sampler_weights"]] == [line["path"] for line in saved]
    assert done.json["curve"] == str(out / "loss.png")


def test_settings_reach_the_run(cli: Callable[..., Result], tmp_path: Path, metals: str) -> None:
    """Those that are given, and the server by its absolute path; a TTL of 0 is none."""
    out, kept = tmp_path / "run", tmp_path / "kept"
    done = cli(
        "train", metals, *FAST, "--out", str(out), "--base-url", f"local:{kept}",
        "--schedule", "cosine", "--warmup-steps", "1", "--held-out", "0", "--ttl", "0", "--train-on", "all",
        "--batch-tokens", "200", "--learning-rate", "0.01",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "Held-out Loss N/A" in done.words
    config = train.RunFolder.open(out).config
    assert (config.base_url, config.ttl_seconds, config.data) == (f"local:{kept}", None, metals)
    assert (config.schedule, config.warmup_steps, config.train_on) == ("cosine", 1, "all")
    assert (config.batch_tokens, config.learning_rate, config.rank) == (200, 0.01, 2)
    assert not (out / "service").exists()


def test_resume_takes_the_server_of_the_run(
    cli: Callable[..., Result], tmp_path: Path, metals: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not that of the environment, which may name another one today."""
    out = tmp_path / "run"
    assert cli("train", metals, *FAST, "--out", str(out)).code == 0
    path = out / "checkpoints.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[1:3]))  # without the model, nothing is looked for on the server
    monkeypatch.setenv("TINKER_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("TINKER_API_KEY", "tml-key")
    done = cli("train", "--resume", str(out))
    assert done.code == 0, done.err
    assert "Going on after step 2 of 4, the last one in checkpoints.jsonl." in done.err


def test_resume_says_what_the_server_had(cli: Callable[..., Result], tmp_path: Path, metals: str) -> None:
    """Where the run was killed between a save and its line in the list."""
    out = tmp_path / "run"
    assert cli("train", metals, *FAST, "--out", str(out)).code == 0
    path = out / "checkpoints.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    done = cli("train", "--resume", str(out))
    assert done.code == 0, done.err
    assert "Going on after step 4 of 4, which the server has and checkpoints.jsonl does not yet" in done.err


def test_without_matplotlib(
    cli: Callable[..., Result], tmp_path: Path, metals: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what the curve needs; the run is a success."""
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    done = cli("train", metals, *FAST, "--out", str(tmp_path / "run"))
    assert done.code == 0, done.err
    assert "the picture of the loss needs the extra tinsmith[plot]" in done.err
    assert "Curve N/A" in done.words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "name the file to train on, or a run to go on with (--resume DIR)"),
        ("{metals}", "give exactly one of --model and --from"),
        ("{metals} -m tinsmith/tiny --from tinker://a/weights/b", "give exactly one of --model and --from"),
        ("{metals} -m tinsmith/tiny", "say where the run is kept, such as --out runs/tone"),
        ("{metals} -m tinsmith/tiny -o {taken}", "is there and is no empty folder; choose another one"),
        ("{metals} -m tinsmith/tiny -o {metals}/run", "metals.jsonl/run cannot be written: Not a directory"),
        ("{metals} -m tinsmith/tiny -o {new} --epochs 0", "--epochs: must be at least 1, not 0"),
        ("{metals} -m tinsmith/tiny -o {new} --held-out 1", "--held-out: must be from 0 to below 1, not 1.0"),
        ("{metals} -m tinsmith/tiny -o {new} --ttl 5", "--ttl: must be at least 3600, not 5"),
        ("{metals} -m tinsmith/tiny -o {new} --lr 0", "--learning-rate: must be a number above 0, not 0.0"),
        ("{metals} -m tinsmith/tiny -o {new} --warmup-steps 99", "--warmup-steps: must be from 0 to 5"),
        ("{metals} -m tinsmith/tiny -o {new} --input-format no", "--input-format: must be one of"),
        ("{metals} -m tinsmith/tiny -o {new} --batch-items 1 --batch-tokens 1", "give either batch_items"),
        ("/nowhere.jsonl -m tinsmith/tiny -o {new}", "/nowhere.jsonl cannot be read: No such file"),
        ("{broken} -m tinsmith/tiny -o {new}", "broken.jsonl:1: is no JSON"),
        ("{metals} -m tinsmith/tiny -o {new} --max-tokens 5", "metals.jsonl:1: has "),
        ("--resume {new}", "holds no run: there is no config.json; name a folder that --out of an earlier"),
        ("{metals} --resume {new} --rank 3", "the run has its settings already; leave out FILE, --rank"),
    ],
)
def test_bad_input(
    cli: Callable[..., Result], tmp_path: Path, metals: str, arguments: str, message: str
) -> None:
    """A sentence says what to do, the exit code is 2, and nothing half written is left."""
    (tmp_path / "broken.jsonl").write_text("{")
    places = {"metals": metals, "taken": tmp_path, "new": tmp_path / "deep" / "run"}
    before = sorted(tmp_path.iterdir())
    words = arguments.format(broken=tmp_path / "broken.jsonl", **places).split()
    done = cli("--base-url", "local:", "train", *words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_wrong_model_leaves_nothing(cli: Callable[..., Result], tmp_path: Path, metals: str) -> None:
    """The folder is made for the state of the service, and removed again; one that was there stays, empty."""
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "deep" / "run", tmp_path / "empty"):
        done = cli("train", metals, "-m", "no/body", "--out", str(out))
        assert done.code == 3
        assert "unknown base model 'no/body'" in done.err
    assert not (tmp_path / "deep").exists()
    assert list((tmp_path / "empty").iterdir()) == []


@pytest.mark.parametrize("option", ["--tensorboard", "--trackio=metals", "--wandb=metals"])
def test_a_logger_that_is_not_installed(
    cli: Callable[..., Result], tmp_path: Path, metals: str, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """The extra is named before anything begins."""
    name = option[2:].partition("=")[0]
    monkeypatch.setitem(loggers.LIBRARIES, name, "no_such_library")
    done = cli("train", metals, *FAST, "--out", str(tmp_path / "run"), option)
    assert (done.code, done.out) == (1, "")
    assert f"logging to {name} needs the extra tinsmith[{name}]" in done.err
    assert not (tmp_path / "run").exists()


def test_what_a_logger_prints_is_not_on_stdout(
    cli: Callable[..., Result], tmp_path: Path, metals: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All loggers that are asked for get each step; JSON is the only thing on stdout."""
    libraries = installed(monkeypatch)
    options = ("--tensorboard", "--trackio", "metals", "--wandb", "metals", "-f", "json")
    done = cli("train", metals, *FAST, "--out", str(tmp_path / "run"), *options)
    assert done.code == 0, done.err
    assert done.json["steps"] == 4
    assert "trackio says hello" in done.err
    for library in libraries.values():
        assert [step for step, _ in library.logged] == list(range(5))
        assert library.is_closed


def test_a_failure_on_the_way_says_how_to_go_on(
    cli: Callable[..., Result], tmp_path: Path, metals: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever failed; here, the disk."""
    log = train.RunFolder.log

    def full(folder: train.RunFolder, step: int, metrics: dict[str, float]) -> None:
        if step == 3:
            raise OSError(28, "No space left on device")
        log(folder, step, metrics)

    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(train.RunFolder, "log", full)
        done = cli("train", metals, *FAST, "--checkpoint-every", "2", "--out", str(out))
    assert (done.code, done.out) == (1, "")
    assert f"what was trained after step 2 is lost. To go on: tinsmith train --resume {out}" in done.err
    assert "No space left on device" in done.err
    assert cli("train", "--resume", str(out)).code == 0
