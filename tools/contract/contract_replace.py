"""Puts a fresh directory in the place of an old one: a crash leaves one of the two whole, and never a mix."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

AT_FDCWD = -100
EXCHANGE = 2
"""RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS."""


def replace(fresh: Path, target: Path) -> None:
    """Copy a directory beside the target, let the two change places, and remove the old one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new, old = _beside(target, "new"), _beside(target, "old")
    for left_over in (new, old):
        shutil.rmtree(left_over, ignore_errors=True)
    shutil.copytree(fresh, new)
    if not target.exists():
        os.rename(new, target)
    elif exchange(new, target):
        shutil.rmtree(new)
    else:
        # Not at once, but either is whole all the time; `recover` puts the old one back.
        os.rename(target, old)
        os.rename(new, target)
        shutil.rmtree(old)


def recover(target: Path) -> None:
    """Finish what a crash interrupted: put a target back that was moved away, and remove left-overs."""
    old = _beside(target, "old")
    if old.exists() and not target.exists():
        os.rename(old, target)
    for left_over in (_beside(target, "new"), old):
        shutil.rmtree(left_over, ignore_errors=True)


def exchange(first: Path, second: Path) -> bool:
    """Let two directories change places in one step; False where the system cannot."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(first), os.fsencode(second)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, EXCHANGE)
    elif hasattr(library, "renameat2"):
        failed = library.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], EXCHANGE)
    else:
        return False
    if not failed:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(second))


def _beside(target: Path, word: str) -> Path:
    return target.with_name(f".{target.name}.{word}")
