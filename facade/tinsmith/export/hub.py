"""Uploads an adapter to the Hugging Face hub, by the library `huggingface_hub`, which knows the user's token.

Owns what is uploaded and into which repository. Sees no token, and says none.
"""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import attrs

from tinsmith.core.errors import InputError, MissingExtraError, TinkerError
from tinsmith.export.model_card import CARD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAME_CHARACTERS = 96
"""Longest name of a repository on the hub."""


@attrs.frozen(kw_only=True)
class HubTarget:
    """Where an adapter goes, and how."""

    repo: str
    """Repository, `owner/name`; a name alone is one of the user's own."""
    public: bool = False
    """Whether a new repository is public, and whether a public one may be uploaded to."""
    revision: str | None = None
    """Branch to upload to, made if it is not there; None: the main one."""
    commit_message: str | None = None
    """Message of the commit; None: one that names the adapter."""
    create_pr: bool = False
    """Whether to open a pull request, and not to change the branch."""


@attrs.frozen(kw_only=True)
class PushedRepo:
    """The result of an upload."""

    repo: str
    """Repository, `owner/name`."""
    url: str
    """Page of the repository."""
    commit: str
    """Id of the commit."""
    pull_request: str | None
    """Page of the pull request, if one was opened."""
    card_kept: bool
    """Whether the repository had a model card, which is then not replaced."""


def repo_name(base_model: str | None, origin: str) -> str:
    """Return a name for the repository of an adapter: its base model, then where it comes from."""
    stem = (base_model or "adapter").rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9_]*[^A-Za-z0-9_.][^A-Za-z0-9_]*|\.\.+", "-", f"{stem}-{origin}")
    return name[:NAME_CHARACTERS].strip("-.")


def check_repo(name: str) -> None:
    """Raise InputError for a name of a repository that the hub does not take."""
    validate, wrong_name = _library().utils.validate_repo_id, _library().errors.HFValidationError
    try:
        validate(name)
    except wrong_name as wrong:
        raise InputError(f"{name!r} is no name of a repository, OWNER/NAME: {wrong}") from None


def keep_files(folder: Path, allow: Sequence[str], ignore: Sequence[str]) -> list[str]:
    """Remove the files of `folder` that match no pattern of `allow`, or one of `ignore`; return the others.

    An empty `allow` matches all. InputError if nothing is left.
    """
    for file in list(folder.iterdir()):
        allowed = not allow or any(fnmatch(file.name, pattern) for pattern in allow)
        if not allowed or any(fnmatch(file.name, pattern) for pattern in ignore):
            file.unlink()
    kept = sorted(file.name for file in folder.iterdir())
    if not kept:
        raise InputError("no file is left to upload; change the patterns")
    return kept


def push_to_hub(folder: Path, target: HubTarget) -> PushedRepo:
    """Upload the files of `folder` in one commit; the repository is made if it is not there.

    A model card that the repository has already is kept. InputError for a name that the hub does not take,
    and for a public repository without `target.public`; TinkerError where the hub refuses; MissingExtraError
    without the library.
    """
    check_repo(target.repo)
    library = _library()
    api = library.HfApi(library_name="tinsmith")
    try:
        repo = api.create_repo(target.repo, private=not target.public, exist_ok=True).repo_id
        if not target.public and not api.repo_info(repo).private:
            raise InputError(
                f"{repo} is public already; public=True allows an upload there, or name another repository"
            )
        if target.revision and not target.create_pr:
            api.create_branch(repo, branch=target.revision, exist_ok=True)
        has_card = api.file_exists(repo, CARD, revision=target.revision)
        done = api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message=target.commit_message or f"Upload the adapter {repo.rpartition('/')[2]}",
            revision=target.revision,
            create_pr=target.create_pr,
            ignore_patterns=[CARD] if has_card else None,
        )
    except InputError:
        raise
    except library.errors.HfHubHTTPError as refused:
        raise TinkerError(_refusal(refused, target.repo)) from None
    except Exception as failed:  # those of its HTTP library are no family of their own
        reason = f"{type(failed).__name__}: {failed}".strip().partition("\n")[0]
        raise TinkerError(f"the upload to {target.repo} failed ({reason}); try again") from failed
    return PushedRepo(
        repo=repo,
        url=f"{api.endpoint}/{repo}",
        commit=done.oid,
        pull_request=done.pr_url,
        card_kept=has_card,
    )


def _library() -> Any:
    """Load huggingface_hub, without its progress bars; MissingExtraError if it is not installed."""
    try:
        import huggingface_hub
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError as cause:
        raise MissingExtraError("uploading to the hub", "hub") from cause
    disable_progress_bars()
    return huggingface_hub


def _refusal(error: Exception, repo: str) -> str:
    """Say what the hub refused, in a sentence without the request's own words."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return "the hub wants a token: log in (`hf auth login`), or set HF_TOKEN to one that may write"
    if status == 403:
        return f"the token of the hub may not write to {repo}; use one that may, or name another repository"
    said = getattr(error, "server_message", None) or str(error).strip().partition("\n")[0]
    return f"the hub refused the upload to {repo}: {said}"
