"""Load a rulebook file as a draft. An admin and a chair publish the draft on its page."""

from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from governance.organisation.actions import load_rulebook


class Command(BaseCommand):
    """manage.py load_rulebook FILE"""

    help = (
        "Load a rulebook file as a draft. On the page of the draft, an admin proposes the draft and a chair "
        "publishes it."
    )

    def add_arguments(self, parser):
        """Add the file to load."""
        parser.add_argument("file", type=Path, help="a rulebook in TOML")

    def handle(self, *args, file: Path, **options):
        """Load the file. Raises CommandError with every problem, its line and its remedy."""
        try:
            source = file.read_text(encoding="utf-8-sig")
        except OSError as trouble:
            raise CommandError(f"{file} cannot be read: {trouble.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{file} is not text in UTF-8. Save it as UTF-8.") from None
        try:
            rulebook = load_rulebook(source=source.replace("\r\n", "\n"), system="load_rulebook")
        except ValidationError as wrong:
            raise CommandError("The rulebook was not loaded.\n" + "\n".join(wrong.messages)) from None
        state = "is published already" if rulebook.published else "is a draft"
        self.stdout.write(
            f"Version {rulebook.version} {state}: /rulebook/{rulebook.version}/ (sha-256 {rulebook.digest})"
        )
