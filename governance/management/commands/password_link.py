"""`manage.py password_link LOGIN`: a link to set a password, for where no mail arrives."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.models import User
from governance.sign_in import password_links


class Command(BaseCommand):
    """Print a link by which one person sets their password, once, within a day. It stands in the audit log."""

    help = "Print a link by which somebody sets their password, for where no mail arrives."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("login", help="the name the person signs in with")

    def handle(self, *args, login: str, **options) -> None:
        """Print it. Raises CommandError where there is no such account, or it is deactivated."""
        person = User.objects.filter(login__iexact=login).first()
        if person is None:
            raise CommandError(f"Nobody signs in as {login}.")
        try:
            address = password_links.hand_over(person=person, system="password_link")
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        self.stdout.write(
            f"For {person}; it works once, for a day, and who uses it approves nothing for a day. "
            f"Hand it over yourself:\n{address}"
        )
