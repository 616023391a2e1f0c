"""`manage.py collectstatic`: make what is made once for an installed version."""

import os

from babel.messages import mofile, pofile
from django.contrib.staticfiles.management.commands import collectstatic

from governance.operations import static_files


class Command(collectstatic.Command):
    """Collect the static files, and compile the translations."""

    help = "Collects the static files of this version, and compiles its translations."

    def handle(self, **options) -> str | None:
        """Compile the translations first: then the collected files are the newest of the version."""
        if not options["dry_run"]:
            compile_translations()
        return super().handle(**options)


def compile_translations() -> None:
    """Compile each file of translations that changed. Raises OSError."""
    for path in static_files.uncompiled():
        with path.open("rb") as file:
            catalogue = pofile.read_po(file, abort_invalid=True)
        compiled = path.with_suffix(
            f".{os.getpid()}"
        )  # a process that reads meanwhile has the old one or the new one
        with compiled.open("wb") as file:
            mofile.write_mo(file, catalogue)
        compiled.chmod(0o644)
        compiled.replace(path.with_suffix(".mo"))
