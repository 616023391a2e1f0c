"""A year of absences, moved units and initiatives that become confidential: who is told of what.

    python -m tests.drills.company.told [--days 365]

Ten initiatives have an open review, one after the other. In a year the owner and a seat are away twenty times and lend
roles or the seat, ten units move to another board, and ten initiatives become confidential. Meanwhile the board asks,
holds and lifts, and the owner proposes tiers.
Each day the reminders run and the emails leave. Checked each day for everybody: no message is written about, and no
email, no inbox, no list and no calendar shows the title of, a confidential initiative that the person may not open.
Whatever a reminder finds is told to somebody.

A change in governance/notifications, initiatives/lifecycle/reminders, initiatives/lifecycle/access or
initiatives/inbox asks for it.
"""

import argparse
import time
from collections import Counter
from datetime import timedelta

from tests.drills.company import place

INITIATIVES = 10
AWAY = 5  # days, in shorter years fewer


def main() -> None:
    """Live the year, then say what was seen."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--days", type=int, default=365, help="days that are lived (default: 365)")
    given = asked.parse_args()
    with place.database():
        from django.test.utils import setup_test_environment

        setup_test_environment()
        Told(given.days).live()


class Told:
    """The company, what happened in it, and what somebody read who may not."""

    def __init__(self, days: int):
        self.days, self.counts, self.wrong = days, Counter(), []

    def live(self) -> None:
        """Live each day: acts in the morning, then the reminders and the emails, then the look at everybody."""
        from governance import clock

        began = time.monotonic()
        self._found()
        start = clock.midnight_after(clock.today()) + timedelta(hours=8)
        for day in range(self.days):
            with clock.simulated(start + timedelta(days=day)):
                self._happen(day)
            with clock.simulated(start + timedelta(days=day, hours=1)):
                self._remind()
                self._look(day)
        print(f"{self.days} days: {time.monotonic() - began:.0f} s, {dict(self.counts)}")
        for said, count in Counter(self.wrong).most_common(20):
            print(f"   {count} times: {said}")
        if self.wrong:
            raise SystemExit("Somebody was told what they may not open, or nobody was told.")
        print("nobody was told of an initiative that they may not open; nothing was told to nobody")

    def _found(self) -> None:
        from adoption.demo import initiative_acts
        from governance.organisation import actions as organisation_actions
        from tests.support import factories

        cast = self.cast = factories.make_cast()
        self.helpers = [factories.make_person(f"helper-{number}", cast.elsewhere) for number in range(4)]
        board = organisation_actions.add_board(name="Logistics board", unit=cast.elsewhere, by=cast.admin)
        for seat in ("chair", "business_value", "risk_compliance"):
            person = factories.make_person(f"logistics-{seat.replace('_', '-')}")
            organisation_actions.appoint(board=board, person=person, seat=seat, by=cast.admin)
        self.units, self.initiatives = [], []
        for number in range(INITIATIVES):
            unit = organisation_actions.add_unit(
                name=f"Team {number}", code=f"team{number}", parent=cast.unit, by=cast.admin
            )
            initiative = factories.make_initiative(cast, title=f"Zebra{number}x letters", unit=unit)
            initiative_acts.parts(initiative, cast.team)
            initiative_acts.ground_gate(initiative, "prototype", cast.team)
            self.units.append(unit)
            self.initiatives.append(initiative)

    def _happen(self, day: int) -> None:
        """Spread the absences, moves and secrets over the year, with acts that tell people."""
        apart = max(self.days // INITIATIVES, 1)
        number, at = divmod(day, apart)
        if number == INITIATIVES:  # the days left over when the year was divided
            return
        if at == 1:
            self._open(number)
        if at == 2:
            self._lend(number, seat=False)
        if at == 3:
            self._speak(number)
        if at == 5:
            self._keep_secret(number)
        if at == 6:
            self._speak(number)
        if at == apart // 2:
            self._move(number)
        if at == apart // 2 + 2:
            self._lend(number, seat=True)
        if at == apart // 2 + 3:
            self._speak(number)

    def _open(self, number: int) -> None:
        from adoption.demo import initiative_acts
        from initiatives.lifecycle.reviews import actions as review_actions

        review_actions.open_review(
            initiative=initiative_acts.fresh(self.initiatives[number]), by=self.cast.owner
        )
        self.counts["reviews"] += 1

    def _lend(self, number: int, *, seat: bool) -> None:
        from governance import clock
        from initiatives.inbox.absences import actions
        from initiatives.inbox.absences.actions import Asked

        person = self.cast.seat_value if seat else self.cast.owner
        held = self.cast.board.memberships.get(person=person, delegate_of__isnull=True) if seat else None
        today = clock.today()
        absence = actions.plan_absence(
            first=today,
            last=today + timedelta(days=min(AWAY, self.days // INITIATIVES // 2 - 2)),
            asked=[Asked(self.helpers[number % len(self.helpers)], held)],
            by=person,
        )
        row = absence.delegations.get()
        actions.accept_delegation(delegation=row, by=row.delegate)
        self.counts["absences"] += 1

    def _keep_secret(self, number: int) -> None:
        from adoption.demo import initiative_acts
        from initiatives.lifecycle.details import actions

        initiative = initiative_acts.fresh(self.initiatives[number])
        actions.change_details(
            initiative=initiative, problem="Who leaves.", platform="", confidential=True, by=self.cast.owner
        )
        self.counts["secrets"] += 1

    def _move(self, number: int) -> None:
        from governance.models import Unit
        from initiatives.portfolio.units import actions

        unit = Unit.objects.get(pk=self.units[number].pk)
        actions.move_unit(unit=unit, into=self.cast.elsewhere, reason="Another team.", by=self.cast.admin)
        self.counts["moves"] += 1

    def _speak(self, number: int) -> None:
        """The board asks, holds and lifts; a tier and a role are proposed."""
        from adoption.demo import initiative_acts
        from governance.people.boards import board_for, chair_now
        from initiatives.lifecycle.details import actions as detail_actions
        from initiatives.lifecycle.holds import deeds as hold_deeds
        from initiatives.lifecycle.reviews import actions as review_actions

        initiative = initiative_acts.fresh(self.initiatives[number])
        chair = chair_now(board_for(initiative.unit))
        review = initiative.reviews.get(outcome="open")
        criterion = next(iter(review.parsed_rulebook.gates[review.gate].criteria)).key
        review_actions.ask_question(
            review=review, criterion=criterion, text=f"Why {initiative.title}?", by=chair
        )
        hold = hold_deeds.hold(initiative=initiative, reason=f"Stop {initiative.title}.", by=chair)
        hold_deeds.lift_hold(hold=hold, reason="It is right.", by=chair)
        tier = "high" if initiative.proposed_tier != "high" else "limited"
        detail_actions.propose_tier(
            initiative=initiative,
            tier=tier,
            worst_credible_harm=f"{initiative.title} is wrong.",
            by=self.cast.owner,
        )
        self.counts["acts"] += 4

    def _remind(self) -> None:
        """Write what is due and send it. What the queries find is told to somebody."""
        from django.core import mail

        from governance import clock
        from governance.contributions import contributed
        from governance.notifications import daily_mail, due

        mail.outbox.clear()
        raw = {(one.kind, one.object_key) for query in contributed.due_queries for one in query(clock.now())}
        told = {(one.kind, one.object_key) for one in due.find().values()}
        self.wrong += [f"told to nobody: {kind}" for kind, _ in raw - told]
        due.run()
        self.counts["mails"] += daily_mail.deliver().sent

    def _look(self, day: int) -> None:
        """Look at the rows of today, the emails of today and, each third day, at what everybody is shown."""
        from django.core import mail

        from governance import clock
        from governance.models import Notification, User
        from governance.notifications import closing
        from governance.notifications.inbox import all_tasks
        from initiatives.inbox.tasks import calendar
        from initiatives.lifecycle.access.visibility import visible_to
        from initiatives.models import Initiative

        secret = list(Initiative.objects.filter(confidential=True))
        if not secret:
            return
        recent = Notification.objects.filter(created_at__gt=clock.now() - timedelta(hours=2))
        for person in User.objects.active():
            opened = set(visible_to(person).values_list("pk", flat=True))
            hidden = [one for one in secret if one.pk not in opened]
            titles = [one.title for one in hidden]
            refs = {one.ref for one in hidden}
            read = {f"row of {row.kind}": row.initiative_ref for row in recent.filter(person=person)}
            self.wrong += [where for where, ref in read.items() if ref in refs]
            texts = {
                "email": " ".join(
                    f"{sent.subject} {sent.body}" for sent in mail.outbox if person.email in sent.to
                )
            }
            if day % 3 == 0:
                tasks = all_tasks(person)
                shown = closing.to_know(person, tasks)
                texts["inbox"] = " ".join(
                    f"{one.text} {one.why}" for task in tasks for one in (task, *task.parts)
                )
                texts["notifications"] = " ".join(f"{row.subject} {row.text}" for row in shown)
                texts["calendar"] = " ".join(one.words for one in calendar.days(person))
            self.counts["looks"] += len(texts)
            self.wrong += [
                f"{where} of {person}" for where, text in texts.items() for title in titles if title in text
            ]


if __name__ == "__main__":
    main()
