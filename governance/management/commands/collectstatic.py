"""`manage.py collectstatic`: make what is made once for an installed version."""

from django.contrib.staticfiles.management.commands import collectstatic

from governance.operations import catalogues


class Command(collectstatic.Command):
    """Collect the static files, and compile the translations."""

    help = "Collects the static files of this version, and compiles its translations."

    def handle(self, **options) -> str | None:
        """Compile the translations first: then the collected files are the newest of the version."""
        if not options["dry_run"]:
            catalogues.compile_stale()
        return super().handle(**options)
