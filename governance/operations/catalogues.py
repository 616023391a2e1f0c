"""Compiled translations: part of the installed version, made once for it by `manage.py collectstatic`."""

import os
from pathlib import Path

from django.conf import settings


def stale() -> list[Path]:
    """Return the .po files that are newer than their compiled catalogue, or have none."""
    return [path for path in _written() if not _is_compiled(path)]


def compile_stale() -> None:
    """Compile the catalogue of each stale .po file. Raises OSError."""
    from babel.messages import (
        mofile,
        pofile,
    )  # only where a catalogue is compiled: no server process needs them

    for path in stale():
        with path.open("rb") as file:
            catalogue = pofile.read_po(file, abort_invalid=True)
        compiled = path.with_suffix(
            f".{os.getpid()}"
        )  # a process that reads meanwhile has the old one or the new one
        with compiled.open("wb") as file:
            mofile.write_mo(file, catalogue)
        compiled.chmod(0o644)
        compiled.replace(path.with_suffix(".mo"))


def _written() -> list[Path]:
    return sorted(Path(settings.BASE_DIR).glob("*/locale/*/LC_MESSAGES/*.po"))


def _is_compiled(path: Path) -> bool:
    compiled = path.with_suffix(".mo")
    return compiled.exists() and compiled.stat().st_mtime >= path.stat().st_mtime
