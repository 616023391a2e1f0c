"""`manage.py first_admin`: the link by which the first admin of an empty installation makes their account."""

from django.core.management.base import BaseCommand, CommandError

from governance.sign_in import first_admin


class Command(BaseCommand):
    """Print the link, for a day and for one admin; refuse where there is one."""

    help = "Print the link by which the first admin makes their account."

    def handle(self, *args, **options) -> None:
        """Print it. Raises CommandError where an admin can sign in already."""
        if not first_admin.missing():
            raise CommandError(
                f"{first_admin.TAKEN} Whoever forgot their password asks for a new one on the sign-in page; "
                "`manage.py password_link LOGIN` prints such a link here."
            )
        self.stdout.write(
            f"Make the first admin here; the link works for a day, until there is one:\n{first_admin.link()}"
        )
