"""`manage.py subject_access PERSON FILE`: what is held about a person, as a zip."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from governance.models import User
from governance.permission_result import Refused
from governance.privacy import subject_access


class Command(BaseCommand):
    """`manage.py subject_access dana.whitfield dana.zip --by admin`."""

    help = (
        "Export all data about a person into a zip: JSON, and a page to read. The audit log records the "
        "export."
    )

    def add_arguments(self, parser):
        """Add the person, the file, the admin and further names."""
        parser.add_argument("person", help="the login of the person")
        parser.add_argument("file", type=Path, help="the name of a new zip file")
        parser.add_argument("--by", required=True, help="the login of the admin who exports the data")
        parser.add_argument(
            "--also", action="append", default=[], metavar="WORDS", help="another name of the person"
        )

    def handle(self, *, person, file, by, also, **_):
        """Find both people, write the file, and print how much of each kind it contains."""
        found = User.objects.filter(login__iexact=person).first()
        admin = User.objects.active().filter(login__iexact=by).first()
        if found is None:
            raise CommandError(f"No one signs in as {person}.")
        if admin is None:
            raise CommandError(f"No active account has the login {by}.")
        try:
            counts = subject_access.take(person=found, also=also, to=file, by=admin)
        except Refused as refused:
            raise CommandError(str(refused)) from None
        except OSError as trouble:
            raise CommandError(f"{file} cannot be written: {trouble.strerror}.") from None
        for place, count in counts.items():
            self.stdout.write(f"{place}: {count}")
