"""Write the compiled translations (.mo) anew from their sources (.po), without the tools of gettext."""

from django.core.management.base import BaseCommand

from adoption import catalogues


class Command(BaseCommand):
    """To be run after a change of a .po file; a test says when it was forgotten."""

    help = "Compile the translations of the pages that people see without signing in."

    def handle(self, *args, **options):
        """Each .mo file beside its .po file."""
        for path in catalogues.sources():
            path.with_suffix(".mo").write_bytes(catalogues.compiled(catalogues.read(path.read_text("utf-8"))))
            self.stdout.write(f"{path.parent.parent.name}: compiled")
