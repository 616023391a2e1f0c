"""Style sheets, scripts and translations: part of the installed version, made once by `manage.py collectstatic`.

Collected files have a hash in their names and are kept by browsers. Without a collection of this version pages use the
files of the packages as they are.
"""

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.checks import Warning as Advice
from whitenoise.storage import CompressedManifestStaticFilesStorage

OK = "ok"
MISSING = "were not collected for this version. Run `manage.py collectstatic`"


class StaticFiles(CompressedManifestStaticFilesStorage):
    """The collected files, or names without a hash if this version was not collected."""

    def __init__(self, *args, **kwargs):
        # The web process may run as another user than who installs. Uploads are private, these files are not.
        super().__init__(*args, file_permissions_mode=0o644, directory_permissions_mode=0o755, **kwargs)
        self.fits = condition() == OK

    def stored_name(self, name: str) -> str:
        """Return the name under which a page asks for the file."""
        return super().stored_name(name) if self.fits else name


def condition() -> str:
    """Return "ok" if the static files were collected after the newest of them was installed, else what to do.

    The translations are compiled in the same step.
    """
    manifest = Path(settings.STATIC_ROOT) / StaticFiles.manifest_name
    try:
        collected = manifest.stat().st_mtime
    except OSError:
        return MISSING
    sources = (storage.path(name) for finder in get_finders() for name, storage in finder.list([]))
    fresh = all(Path(source).stat().st_mtime <= collected for source in sources) and not uncompiled()
    return OK if fresh else MISSING


def uncompiled() -> list[Path]:
    """Return the files of translations (.po) that are newer than their compiled file (.mo), or have none."""
    written = sorted(Path(settings.BASE_DIR).glob("*/locale/*/LC_MESSAGES/*.po"))
    return [path for path in written if not _is_compiled(path)]


def _is_compiled(path: Path) -> bool:
    compiled = path.with_suffix(".mo")
    return compiled.exists() and compiled.stat().st_mtime >= path.stat().st_mtime


def check_collected(app_configs, **_) -> list[Advice]:
    """`check --deploy`: a warning unless the static files of this version were collected."""
    if settings.DEBUG or condition() == OK:
        return []
    return [Advice(f"The static files {MISSING}.", id="plumbline.W002")]
