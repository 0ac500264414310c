"""The example programs, run as a user runs them, on the tiny model; on the real one in `make check-long`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import capitals
import demo
import distillation
import dpo
import numpy as np
import pytest
import rl_one_turn
from tinsmith import types
from tinsmith_local.models.fetch import PACKAGED_MODELS, find_cached

EXAMPLES = Path(__file__).parents[2] / "examples"
PNG = b"\x89PNG\r\n\x1a\n"
needs_smollm2 = pytest.mark.skipif(
    find_cached(PACKAGED_MODELS["smollm2"]) is None,
    reason="SmolLM2 is not here: tinsmith model fetch smollm2",
)


def figures(folder: Path) -> dict[str, Any]:
    """Read what a program wrote about its run."""
    read: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return read


def test_demo_runs_on_the_tiny_model(tmp_path: Path) -> None:
    """The program trains, saves, answers before and after, and writes its figures and its curve."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / "demo.py"), "--model", "tinsmith/tiny"]
    options = ["--steps", "12", "--learning-rate", "1e-2", "--output", "out"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "Before training",
        "After training",
        "12/12",
        "tokens/s",
        "out/loss.png",
        "sampler weights",
    ):
        assert said in done.stdout
    result = figures(tmp_path / "out")
    assert len(result["losses"]) == 12
    assert result["held_out_loss_after"] < 0.8 * result["held_out_loss_before"]
    assert (tmp_path / "out" / "loss.png").read_bytes().startswith(PNG)


def test_demo_names_the_command_that_brings_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the model file the demo ends with the command to type, and not with a traceback."""
    monkeypatch.setenv("TINSMITH_CACHE", str(tmp_path / "cache"))
    assert demo.main(["--output", str(tmp_path / "out")]) == 1
    assert "tinsmith model fetch smollm2" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("city", "text", "stopped", "earned"),
    [
        ("Paris", "The capital of France is Paris.", True, 1.0),
        ("Paris", "The capital of France is Paris.", False, 0.0),
        ("Paris", "The capital of France is Lyon.", True, 0.2),
        ("Paris", "", True, 0.2),
    ],
)
def test_reward(city: str, text: str, stopped: bool, earned: float) -> None:
    """An answer must end to earn anything, and name the city to earn all."""
    assert capitals.reward(city, text, stopped=stopped) == earned


def test_reward_rises_on_the_tiny_model(tmp_path: Path) -> None:
    """The tiny model learns to end its answers, and sampler and trainer agree on every logprob."""
    options = ["--model", "tinsmith/tiny", "--steps", "5", "--learning-rate", "1e-2"]
    assert rl_one_turn.main([*options, "--output", str(tmp_path)]) == 0
    result = figures(tmp_path)
    assert result["curve"][-1] > result["curve"][0] + 0.1
    assert result["held_out"]["5"] > result["held_out"]["0"] + 0.1
    assert 0.0 < result["largest_disagreement"] < 1e-3
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)


def test_the_tiny_model_learns_preferences(tmp_path: Path) -> None:
    """It prefers short answers to long ones, also to questions that it was not trained on."""
    pairs = tmp_path / "pairs.jsonl"
    rows = [{"prompt": f"{n} + 1 =", "chosen": f" {n + 1}", "rejected": f" {n + 1}!!!!"} for n in range(20)]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    options = ["--model", "tinsmith/tiny", "--pairs", str(pairs), "--steps", "6", "--learning-rate", "1e-2"]
    assert dpo.main([*options, "--output", str(tmp_path)]) == 0
    result = figures(tmp_path)
    assert result["held_out"]["0"] == 0
    assert result["held_out"]["6"] > 0.5
    assert result["held_out_accuracy"] == 1
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)


def test_dpo_has_the_gradient_of_its_loss() -> None:
    """A small change of each logprob changes the loss as the gradient says."""
    inputs = {"target_tokens": [1, 2], "weights": [0.0, 1.0]}
    pair = [types.Datum(model_input=types.ModelInput.from_ints([1, 2]), loss_fn_inputs=inputs)] * 2
    loss = dpo.DpoLoss(reference=np.array([[-2.0, -1.0]]), beta=0.5)
    logprobs = [np.array([-3.0, -1.5]), np.array([-0.5, -2.5])]
    value, metrics, gradients = loss(pair, logprobs)
    assert metrics == {"margin": pytest.approx(1.0), "accuracy": 1.0}
    assert value == pytest.approx(np.log1p(np.exp(-1.0)))
    for side, position in ((0, 0), (0, 1), (1, 0), (1, 1)):
        moved = [each.copy() for each in logprobs]
        moved[side][position] += 1e-6
        assert (loss(pair, moved)[0] - value) / 1e-6 == pytest.approx(gradients[side][position], abs=1e-5)


def test_the_tiny_student_learns_from_its_teacher(tmp_path: Path) -> None:
    """The divergence from the teacher falls, also for countries that neither was trained on."""
    options = ["--model", "tinsmith/tiny", "--steps", "4", "--learning-rate", "1e-2"]
    assert distillation.main([*options, "--output", str(tmp_path)]) == 0
    held_out = figures(tmp_path)["held_out"]
    assert 0 < held_out["4"] < 0.6 * held_out["0"]
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("program", "few"),
    [
        (demo, ["--batch", "2"]),
        (rl_one_turn, ["--groups", "1", "--group-size", "2"]),
        (dpo, ["--batch", "2"]),
        (distillation, ["--teacher-epochs", "1", "--questions", "1", "--group-size", "2"]),
    ],
)
def test_without_matplotlib_all_but_the_picture_is_there(
    program: Any,
    few: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is said before the training; the figures are written, and no picture of another run is left."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    picture = tmp_path / ("loss.png" if program is demo else "curve.png")
    picture.write_bytes(b"of another run")
    options = ["--model", "tinsmith/tiny", "--steps", "1", "--rank", "1", "--output", str(tmp_path)]
    assert program.main([*options, *few]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.index("draws no curve") < said.index("step")
    assert figures(tmp_path)["elapsed_s"] > 0
    assert not picture.exists()
    assert picture.name not in said


def test_no_country_is_trained_on_and_held_out() -> None:
    """The reward of held-out countries is not one that was trained on."""
    assert not capitals.TRAIN.keys() & capitals.HELD_OUT.keys()


@pytest.mark.long
@needs_smollm2
@pytest.mark.parametrize("shuffled", [False, True])
def test_demo_teaches_the_real_model(tmp_path: Path, shuffled: bool) -> None:
    """At most a tenth right before and most after; with shuffled targets the rule goes on failing."""
    assert demo.main(["--output", str(tmp_path), *["--shuffled"] * shuffled]) == 0
    result = figures(tmp_path)
    assert result["right_before"] <= 4
    assert result["right_after"] <= 4 if shuffled else result["right_after"] >= 28


@pytest.mark.long
@needs_smollm2
def test_reward_rises_on_the_real_model(tmp_path: Path) -> None:
    """The reward of questions never trained on rises too."""
    assert rl_one_turn.main(["--output", str(tmp_path)]) == 0
    result = figures(tmp_path)
    assert sum(result["curve"][-3:]) > sum(result["curve"][:3]) + 0.5
    assert result["held_out"]["8"] > result["held_out"]["0"] + 0.2


@pytest.mark.long
@needs_smollm2
def test_the_real_model_learns_preferences(tmp_path: Path) -> None:
    """About names and things that it was not trained on."""
    assert dpo.main(["--output", str(tmp_path)]) == 0
    result = figures(tmp_path)
    assert result["held_out"]["30"] > 3
    assert result["chosen_likelier_after"] > result["chosen_likelier_before"] + 0.2


@pytest.mark.long
@needs_smollm2
def test_the_real_student_learns_from_its_teacher(tmp_path: Path) -> None:
    """About countries that neither was trained on."""
    assert distillation.main(["--output", str(tmp_path)]) == 0
    held_out = figures(tmp_path)["held_out"]
    assert held_out["12"] < 0.3 * held_out["0"]
