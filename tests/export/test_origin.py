"""Where an adapter comes from, and what is said where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tinsmith
from tinsmith import AuthenticationError, BadRequestError, InputError, NotFoundError, TinkerError, train
from tinsmith.export import AdapterOrigin, find_origin
from tinsmith.train import RunFolder, SavedStep

if TYPE_CHECKING:
    from pathlib import Path

    from tinsmith.clients.rest import RestClient

    from tests.export.conftest import Trained


def test_a_checkpoint(trained: Trained, tmp_path: Path) -> None:
    """Of either kind; it is fetched into a folder that is gone afterwards."""
    reports: list[int] = []
    with tinsmith.ServiceClient(base_url=trained.base_url) as service:
        rest = service.create_rest_client()
        for path in (trained.path, trained.training):
            origin = find_origin(path)
            assert (origin.tinker_path, origin.base_url) == (path, None)
            with origin.fetched(rest, tmp_path, lambda done, _: reports.append(done)) as folder:
                assert (folder / "adapter_model.safetensors").is_file()
            assert list(tmp_path.iterdir()) == []
        with (
            pytest.raises(NotFoundError),
            find_origin("tinker://nobody/weights/ghost").fetched(rest, tmp_path),
        ):
            pass
    assert reports
    assert find_origin(trained.path).name.endswith("_sampler_weights_final")


def test_a_folder(trained: Trained, tmp_path: Path) -> None:
    """Is taken where it is."""
    origin = find_origin(str(trained.folder))
    assert (origin.folder, origin.tinker_path, origin.name) == (trained.folder, None, "adapter")
    with origin.fetched(None, tmp_path) as folder:
        assert folder == trained.folder
    assert folder.exists()


def test_a_run(tmp_path: Path) -> None:
    """Its final weights, on its server, or its last checkpoint; one without says how to go on."""
    config = train.RunConfig(data="x.jsonl", model="tinsmith/tiny", base_url="local:/kept")
    run = RunFolder.new(tmp_path / "run", config).write(config)
    with pytest.raises(
        InputError, match=r"has no checkpoint yet; go on with it \(tinsmith train --resume .*run\)$"
    ):
        find_origin(str(run.path))
    run.note_checkpoint(SavedStep(4, "tinker://run/weights/4"))
    assert find_origin(str(run.path)).tinker_path == "tinker://run/weights/4"
    run.note_sampler_weights(8, "tinker://run/sampler_weights/final")
    assert find_origin(str(run.path)) == AdapterOrigin(
        tinker_path="tinker://run/sampler_weights/final",
        training="tinker://run/weights/4",
        base_url="local:/kept",
    )


def test_a_damaged_adapter_is_named_by_its_checkpoint(trained: Trained, tmp_path: Path) -> None:
    """The folder that it was fetched into is gone when the error is read."""
    origin = find_origin(trained.path)
    with (
        tinsmith.ServiceClient(base_url=trained.base_url) as service,
        pytest.raises(tinsmith.TinkerError, match=rf"^{trained.path}/adapter_config.json: no peft") as raised,
        origin.fetched(service.create_rest_client(), tmp_path) as folder,
    ):
        raise tinsmith.TinkerError(f"{folder}/adapter_config.json: no peft")
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere", "nowhere is not there; name a checkpoint"),
        ("empty", "is neither the folder of an adapter .* nor that of a run"),
        ("model", "holds a config.json, but neither an adapter nor a run of `tinsmith train`"),
        ("tinker://a", "tinker://a"),
    ],
)
def test_anything_else(place: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with what to name instead."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InputError, match=message):
        find_origin(place)


class Refusing:
    """A server that gives no archives, or archives of something else."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def download_checkpoint(self, _: str, dest: Path, *, progress: object) -> Refusing:
        """Begin a download."""
        dest.mkdir()
        return self

    def result(self) -> None:
        """End it."""
        if self.error:
            raise self.error


@pytest.mark.parametrize(
    ("error", "path", "message"),
    [
        (
            BadRequestError("no archive", status_code=400),
            "tinker://run/sampler_weights/a",
            r"does not give .* \(no archive\); load a checkpoint of the training \(weights/...\) with"
            r" create_training_client_from_state, save it with save_weights_external",
        ),
        (
            BadRequestError("no archive", status_code=400),
            "tinker://run/weights/a",
            r"does not give .* \(no archive\); load it with create_training_client_from_state",
        ),
        (None, "tinker://run/weights/a", r"holds no adapter_config.json, so it is no LoRA adapter; load it"),
    ],
)
def test_a_server_that_does_not_give_it(
    error: Exception | None, path: str, message: str, tmp_path: Path
) -> None:
    """It is said how else the weights are got; nothing is left."""
    rest: RestClient = Refusing(error)  # type: ignore[assignment]
    with pytest.raises(TinkerError, match=message), find_origin(path).fetched(rest, tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_run_on_such_a_server(tmp_path: Path) -> None:
    """The checkpoint of the training, which has the same weights, is taken where the server gives that."""

    class Choosy(Refusing):
        def download_checkpoint(self, path: str, dest: Path, *, progress: object) -> Refusing:
            self.error = BadRequestError("no", status_code=400) if "/sampler_weights/" in path else None
            dest.mkdir(exist_ok=True)
            (dest / "adapter_config.json").write_text("{}")
            return self

    rest: RestClient = Choosy(None)  # type: ignore[assignment]
    origin = AdapterOrigin(tinker_path="tinker://run/sampler_weights/a", training="tinker://run/weights/a")
    with origin.fetched(rest, tmp_path) as folder:
        assert (folder / "adapter_config.json").is_file()


def test_a_refused_key_is_not_a_refused_kind(tmp_path: Path) -> None:
    """It stays what it is."""
    rest: RestClient = Refusing(AuthenticationError("no", status_code=401))  # type: ignore[assignment]
    with (
        pytest.raises(AuthenticationError),
        find_origin("tinker://run/weights/a").fetched(rest, tmp_path),
    ):
        pass
