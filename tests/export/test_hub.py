"""Uploading: what arrives at a hub over a real socket, what is kept there, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml
from tinsmith import InputError, MissingExtraError
from tinsmith.export import ExportedForm, HubTarget, model_card, push_to_hub, repo_name
from tinsmith.export.hub import check_repo, keep_files

from tests.export.fake_hub import TOKEN, FakeHub
from tests.guard import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.export.conftest import Trained

ADAPTER = ["adapter_config.json", "adapter_model.safetensors"]


class Pushed(NamedTuple):
    """What the command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """Give a hub."""
    with FakeHub() as running:
        yield running


@pytest.fixture
def push(hub: FakeHub, trained: Trained, tmp_path: Path) -> Callable[..., Pushed]:
    """Run `tinsmith` in a process of its own: the library reads its settings once."""

    def run(*words: str, token: str | None = TOKEN, command: str = "checkpoint push-hf") -> Pushed:
        own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "TINKER_BASE_URL": trained.base_url}
        own["HF_HUB_DISABLE_XET"] = "1"  # large files go by the plain way
        left_out = ("HF_TOKEN", "HF_HUB_OFFLINE", "TINKER_API_KEY", "HUGGING_FACE_HUB_TOKEN")
        env = {name: value for name, value in os.environ.items() if name not in left_out} | own
        done = subprocess.run(
            [sys.executable, "-m", "tinsmith", *command.split(), *words],
            capture_output=True,
            text=True,
            timeout=WAIT_S,
            check=False,
            env=env | ({"HF_TOKEN": token} if token else {}),
        )
        assert TOKEN not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return Pushed(done.returncode, done.stdout, done.stderr)

    return run


def test_a_new_repository(hub: FakeHub, push: Callable[..., Pushed], trained: Trained) -> None:
    """Is private, and holds the adapter and a card; large files go where the hub wants them."""
    done = push(trained.path, "--repo", "me/tone", "--base", "org/base", "--format", "json")
    assert done.code == 0, done.err
    repo = hub.repos["me/tone"]
    assert repo["private"] is True
    assert sorted(repo["files"]["main"]) == ["README.md", *ADAPTER]
    assert repo["files"]["main"]["adapter_model.safetensors"] in hub.large.values()
    settings = json.loads(repo["files"]["main"]["adapter_config.json"])
    assert settings["base_model_name_or_path"] == "org/base"
    assert repo["messages"] == ["Upload the adapter tone"]
    document = json.loads(done.out)
    assert document["repo"] == "me/tone"
    assert document["url"] == f"{hub.url}/me/tone"
    assert (document["commit"], document["pull_request"]) == ("1" * 40, None)


def test_all_options(hub: FakeHub, push: Callable[..., Pushed], trained: Trained) -> None:
    """A name that is derived, a branch, a message, a public repository, chosen files, no card."""
    done = push(
        trained.training, "--public", "--revision", "next", "--commit-message", "Try",
        "--allow-pattern", "*.json", "--allow-pattern", "*.md", "--ignore-pattern", "R*", "--no-model-card",
    )  # fmt: skip
    assert done.code == 0, done.err
    (name,) = hub.repos
    assert name.startswith("me/tiny-")
    assert name.endswith("weights_state")
    repo = hub.repos[name]
    assert (repo["private"], repo["messages"]) == (False, ["Try"])
    assert list(repo["files"]["next"]) == ["adapter_config.json"]
    assert repo["files"]["main"] == {}
    assert f"Page         {hub.url}/{name}" in done.out


def test_a_pull_request(hub: FakeHub, push: Callable[..., Pushed], trained: Trained) -> None:
    """Its page is shown; `export --to hub` is the same command."""
    done = push(str(trained.folder), "--to", "hub", "--repo", "me/tone", "--create-pr", command="export")
    assert done.code == 0, done.err
    assert f"{hub.url}/me/tone/discussions/1" in done.out


def test_a_card_that_is_there_is_kept(hub: FakeHub, push: Callable[..., Pushed], trained: Trained) -> None:
    """Somebody may have written it by hand."""
    hub.made("me/tone", private=True)["files"]["main"]["README.md"] = b"mine"
    done = push(str(trained.folder), "--repo", "me/tone")
    assert done.code == 0, done.err
    assert hub.repos["me/tone"]["files"]["main"]["README.md"] == b"mine"
    assert "has a model card already, which was kept" in done.err


def test_a_public_repository_needs_the_option(
    hub: FakeHub, push: Callable[..., Pushed], trained: Trained
) -> None:
    """Nothing private is published by mistake."""
    hub.made("me/tone", private=False)
    done = push(str(trained.folder), "--repo", "me/tone")
    assert (done.code, done.out) == (2, "")
    assert "me/tone is public already; --public allows an upload there" in done.err
    assert hub.repos["me/tone"]["messages"] == []
    assert push(str(trained.folder), "--repo", "me/tone", "--public").code == 0


@pytest.mark.parametrize(
    ("token", "words", "code", "message"),
    [
        (None, ("--repo", "me/tone"), 1, "the hub wants a token: log in (`hf auth login`), or set HF_TOKEN"),
        ("hf_wrong", ("--repo", "me/tone"), 1, "the hub wants a token"),
        (TOKEN, ("--repo", "you/tone"), 1, "the token of the hub may not write to you/tone"),
        (TOKEN, ("--repo", "a/b/c"), 2, "'a/b/c' is no name of a repository, OWNER/NAME"),
        (TOKEN, ("--repo", "me/tone", "--allow-pattern", "*.x"), 2, "no file is left to upload"),
        (TOKEN, ("--repo", "me/tone", "--base", "/"), 2, "name it as the hub does, with --base OWNER/NAME"),
    ],
)
def test_refusals(
    hub: FakeHub,
    push: Callable[..., Pushed],
    trained: Trained,
    token: str | None,
    words: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    """A sentence says what to do, and nothing was uploaded."""
    done = push(str(trained.folder), *words, token=token)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert not any(line.startswith("POST") and "/commit/" in line for line in hub.asked)


def test_a_hub_that_cannot_be_reached(
    hub: FakeHub, push: Callable[..., Pushed], trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is said in one sentence."""
    monkeypatch.setattr(hub, "url", "http://127.0.0.1:9")
    done = push(str(trained.folder), "--repo", "me/tone")
    assert done.code == 1
    assert "the upload to me/tone failed (ConnectError: " in done.err


def test_a_dry_run(hub: FakeHub, push: Callable[..., Pushed], trained: Trained, tmp_path: Path) -> None:
    """Writes what would be uploaded, without a token and without a request; it is an export itself."""
    target = tmp_path / "dry"
    done = push(str(trained.folder), "--dry-run", str(target), "--repo", "me/tone", token=None)
    assert done.code == 0, done.err
    assert sorted(path.name for path in target.iterdir()) == ["README.md", *ADAPTER]
    assert hub.asked == []
    again = push(str(trained.folder), "--dry-run", str(target), "--repo", "me/tone")
    assert again.code == 1
    assert "--overwrite replaces it" in again.err
    assert push(str(trained.folder), "--dry-run", str(target), "--overwrite").code == 0


def test_the_card(tmp_path: Path) -> None:
    """Its head is YAML that the hub reads, whatever a name holds; its body says how to load the adapter."""
    form = ExportedForm(
        target=tmp_path, base_model='org/a: "b"', rank=8, alpha=32.0, modules=14, nbytes=1, notes=()
    )
    card = model_card(form, "me/tone", checkpoint="tinker://run/weights/1")
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head) == {
        "base_model": 'org/a: "b"',
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lora", "tinsmith"],
    }
    for words in ("# tone", "| Rank | 8 |", "`tinker://run/weights/1`", 'from_pretrained(model, "me/tone")'):
        assert words in body
    code = body.split("```python\n")[1].split("```")[0]
    compile(code, "card", "exec")


def test_names_of_repositories() -> None:
    """A derived name is one that the hub takes."""
    for base, origin in (("org/Model-1B", "run:train:0_weights_a"), (None, "..a--b"), ("x" * 90, "y" * 40)):
        check_repo(repo_name(base, origin))
    assert repo_name("org/Model-1B", "run:train:0_weights_a") == "Model-1B-run-train-0_weights_a"


def test_which_files(tmp_path: Path) -> None:
    """Patterns as the shell has them."""
    for name in ("a.json", "b.json", "c.md"):
        (tmp_path / name).touch()
    assert keep_files(tmp_path, ["*.json"], ["b*"]) == ["a.json"]
    with pytest.raises(InputError, match="no file is left"):
        keep_files(tmp_path, [], ["*"])


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"uploading to the hub needs the extra tinsmith\[hub\]"):
        push_to_hub(tmp_path, HubTarget(repo="me/tone"))
