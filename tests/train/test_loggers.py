"""The loggers, against stand-ins of the libraries: what they are told, and that they are closed."""

from __future__ import annotations

import contextlib
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from tinsmith import MissingExtraError, train
from tinsmith.train.loggers import LIBRARIES, tensorboard_logger, trackio_logger, wandb_logger

if TYPE_CHECKING:
    from pathlib import Path


class Library(ModuleType):
    """A stand-in for a library: it notes what it is told."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None)
        self.begun: dict[str, Any] = {}
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.is_closed = False

    def init(self, **settings: Any) -> Library:
        """Begin a run, as wandb and trackio do."""
        print(f"{self.__name__} says hello")
        self.begun = settings
        return self

    def SummaryWriter(self, folder: str, **settings: Any) -> Library:  # noqa: N802 - the name of tensorboardX
        """Begin a run, as tensorboardX does."""
        return self.init(folder=folder, **settings)

    def log(self, metrics: dict[str, float], step: int) -> None:
        """Note all metrics of a step."""
        self.logged.append((step, metrics))

    def add_scalar(self, name: str, value: float, step: int) -> None:
        """Note one metric of a step."""
        if not self.logged or self.logged[-1][0] != step:
            self.log({}, step)
        self.logged[-1][1][name] = value

    def finish(self) -> None:
        """End the run."""
        self.is_closed = True

    close = finish


def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Library]:
    """Put a stand-in in the place of each library."""
    made = {name: Library(library) for name, library in LIBRARIES.items()}
    for library in made.values():
        monkeypatch.setitem(sys.modules, library.__name__, library)
    return made


@pytest.fixture
def folder(tmp_path: Path, config: train.RunConfig) -> train.RunFolder:
    """Give the folder of a run."""
    return train.RunFolder.new(tmp_path / "tone", config).write(config)


def test_wandb(folder: train.RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id of the run is that of its folder, so that a run that is continued is continued there."""
    library = installed(monkeypatch)["wandb"]
    with wandb_logger(folder, "metals") as logger:
        logger(1, {"loss": 2.0})
    assert library.logged == [(1, {"loss": 2.0})]
    assert library.is_closed
    first = library.begun
    assert first.pop("id").startswith("tone-")
    assert first == {
        "project": "metals", "name": "tone", "resume": "allow", "config": attrs.asdict(folder.config),
    }  # fmt: skip
    with wandb_logger(folder, "metals"):
        again = library.begun["id"]
    with wandb_logger(attrs.evolve(folder, path=folder.path / "tone"), "metals"):
        assert library.begun["id"] != again


def test_trackio(folder: train.RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of the run is that of its folder."""
    library = installed(monkeypatch)["trackio"]
    with contextlib.suppress(KeyboardInterrupt), trackio_logger(folder, "metals") as logger:
        logger(1, {"loss": 2.0})
        raise KeyboardInterrupt
    assert library.logged == [(1, {"loss": 2.0})]
    assert library.is_closed
    assert (library.begun["name"], library.begun["project"]) == ("tone", "metals")


def test_tensorboard(folder: train.RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was logged after the last checkpoint is replaced."""
    library = installed(monkeypatch)["tensorboard"]
    with tensorboard_logger(folder) as logger:
        logger(1, {"loss": 2.0, "tokens": 7})
    assert library.logged == [(1, {"loss": 2.0, "tokens": 7})]
    assert library.begun == {"folder": str(folder.path / "tensorboard"), "purge_step": 0}
    folder.note_checkpoint(train.SavedStep(4, "tinker://run/weights/step-000004"))
    with tensorboard_logger(folder):
        assert library.begun["purge_step"] == 5


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_is_missing(
    folder: train.RunFolder, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The error names the extra."""
    monkeypatch.setitem(LIBRARIES, name, "no_such_library")
    opened = {
        "tensorboard": lambda: tensorboard_logger(folder),
        "trackio": lambda: trackio_logger(folder, "metals"),
        "wandb": lambda: wandb_logger(folder, "metals"),
    }
    with pytest.raises(MissingExtraError, match=rf"tinsmith\[{name}\]"), opened[name]():
        pass
