"""`manage.py retention`: which initiatives are due for disposal, and the legal holds that keep what is due."""

import json
from dataclasses import asdict

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from governance.models import LegalHold, User
from governance.permission_result import Refused
from governance.privacy import retention
from governance.vocabulary import readable_text


class Command(BaseCommand):
    """`manage.py retention --report`, `--hold AI-0042 --reason ... --by admin`, `--lift 3 --reason ... --by admin`."""

    help = (
        "List the initiatives that are due for disposal, with their dates and legal holds. Open and lift "
        "legal holds."
    )

    def add_arguments(self, parser):
        """Add the acts and their options. The report is the default."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--report", action="store_true", help="list what is due for disposal (the default)")
        what.add_argument("--hold", metavar="INITIATIVE", help="open a legal hold on this initiative")
        what.add_argument("--hold-person", metavar="LOGIN", help="open a legal hold on this person")
        what.add_argument("--lift", type=int, metavar="HOLD", help="lift the legal hold with this number")
        parser.add_argument(
            "--reason", type=readable_text.argument, default="", help="reason to open or lift the hold"
        )
        parser.add_argument(
            "--by", default="", help="login of the admin or auditor who opens or lifts the hold"
        )
        parser.add_argument("--json", action="store_true", help="print only a JSON object")

    def handle(self, *args, **options):
        """Report, or change a hold. Raises CommandError with the fix."""
        try:
            if options["hold"] or options["hold_person"] or options["lift"]:
                self.change(options)
            else:
                self.report(options["json"])
        except ValidationError as wrong:
            raise CommandError(" ".join(wrong.messages)) from None
        except Refused as refused:
            raise CommandError(str(refused)) from None

    def change(self, options):
        """Open or lift one hold."""
        by = self.person(options["by"])
        if options["lift"]:
            hold = LegalHold.objects.filter(pk=options["lift"]).first()
            if hold is None:
                raise CommandError(f"Legal hold {options['lift']} does not exist.")
            retention.lift_hold(hold=hold, reason=options["reason"], by=by)
            self.stdout.write(f"{hold}, number {hold.pk}: lifted.")
            return
        person = self.person(options["hold_person"]) if options["hold_person"] else None
        hold = retention.open_hold(
            initiative_ref=options["hold"] or "", person=person, reason=options["reason"], by=by
        )
        self.stdout.write(f"{hold}, number {hold.pk}: opened.")

    def report(self, as_json):
        """Print what is due, and every open legal hold."""
        due, holds = retention.due(), list(LegalHold.objects.open().order_by("id"))
        if as_json:
            told = {
                "retention_days": settings.RETENTION_DAYS,
                "due": [asdict(row) for row in due],
                "legal_holds": [
                    {
                        "hold": hold.pk,
                        "initiative": hold.initiative_ref,
                        "person": hold.person_id,
                        "reason": hold.reason,
                    }
                    for hold in holds
                ],
            }
            self.stdout.write(json.dumps(told, default=str))
            return
        self.stdout.write(
            f"Kept for {settings.RETENTION_DAYS} days after stop or retirement. Due for disposal: {len(due)}."
        )
        for row in due:
            held = f" Held: {'; '.join(row.held_by)}." if row.held_by else ""
            self.stdout.write(f"{row.ref} {row.title}: ended {row.ended_on}, due since {row.since}.{held}")
        for hold in holds:
            self.stdout.write(f"{hold}, number {hold.pk}: {hold.reason}")

    def person(self, login: str) -> User:
        """Return the person of that login."""
        found = User.objects.filter(login__iexact=login).first()
        if found is None:
            raise CommandError(f"No one signs in as {login!r}. Enter your login with --by.")
        return found
