"""`manage.py remind`: write what is due and send the day's mail, now or as if it were another moment."""

import json
from datetime import datetime, time

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from governance import clock
from governance.notifications import daily_mail, due
from governance.runtime import clock_check


class Command(BaseCommand):
    """Run once what the worker does every few minutes."""

    help = "Write every message that is due and send the emails of the day."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the moment, the dry run and the output format."""
        parser.add_argument(
            "--at",
            metavar="WHEN",
            help="use this day or time instead of now, for example 2026-11-09 or 2026-11-09T08:00",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="show the messages that are due, without writing or sending them",
        )
        parser.add_argument("--json", action="store_true", help="print only a JSON object")

    def handle(self, *args, at: str | None = None, dry_run: bool = False, **options) -> None:
        """Run the periodic job, then deliver. The last line is one JSON object: due, new, sent, failed. Raises
        CommandError.
        """
        moment = None if at is None else moment_of(at)
        if moment is None:
            try:
                clock_check.require()
            except clock_check.ClockOff as wrong:
                raise CommandError(str(wrong)) from None
        found = due.run(moment, dry_run=dry_run)
        mails = daily_mail.Counts(0, 0) if dry_run else daily_mail.deliver(moment)
        if not options["json"]:
            self.stdout.write(
                f"{found.due} messages are due, {found.new} of them {'would be' if dry_run else 'are'} new."
            )
            if dry_run:
                self.stdout.write("No message was written or sent.")
            else:
                self.stdout.write(f"{mails.sent} emails sent, {mails.failed} failed.")
        self.stdout.write(
            json.dumps({"due": found.due, "new": found.new, "sent": mails.sent, "failed": mails.failed})
        )


def moment_of(text: str) -> datetime:
    """Return the moment of `--at`. A day means its start, no zone means local. Raises CommandError."""
    try:
        day = parse_date(text.strip())
        moment = datetime.combine(day, time.min) if day else parse_datetime(text.strip())
    except ValueError:
        moment = None
    if moment is None:
        raise CommandError(
            f"--at {text!r} is not a day or a time. Write for example 2026-11-09, 2026-11-09T08:00 or "
            "2026-11-09T08:00+01:00."
        )
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment, timezone.get_default_timezone())
    try:
        clock.local_day(moment)
    except OverflowError:
        raise CommandError(f"--at {text!r} is outside of the calendar.") from None
    return moment
