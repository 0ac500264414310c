"""New folders and files that are there in full at the end, or not at all, whatever is written into them."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tinsmith.core.errors import InputError
from tinsmith.io.unpack import move_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EXPORTS = ("adapter_config.json", "model.safetensors", "model.safetensors.index.json")
"""Files one of which a folder holds that may be replaced: nothing else is removed by mistake."""

SPARE_BYTES = 64 * 1024**2
"""Bytes that stay free on a disk."""


@contextmanager
def new_folder(target: Path, *, overwrite: bool, sources: Iterable[Path] = ()) -> Iterator[Path]:
    """Give an empty folder beside `target`, which becomes `target` when the block ends without an error.

    `FileExistsError` if something is there and `overwrite` is false. InputError for a target that is no
    earlier export, or that holds one of the `sources` that are read.
    """
    target = check_target(target, overwrite=overwrite, sources=sources)
    with _beside(target) as scratch:
        made = scratch / target.name
        made.mkdir()
        yield made
        move_in(made, target)


@contextmanager
def new_file(target: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a path beside `target`, whose file becomes `target` when the block ends without an error.

    Links are followed. InputError for a target that is no ordinary file, such as a device.
    """
    target = check_file(target, overwrite=overwrite)
    with _beside(target) as scratch:
        yield scratch / target.name
        os.replace(scratch / target.name, target)


def free_bytes(target: Path) -> int:
    """Return how much room there is where `target` will be."""
    return shutil.disk_usage(_nearest(target)).free


def check_room(target: Path, needed: int, otherwise: str = "") -> None:
    """Raise InputError if the disk of `target` has no room for so many bytes and a few to spare.

    `otherwise` is what else helps than another disk, such as `take less, `.
    """
    free = free_bytes(target)
    if needed + SPARE_BYTES > free:
        raise InputError(
            f"{target} has no room: it takes {needed / 1000**2:.1f} MB, {SPARE_BYTES / 1000**2:.0f} MB have"
            f" to stay free, and the disk has {free / 1000**2:.1f} MB; make room there, {otherwise}or"
            " choose another disk"
        )


def _nearest(target: Path) -> Path:
    """Return the nearest folder above a path that is there."""
    return next(path for path in target.absolute().parents if path.is_dir())


def check_target(target: Path, *, overwrite: bool, sources: Iterable[Path] = ()) -> Path:
    """Raise what `new_folder` raises for a target; return the target, or where it leads if it is a link."""
    target = _followed(target)
    if not target.exists():
        return target
    for source in sources:
        if target.resolve() in (source.resolve(), *source.resolve().parents):
            raise InputError(f"{target} holds what is exported ({source}); choose another place")
    if not target.is_dir():
        raise InputError(f"{target} is no folder; choose another place")
    if not any(target.iterdir()):
        return target
    if not any((target / name).is_file() for name in EXPORTS):
        raise InputError(f"{target} is there and is no earlier export; choose another place")
    if not overwrite:
        raise FileExistsError(f"{target} is there already; pass overwrite=True to replace it")
    return target


def check_file(target: Path, *, overwrite: bool) -> Path:
    """Raise what `new_file` raises for a target; return the target, or where it leads if it is a link."""
    target = _followed(target)
    if target.is_dir():
        raise InputError(f"{target} is a folder; name a file")
    if target.exists() and not target.is_file():
        raise InputError(f"{target} is no ordinary file and cannot be replaced; name another file")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} is there already; pass overwrite=True to replace it")
    return target


def _followed(target: Path) -> Path:
    """Return where a link leads; InputError where that is nowhere."""
    if not target.is_symlink():
        return target
    if not target.exists():
        raise InputError(f"{target} is a link that leads nowhere; remove it, or choose another place")
    return target.resolve()


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Make the folders above a target and a scratch folder there, and remove on failure what was made."""
    above = [path for path in target.absolute().parents if not path.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(
            prefix=f".{target.name}.", suffix=".export", dir=target.parent
        ) as scratch:
            yield Path(scratch)
    except BaseException:
        for path in above:
            with suppress(OSError):  # somebody else's files are in it
                path.rmdir()
        raise
