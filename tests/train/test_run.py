"""Runs from settings: what is trained on, what is refused, and that a run continues as if never stopped."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import tinsmith
from tinsmith import InputError, train
from tinsmith.train.run import _step as step_of
from tinsmith.train.run import split
from tinsmith_api.models import Checkpoint

from tests.train.conftest import METALS, curve, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Made = Callable[..., train.RunResult]


def adapter(folder: train.RunFolder) -> bytes:
    """Return the trained weights of a run, from the state of its service."""
    [file] = folder.path.glob("service/checkpoints/*/sampler_weights/final/adapter_model.safetensors")
    return file.read_bytes()


def test_a_run(tmp_path: Path, config: train.RunConfig, made: Made) -> None:
    """It learns, and its folder says how, with what, and where the weights are."""
    folder = train.RunFolder.new(tmp_path / "run", config)
    result = made(folder)
    assert result == train.RunResult(8, 8, folder.last_checkpoint().path, folder.sampler_weights())  # type: ignore[union-attr]
    assert result.finished
    lines = folder.metrics()
    assert [line["step"] for line in lines] == list(range(9))
    held_out = [line["held_out_loss"] for line in lines if "held_out_loss" in line]
    assert held_out[-1] < held_out[0]
    saved = [json.loads(line) for line in (folder.path / "checkpoints.jsonl").read_text().splitlines()]
    assert [(line["kind"], line["step"]) for line in saved] == [
        ("model", 0), ("training", 2), ("training", 4), ("training", 6), ("training", 8), ("sampler", 8),
    ]  # fmt: skip
    kept = train.RunFolder.open(folder.path).config
    assert (kept.steps, kept.warmup_steps, kept.max_tokens) == (8, 0, 4096)
    assert kept.data_sha256


def test_a_run_continues_as_if_it_had_never_stopped(
    tmp_path: Path, config: train.RunConfig, made: Made
) -> None:
    """The metrics and the weights are the same to the last bit, with a service of its own for each part."""
    whole = train.RunFolder.new(tmp_path / "whole", config)
    made(whole)
    parts = train.RunFolder.new(tmp_path / "parts", config)
    for stop_behind in (1, 3):
        answers = iter([False] * stop_behind + [True])
        result = made(parts, stop=lambda answers=answers: next(answers))
        assert not result.finished
        parts = train.RunFolder.open(parts.path)
    assert made(parts).finished
    assert curve(parts) == curve(whole)
    assert adapter(parts) == adapter(whole)


def test_a_run_without_a_checkpoint_begins_anew(tmp_path: Path, config: train.RunConfig, made: Made) -> None:
    """Where it was killed before the first one."""
    folder = train.RunFolder.new(tmp_path / "run", config)
    made(folder, stop=lambda: True)
    folder.log(1, {"loss": 9.0})
    again = train.RunFolder.open(folder.path)
    assert made(again).finished
    assert [line["step"] for line in again.metrics()] == list(range(9))


def test_a_checkpoint_that_was_not_listed(tmp_path: Path, config: train.RunConfig, made: Made) -> None:
    """The process was killed between the save and its line: the server knows the checkpoint and its step."""
    whole = train.RunFolder.new(tmp_path / "whole", config)
    made(whole)
    parts = train.RunFolder.new(tmp_path / "parts", config)
    answers = iter([False] * 5 + [True])
    made(parts, stop=lambda: next(answers))
    path = parts.path / "checkpoints.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    assert json.loads(lines[-2])["step"] == 4
    parts = train.RunFolder.open(parts.path)
    with tinsmith.ServiceClient(base_url=parts.base_url) as service:
        run = train.prepare(service, parts)
        assert (run.start, run.found_on_server) == (5, True)
        assert run.train().finished
    assert curve(parts) == curve(whole)
    assert adapter(parts) == adapter(whole)


@pytest.mark.parametrize(
    ("path", "labels", "step"),
    [
        ("tinker://a/weights/step-000012", {"step": "12", "epoch": "1"}, 12),
        ("tinker://a/weights/mine", {"step": "12"}, 12),
        ("tinker://a/weights/step-000012", None, 12),
        ("tinker://a/step-000012", {}, 12),
        ("tinker://a/weights/mine", None, None),
        ("tinker://a/weights/step-last", {"step": "last"}, None),
    ],
)
def test_the_step_of_a_checkpoint(path: str, labels: dict[str, str] | None, step: int | None) -> None:
    """Its label tells it; on a server that keeps no labels, its name."""
    listed = Checkpoint(
        checkpoint_id=path.removeprefix("tinker://a/"),
        checkpoint_type="training",
        time=None,
        tinker_path=path,
        user_metadata=labels,
    )
    assert step_of(listed) == step


def test_a_run_in_two_processes(tmp_path: Path, config: train.RunConfig, made: Made) -> None:
    """The second one is told who has it, before it asks the server; a stale plan is not carried out."""
    folder = train.RunFolder.new(tmp_path / "run", config)
    made(folder, stop=iter([False, True]).__next__)
    first, second = (train.RunFolder.open(folder.path) for _ in range(2))
    with tinsmith.ServiceClient(base_url=folder.base_url) as service:
        with (
            first.locked(),
            pytest.raises(InputError, match=rf"being trained by another process \(pid {os.getpid()}\)"),
        ):
            train.prepare(service, second)
        planned = train.prepare(service, second)
        assert train.prepare(service, first).train().finished
        with pytest.raises(InputError, match="was gone on with since it was prepared"):
            planned.train()


def test_data_are_read_before_a_model_is_made(tmp_path: Path, config: train.RunConfig) -> None:
    """A file that makes no datum costs nothing on the server."""
    folder = train.RunFolder.new(tmp_path / "run", attrs.evolve(config, max_tokens=4, truncation="drop"))
    with tinsmith.ServiceClient(base_url="local:") as service:
        with pytest.raises(InputError, match="makes no datum"):
            train.prepare(service, folder)
        assert service.create_rest_client().list_training_runs().result().training_runs == []


def test_a_finished_run_is_not_continued(tmp_path: Path, config: train.RunConfig, made: Made) -> None:
    """There is nothing left to do, and it is said."""
    folder = train.RunFolder.new(tmp_path / "run", config)
    made(folder)
    with pytest.raises(InputError, match="is finished: all 8 steps are made"):
        made(train.RunFolder.open(folder.path))


def test_a_run_that_was_killed_behind_its_last_step(
    tmp_path: Path, config: train.RunConfig, made: Made
) -> None:
    """What is missing is made: the weights to sample from."""
    folder = train.RunFolder.new(tmp_path / "run", config)
    made(folder)
    path = folder.path / "checkpoints.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    before = curve(folder)
    assert made(train.RunFolder.open(folder.path)).finished
    assert curve(folder) == before


def test_a_run_from_the_weights_of_another(tmp_path: Path, config: train.RunConfig) -> None:
    """It begins where the other ended, with a fresh optimizer and its own data."""
    with tinsmith.ServiceClient(base_url="local:") as service:
        first = train.RunFolder.new(tmp_path / "first", config)
        result = train.prepare(service, first).train()
        more = attrs.evolve(config, model=None, start_from=result.checkpoint)
        second = train.RunFolder.new(tmp_path / "second", more)
        train.prepare(service, second).train()
    assert second.metrics()[0]["held_out_loss"] == first.metrics()[-1]["held_out_loss"]


def test_changed_data_are_refused(tmp_path: Path, config: train.RunConfig, made: Made) -> None:
    """A run has one file, to the byte; if it is gone, that is said."""
    folder = train.RunFolder.new(tmp_path / "run", config)
    made(folder, stop=lambda: True)
    written(tmp_path / "metals.jsonl", {**METALS, "tin": 231})
    with pytest.raises(InputError, match=r"metals\.jsonl has changed since the run in .*run began"):
        made(train.RunFolder.open(folder.path))
    (tmp_path / "metals.jsonl").unlink()
    with pytest.raises(InputError, match=r"metals\.jsonl cannot be read: No such file"):
        made(train.RunFolder.open(folder.path))


def test_a_checkpoint_that_is_gone(tmp_path: Path, config: train.RunConfig, made: Made) -> None:
    """The server deleted it."""
    folder = train.RunFolder.new(tmp_path / "run", config)
    made(folder, stop=lambda: True)
    folder.note_checkpoint(train.SavedStep(2, "tinker://nobody/weights/step-000002"))
    with pytest.raises(InputError, match=r"has no tinker://nobody/weights/step-000002, .* has expired"):
        made(train.RunFolder.open(folder.path))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "no/body"}, "no/body"),
        ({"data": "/nowhere.jsonl"}, "/nowhere.jsonl cannot be read"),
        ({"warmup_steps": 8}, "must be from 0 to 7, fewer than the 8 steps"),
        ({"max_tokens": 4}, "metals.jsonl:1: has .* tokens, 4 are allowed"),
        ({"max_tokens": 4, "truncation": "drop"}, "makes no datum to train on"),
        ({"input_format": "openai"}, "is missing"),
    ],
)
def test_what_cannot_be_trained(
    tmp_path: Path, config: train.RunConfig, settings: dict[str, Any], message: str
) -> None:
    """Nothing is written then."""
    folder = train.RunFolder.new(tmp_path / "run", attrs.evolve(config, **settings))
    with (
        tinsmith.ServiceClient(base_url="local:") as service,
        pytest.raises((InputError, tinsmith.TinkerError), match=message),
    ):
        train.prepare(service, folder)
    assert not folder.path.exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rank": 0}, "'rank'.* must be at least 1, not 0"),
        ({"steps": 10**20}, f"'steps'.* must be at most 1000000, not {10**20}"),
        ({"epochs": 10**20}, f"'epochs'.* must be at most 1000000, not {10**20}"),
        ({"held_out": 1.0}, "'held_out'.* must be from 0 to below 1, not 1.0"),
        ({"held_out": float("nan")}, "'held_out'.* must be from 0 to below 1"),
        ({"batch_tokens": 5}, "give either batch_items or batch_tokens"),
        ({"ttl_seconds": 60}, "'ttl_seconds'.* must be at least 3600, not 60"),
        ({"model": None}, "give either model or start_from"),
        ({"start_from": "tinker://a/weights/b"}, "give either model or start_from"),
    ],
)
def test_wrong_settings(config: train.RunConfig, settings: dict[str, Any], message: str) -> None:
    """Each is named, with what is allowed."""
    with pytest.raises(InputError, match=message):
        attrs.evolve(config, **settings)


def test_passes_that_make_too_many_steps(
    tmp_path: Path, config: train.RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are refused before their batches fill the memory, and no folder is left."""
    monkeypatch.setattr("tinsmith.train.run.MOST_STEPS", 2)
    folder = train.RunFolder.new(tmp_path / "run", attrs.evolve(config, steps=None, epochs=5))
    with (
        tinsmith.ServiceClient(base_url="local:") as service,
        pytest.raises(InputError, match=r"'epochs'.* 5 passes over the data are more than 2 steps"),
    ):
        train.prepare(service, folder)
    assert not folder.path.exists()


def test_batches_by_tokens_and_steps(tmp_path: Path, config: train.RunConfig, made: Made) -> None:
    """A number of steps goes over as many epochs as it needs."""
    by_tokens = attrs.evolve(config, batch_items=None, batch_tokens=300, steps=15, held_out=0.0)
    folder = train.RunFolder.new(tmp_path / "run", by_tokens)
    assert made(folder).steps == 15
    lines = folder.metrics()
    assert max(line["tokens"] for line in lines) <= 300
    assert lines[-1]["epoch"] > 1
    assert not any("held_out_loss" in line for line in lines)


def texts(*words: str) -> list[list[tinsmith.Datum]]:
    """Return a record for each word."""
    return [
        [tinsmith.Datum(model_input=tinsmith.ModelInput.from_ints(list(word.encode())), loss_fn_inputs={})]
        for word in words
    ]


def test_what_is_held_out_does_not_depend_on_the_order() -> None:
    """The same words are held out, whichever way the file is sorted; another seed holds out others."""
    words = [f"word {number}" for number in range(50)]

    def held_out(words: list[str], seed: int = 0) -> list[str]:
        return sorted(
            bytes(datum.model_input.to_ints()).decode() for datum in split(texts(*words), 0.2, seed)[1]
        )

    assert held_out(words) == held_out(words[::-1])
    assert len(held_out(words)) == 10
    assert held_out(words, seed=1) != held_out(words)


@pytest.mark.parametrize(
    ("words", "share", "sizes"),
    [
        (["a", "b", "c"], 0.0, (3, 0)),
        (["a", "b", "c"], 0.01, (2, 1)),
        (["a", "b"], 0.9, (1, 1)),
        (["a"], 0.5, (1, 0)),
        (["a", "a", "a"], 0.5, (3, 0)),
        ([], 0.5, (0, 0)),
    ],
)
def test_at_least_one_is_held_out_and_one_is_not(
    words: list[str], share: float, sizes: tuple[int, int]
) -> None:
    """Where both can be."""
    trained, held_out = split(texts(*words), share, 0)
    assert (len(trained), len(held_out)) == sizes
