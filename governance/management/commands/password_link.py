"""`manage.py password_link LOGIN`: a link to set a password, for where no mail arrives."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from governance.models import User
from governance.sign_in import password_links


class Command(BaseCommand):
    """Print a link by which one person sets their password, once, within a day. The act is recorded."""

    help = "Print a link for setting a password, for a person who gets no email."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("login", help="the name the person signs in with")

    def handle(self, *args, login: str, **options) -> None:
        """Print the link. Raises CommandError if the account does not exist or is deactivated."""
        person = User.objects.filter(login__iexact=login).first()
        if person is None:
            raise CommandError(f"No one signs in as {login}.")
        try:
            address = password_links.hand_over(person=person, system="password_link")
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        self.stdout.write(
            f"Link for {person}. Give the link to the person yourself. The link works once, for a day. After "
            f"using the link, the person cannot approve a higher stage for a day.\n{address}"
        )
