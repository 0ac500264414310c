"""The folder of a run: what it refuses, and what is left of it when a process is killed."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest
from tinsmith import InputError, MissingExtraError, train


@pytest.fixture
def folder(tmp_path: Path, config: train.RunConfig) -> train.RunFolder:
    """Give the folder of a run that has begun."""
    return train.RunFolder.new(tmp_path / "run", config).write(config)


def test_settings_come_back(folder: train.RunFolder) -> None:
    """What was written is what is read."""
    assert train.RunFolder.open(folder.path) == folder


def test_nothing_is_written_for_a_new_run(tmp_path: Path, config: train.RunConfig) -> None:
    """Before it begins."""
    train.RunFolder.new(tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_places_that_are_taken(folder: train.RunFolder, tmp_path: Path) -> None:
    """A run, another folder, a file: each is left as it is."""
    with pytest.raises(InputError, match=r"holds a run already; go on with it .tinsmith train --resume"):
        train.RunFolder.new(folder.path, folder.config)
    for taken in (tmp_path, tmp_path / "metals.jsonl"):
        with pytest.raises(InputError, match=r"is there and is no empty folder; choose another one"):
            train.RunFolder.new(taken, folder.config)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"holds no run: there is no config\.json"),
        ("{", r"config\.json cannot be read"),
        ("[]", r"config\.json holds no settings of a run"),
        ('{"data": "a", "model": "b", "speed": 3}', "is not of this version of Tinsmith.*speed"),
        ('{"data": "a", "model": "b", "epochs": 0}', "'epochs'.* must be at least 1, not 0"),
    ],
)
def test_what_is_no_run(tmp_path: Path, content: str | None, message: str) -> None:
    """It is said what is missing or wrong."""
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match=message):
        train.RunFolder.open(tmp_path)


def test_advice(folder: train.RunFolder) -> None:
    """An unfinished run is to be followed while it is trained, and to be gone on with otherwise."""
    with folder.locked():
        assert train.RunFolder.open(folder.path).advice.endswith(f"(tinsmith run watch {folder.path})")
    assert folder.advice == f"go on with it (tinsmith train --resume {folder.path})"


def test_a_line_that_was_cut_off_is_dropped(folder: train.RunFolder) -> None:
    """A killed process may leave half a line; the next one removes it before it adds its own."""
    for step in (1, 2, 3):
        folder.log(step, {"loss": 4.0 - step})
    folder.note_checkpoint(train.SavedStep(2, "tinker://run/weights/step-000002"))
    for name in ("metrics.jsonl", "checkpoints.jsonl"):
        with (folder.path / name).open("a") as file:
            file.write('{"step": 4, "lo')
    assert [line["step"] for line in folder.metrics()] == [1, 2, 3]
    folder.rewind(2)
    folder.log(3, {"loss": 0.5})
    assert folder.metrics()[1:] == [{"step": 2, "loss": 2.0}, {"step": 3, "loss": 0.5}]
    assert folder.last_checkpoint() == train.SavedStep(2, "tinker://run/weights/step-000002")


def test_what_was_killed_early_is_no_obstacle(tmp_path: Path, config: train.RunConfig) -> None:
    """A run that was killed before it began leaves its lock and the state of its service, and no more."""
    path = tmp_path / "run"
    (path / "service").mkdir(parents=True)
    with pytest.raises(InputError, match="no empty folder"):
        train.RunFolder.new(path, config)
    (path / "lock").touch()
    folder = train.RunFolder.new(path, config)
    with folder.locked():
        pass
    assert not (path / "service").exists()
    assert list(path.iterdir()) == []


def test_a_folder_that_is_made_for_nothing(tmp_path: Path, config: train.RunConfig) -> None:
    """It is removed again, unless the run has begun."""
    folder = train.RunFolder.new(tmp_path / "deep" / "run", config)
    with folder.locked():
        (folder.path / "service").mkdir()
        with folder.locked():
            pass
        assert (folder.path / "service").exists()
    assert not (tmp_path / "deep").exists()
    with folder.locked():
        folder.write(config)
    assert sorted(each.name for each in folder.path.iterdir()) == ["config.json", "lock"]


def test_a_folder_whose_run_was_killed_early_is_free(tmp_path: Path, config: train.RunConfig) -> None:
    """What is left of a half-written file of settings is in nobody's way."""
    path = tmp_path / "run"
    path.mkdir()
    for name in ("lock", ".config.json.0badcafe"):
        (path / name).touch()
    assert train.RunFolder.new(path, config).path == path


def test_a_folder_that_cannot_be_written(tmp_path: Path, config: train.RunConfig) -> None:
    """It is said before anything else happens."""
    folder = train.RunFolder.new(tmp_path / "metals.jsonl" / "run", config)
    with (
        pytest.raises(InputError, match=r"cannot be written: Not a directory; choose another folder"),
        folder.locked(),
    ):
        raise AssertionError


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk(folder: train.RunFolder) -> None:
    """The error names the file."""
    (folder.path / "metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left on device: '.*metrics\.jsonl'"):
        folder.log(1, {"loss": 2.0})


def test_without_a_checkpoint_all_metrics_go(folder: train.RunFolder) -> None:
    """The run begins anew, its first evaluation too."""
    folder.log(0, {"held_out_loss": 3.0})
    folder.rewind(0)
    assert folder.metrics() == []


def test_a_broken_line_is_named(folder: train.RunFolder) -> None:
    """Somebody edited the file."""
    (folder.path / "metrics.jsonl").write_text('{"step": 1}\nstep 2\n')
    with pytest.raises(InputError, match=r"metrics\.jsonl:2 is no JSON; remove the line"):
        folder.metrics()


def test_the_curve(folder: train.RunFolder) -> None:
    """A PNG, whether or not anything was held out."""
    folder.log(1, {"loss": 2.0})
    path = folder.draw_curve()
    assert path.read_bytes().startswith(b"\x89PNG")
    folder.log(2, {"loss": 1.0, "held_out_loss": 1.5})
    assert folder.draw_curve() == path
    assert sorted(each.name for each in folder.path.iterdir()) == ["config.json", "loss.png", "metrics.jsonl"]


def test_the_curve_without_matplotlib(folder: train.RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    load = builtins.__import__

    def refuse(name: str, *arguments: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return load(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"tinsmith\[plot\]"):
        folder.draw_curve()
