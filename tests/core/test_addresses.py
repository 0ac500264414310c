"""Paths of checkpoints: the name of the folder that one is downloaded into."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinsmith.core.addresses import AdapterFolder, folder_name
from tinsmith_api.paths import check_tinker_path

DEVICES = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tinker://run/weights/0001", "run_weights_0001"),
        ("tinker://3f2a:train:0/sampler_weights/last", "3f2a_train_0_sampler_weights_last"),
        ("tinker://run/weights/what?", "run_weights_what_"),
        ("tinker://run/weights/a.", "run_weights_a_"),
        ("tinker://run/weights/a . ", "run_weights_a___"),
        ("tinker://.run/a", "_.run_a"),
        ("tinker://con", "_con"),
        ("tinker://COM1.txt", "_COM1.txt"),
        ("tinker://console/a", "console_a"),
        ("tinker://run/weights/\ud800", "run_weights__"),
    ],
)
def test_folder_name(path: str, name: str) -> None:
    """What some system refuses is replaced, and the rest stays as it is."""
    assert folder_name(path) == name


@given(st.text(max_size=300))
def test_folder_name_fits_every_system(text: str) -> None:
    """Whatever a server calls a checkpoint, its folder has a name that Windows, macOS and Linux take."""
    name = folder_name(f"tinker://r{text}")
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', name)
    assert name == name.rstrip(" .")
    assert name.split(".")[0].strip().lower() not in DEVICES
    assert len(name.encode()) <= 200


def test_long_names_stay_apart() -> None:
    """Two long paths that begin alike get two folders."""
    one, two = (folder_name(f"tinker://run/weights/{'x' * 300}{end}") for end in "ab")
    assert one != two


@given(st.text(min_size=1), st.none() | st.text(min_size=1))
def test_adapter_folders_come_back(directory: str, base_model: str | None) -> None:
    """A directory and its base model travel as a path of the API, whatever their names."""
    folder = AdapterFolder(directory, base_model)
    assert AdapterFolder.from_tinker_path(check_tinker_path(folder.tinker_path)) == folder


@pytest.mark.parametrize(
    "path",
    [
        "tinker://run/weights/adapter",
        "tinker://file-YQ/weights/one",
        "tinker://file-YQ/sampler_weights/adapter",
        "tinker://file-Y!/weights/adapter",
        "tinker://file-YQ/weights/on-Y",
    ],
)
def test_other_paths_are_no_adapter_folders(path: str) -> None:
    """Checkpoints of runs, and what is not written so, are left alone."""
    assert AdapterFolder.from_tinker_path(path) is None
