"""The forms of an export: what is in them, which base model is meant, and what is refused."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tinsmith import InputError, MissingExtraError, MissingModelError, TinkerError, export
from tinsmith.core import optional_deps
from tinsmith.export import export_target, forms
from tinsmith.export.forms import is_base_model
from tinsmith_local.models.tensor_file import TensorFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.export.conftest import Trained

PEFT = Path(__file__).parents[1] / "embedded" / "models" / "golden" / "peft"


def names(folder: Path) -> list[str]:
    """Return the files of a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_peft(trained: Trained, tmp_path: Path) -> None:
    """The adapter without the optimizer's state, its tensors unchanged, its base model as it is named."""
    assert "optimizer.safetensors" in names(trained.folder)
    done = export.export_peft(trained.folder, tmp_path / "deep" / "out", base="org/name")
    assert names(done.target) == ["adapter_config.json", "adapter_model.safetensors"]
    settings = json.loads((done.target / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == done.base_model == "org/name"
    before, after = (
        TensorFile(folder / "adapter_model.safetensors") for folder in (trained.folder, done.target)
    )
    assert all(np.array_equal(before.get(name), after.get(name)) for name in before.names())
    assert (done.rank, done.alpha, done.modules, done.notes) == (4, 32, 16, ())


def test_the_base_model_that_peft_loads(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder by its absolute path, also under a name of the user; a name that is none gets a note."""
    base = tmp_path / "base"
    base.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINSMITH_MODELS", f"mine={base}")
    for given in ("base", str(base), "mine"):
        done = export.export_peft(trained.folder, tmp_path / "out", base=given, overwrite=True)
        assert (done.base_model, done.notes) == (str(base), ())
    for given in ("tinsmith/tiny", "nobody", "/nowhere"):
        done = export.export_peft(trained.folder, tmp_path / "out", base=given, overwrite=True)
        assert "is neither a folder here nor a name of the hub" in done.notes[0]
    smollm2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
    done = export.export_peft(trained.folder, tmp_path / "out", base=smollm2, overwrite=True)
    assert "`tinsmith export smollm2 --to merged`" in done.notes[0]


def test_merged(trained: Trained, tmp_path: Path) -> None:
    """The whole model with its tokenizer; checked; what it leaves out is said."""
    steps: list[str] = []
    done = export.export_merged(
        trained.folder, tmp_path / "out", progress=lambda step, *_: steps.append(step)
    )
    assert set(names(done.target)) >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert (done.base_model, done.rank, done.modules) == ("tinsmith/tiny", 4, 15)
    assert (done.compared, done.limit) == ("logits", 1e-3)
    assert done.difference is not None
    assert done.effect is not None
    assert done.difference < 1e-4 < done.effect
    assert done.logit_difference == done.difference
    assert "vision.patch_proj reads images" in done.notes[0]
    assert "an unembedding of its own" in done.notes[1]
    assert steps[-1] == "compare"
    assert set(steps[:-1]) == {"merge"}


def test_merged_without_a_check(trained: Trained, tmp_path: Path) -> None:
    """Nothing is compared, and nothing said of it."""
    done = export.export_merged(trained.folder, tmp_path / "out", check=False)
    assert (done.compared, done.difference, done.limit, done.effect) == (None, None, None, None)


def test_16_bits(trained: Trained, tmp_path: Path) -> None:
    """The tensors decide, and the logits are measured."""
    done = export.export_merged(trained.folder, tmp_path / "out", dtype="bfloat16")
    assert done.compared == "tensors"
    assert done.logit_difference is not None
    assert done.logit_difference > 1e-3


def test_a_base_model_alone(tmp_path: Path) -> None:
    """Is written as a folder that then is a base model itself."""
    done = export.export_merged(None, tmp_path / "base", base="tinsmith/tiny-untied")
    assert (done.rank, done.alpha, done.modules, done.difference) == (None, None, 0, 0.0)
    again = export.export_merged(None, tmp_path / "again", base=str(done.target))
    assert names(again.target) == names(done.target)
    for name in ("model.safetensors", "tokenizer.json"):
        assert (again.target / name).read_bytes() == (done.target / name).read_bytes()


def test_gguf_lora(trained: Trained, tmp_path: Path) -> None:
    """One file, whose parent folders are made; what is left out is said."""
    target = tmp_path / "deep" / "tone.gguf"
    done = export.export_gguf_lora(trained.folder, target, without=["lm_head"])
    assert (done.target, done.modules, done.nbytes) == (target, 14, target.stat().st_size)
    assert target.read_bytes()[:4] == b"GGUF"
    assert done.notes == ("lm_head is left out, and what was trained there is lost.",)
    done = export.export_gguf_lora(trained.folder, tmp_path / "whole.gguf", base="tinsmith/tiny-untied")
    assert (done.modules, done.notes) == (15, ())


def test_a_wrong_merge_is_not_kept(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the check finds a difference, there is an error, and nothing on disk."""
    from tinsmith_local.conversion.merge import Merge

    monkeypatch.setattr(Merge, "tensor", Merge.base_tensor)
    with pytest.raises(TinkerError, match=r"its logits differ by .*, and 0.001 is allowed; nothing is kept"):
        export.export_merged(trained.folder, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [export.export_merged, export.export_gguf_lora])
def test_a_base_model_that_is_not_here(
    trained: Trained, tmp_path: Path, write: Callable[..., export.ExportedForm]
) -> None:
    """A sentence says how to get it."""
    with pytest.raises(MissingModelError, match=r"'no/body' is not on this machine; download it, such as"):
        write(trained.folder, tmp_path / "out", base="no/body")
    assert list(tmp_path.iterdir()) == []


def test_the_cache_of_the_hub(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A base model that lies there is found under its name, and nothing is sent."""
    import huggingface_hub

    base = export.export_merged(None, tmp_path / "base", base="tinsmith/tiny").target

    def cached(name: str, *, local_files_only: bool) -> str:
        assert (name, local_files_only) == ("org/cached", True)
        return str(base)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    done = export.export_merged(trained.folder, tmp_path / "out", base="org/cached")
    assert (done.base_model, done.compared) == ("org/cached", "logits")


def test_an_adapter_without_a_base_model(trained: Trained, tmp_path: Path) -> None:
    """It must be named."""
    nameless = export.export_peft(trained.folder, tmp_path / "nameless", base="x").target
    path = nameless / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": None}))
    for write in (export.export_peft, export.export_merged, export.export_gguf_lora):
        with pytest.raises(InputError, match="names no base model; name it with base"):
            write(nameless, tmp_path / "out")


def test_what_is_already_there(trained: Trained, tmp_path: Path) -> None:
    """An earlier export is replaced if that is wanted; nothing else is, nor what is read."""
    out = export.export_merged(trained.folder, tmp_path / "out").target
    with pytest.raises(FileExistsError, match="is there already"):
        export.export_merged(trained.folder, out)
    export.export_peft(trained.folder, out, overwrite=True)
    assert names(out) == ["adapter_config.json", "adapter_model.safetensors"]
    with pytest.raises(InputError, match="holds what is exported"):
        export.export_peft(out, out, overwrite=True)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    with pytest.raises(InputError, match="is there and is no earlier export; choose another place"):
        export.export_peft(trained.folder, tmp_path / "run", overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is no folder; choose another place"):
        export.export_peft(trained.folder, tmp_path / "file", overwrite=True)
    with pytest.raises(InputError, match="is a folder; name a file"):
        export.export_gguf_lora(trained.folder, out, without=["lm_head"], overwrite=True)
    with pytest.raises(FileExistsError, match="is there already"):
        export.export_gguf_lora(trained.folder, tmp_path / "file", without=["lm_head"])
    export.export_gguf_lora(trained.folder, tmp_path / "file", without=["lm_head"], overwrite=True)
    (tmp_path / "empty").mkdir()
    export.export_peft(trained.folder, tmp_path / "empty")
    assert names(tmp_path) == ["empty", "file", "out", "run"]


def test_links_and_devices(trained: Trained, tmp_path: Path) -> None:
    """A link is followed; one that leads nowhere, and what is no file, are refused and stay as they are."""
    for name, leads_to in (
        ("folder", "there"),
        ("file", "there.gguf"),
        ("nowhere", "gone"),
        ("loop", "loop"),
    ):
        (tmp_path / name).symlink_to(leads_to)
    (tmp_path / "there").mkdir()
    (tmp_path / "there.gguf").touch()
    os.mkfifo(tmp_path / "pipe")
    before, write = names(tmp_path), partial(export.export_peft, trained.folder)
    write(tmp_path / "folder")
    assert names(tmp_path / "there") == ["adapter_config.json", "adapter_model.safetensors"]
    lora = partial(export.export_gguf_lora, trained.folder, without=["lm_head"], overwrite=True)
    lora(tmp_path / "file")
    assert (tmp_path / "there.gguf").stat().st_size > 0
    for name in ("nowhere", "loop"):
        with pytest.raises(InputError, match="is a link that leads nowhere; remove it"):
            write(tmp_path / name)
        with pytest.raises(InputError, match="is a link that leads nowhere; remove it"):
            lora(tmp_path / name)
    with pytest.raises(InputError, match="is no ordinary file and cannot be replaced"):
        lora(tmp_path / "pipe")
    assert (names(tmp_path), (tmp_path / "folder").is_symlink()) == (before, True)


def test_a_full_disk(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at before anything is written; one that fills up on the way leaves nothing."""
    free = export_target.free_bytes
    monkeypatch.setattr(export_target, "free_bytes", lambda _: 1000)
    with pytest.raises(InputError, match=r"67 MB have to stay free, and the disk has 0\.0 MB; make"):
        export.export_merged(trained.folder, tmp_path / "deep" / "out")
    monkeypatch.setattr(export_target, "free_bytes", free)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        export.export_merged(trained.folder, tmp_path / "deep" / "out", progress=full)
    assert list(tmp_path.iterdir()) == []


def test_wrong_types(trained: Trained, tmp_path: Path) -> None:
    """Those that exist are named."""
    with pytest.raises(InputError, match="must be one of float32, float16, bfloat16, not 'int4'"):
        export.export_merged(trained.folder, tmp_path / "out", dtype="int4")


def test_what_is_a_base_model(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of the embedded service, also of models that are not fetched, and places of files."""
    monkeypatch.setenv("TINSMITH_CACHE", str(tmp_path / "cache"))
    assert is_base_model("tinsmith/tiny")
    assert is_base_model("smollm2")
    assert is_base_model(str(PEFT / "llama" / "base"))
    assert not is_base_model("no/body")
    assert not is_base_model(str(trained.folder))


def test_without_the_extra(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named."""
    monkeypatch.setattr(optional_deps, "LIBRARIES", {"local": ("no_such_library",)})
    for write in (export.export_peft, export.export_merged, export.export_gguf_lora):
        with pytest.raises(
            MissingExtraError, match=r"exporting an adapter needs the extra tinsmith\[local\]"
        ):
            write(trained.folder, tmp_path / "out")


def test_no_library_of_the_hub(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then its cache is not looked into."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    find: Any = forms._in_hub_cache
    assert find("org/name") is None
