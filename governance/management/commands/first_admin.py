"""`manage.py first_admin`: the link by which the first admin of an empty installation makes their account."""

from django.core.management.base import BaseCommand, CommandError

from governance.sign_in import first_admin


class Command(BaseCommand):
    """Print the link, for a day and for one admin. Refuse if an admin exists."""

    help = "Print the link by which the first admin makes their account."

    def handle(self, *args, **options) -> None:
        """Print it. Raises CommandError where an admin can sign in already."""
        if not first_admin.missing():
            raise CommandError(
                f"{first_admin.TAKEN} Ask for a new password on the sign-in page, or run `manage.py "
                "password_link LOGIN` to print a link."
            )
        self.stdout.write(
            "Make the first admin with this link. The link works for a day, or until an "
            f"admin exists.\n{first_admin.link()}"
        )
