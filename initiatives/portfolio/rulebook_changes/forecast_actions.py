"""Acts on forecasts of a rulebook's effects. The worker computes and keeps them.

A forecast writes only its rows. Publishing is another act (`actions.rulebooks`), and names the forecast that it saw.
"""

import hashlib
import json
import time
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from governance import clock
from governance.audit_log import entries
from governance.models import Entry, Rulebook, User
from governance.people import permissions as people_permissions
from governance.queue.task_base import named
from governance.rulebook import parse
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.initiative.act import act, batched
from initiatives.models import Forecast, Foreseen, Initiative, RulebookDraft
from initiatives.portfolio.rulebook_changes import rulebook_forecast

TOGETHER = 100  # initiatives that are read and judged between two signs of progress
LOST = timedelta(minutes=15)  # without a sign for so long, whoever worked it out is gone
MOST_AHEAD = timedelta(days=730)
FAILED = (
    "The forecast failed ({}). An admin finds details in the log. Ask for the forecast again after the fault "
    "is fixed."
)
MOST_GRACE = timedelta(days=366)


def ask_forecast(
    *,
    of: RulebookDraft | Rulebook,
    day: date | None = None,
    grace_until: date | None = None,
    by: User,
) -> Forecast:
    """Ask for the effects of a text on initiatives from `day` on.

    The worker computes it as soon as possible. Raises ValidationError or Refused.
    """
    today = clock.today()
    day = day or today
    wrong = {}
    if not today <= day <= today + MOST_AHEAD:
        wrong["day"] = "Choose today, or a day within the next two years."
    if grace_until is not None and not day <= grace_until <= day + MOST_GRACE:
        wrong["grace_until"] = "Choose a day from the day of publishing to a year after it."
    if wrong:
        raise ValidationError(wrong)
    with act("ask forecast", by=by):
        people_permissions.may_forecast(by).or_refuse()
        of = of._meta.model.objects.get(pk=of.pk)
        in_force = Rulebook.objects.current()
        forecast = Forecast(
            draft=of if isinstance(of, RulebookDraft) else None,
            version=of.version,
            source=of.source,
            digest=of.digest,
            in_force=in_force,
            day=day,
            grace_until=grace_until,
            by=by,
            asked_at=clock.now(),
        )
        forecast.save()
        entries.record(
            EntryKind.RULEBOOK_TRIED,
            forecast=forecast.pk,
            version=of.version,
            digest=of.digest,
            in_force=in_force.version,
            day=day,
        )
        transaction.on_commit(lambda: _send(forecast.pk), robust=True)
    return forecast


def _send(pk: int) -> None:
    named("initiatives.tasks.work_out_forecast").delay(pk)


def work_out(pk: int) -> Forecast | None:
    """Compute a waiting forecast and keep the result. Return None if done or running.

    A claim in its row allows one worker at a time. The claim lapses, so a lost run starts again.
    """
    forecast = _claim(pk)
    if forecast is None:
        return None
    began = time.monotonic()
    try:
        new = parse(forecast.source)
        tally = _work_out_initiatives(forecast, new)
    except Exception as why:
        Forecast.objects.filter(pk=pk).update(
            state=Forecast.FAILED, trouble=FAILED.format(type(why).__name__)
        )
        raise
    Forecast.objects.filter(pk=pk).update(
        state=Forecast.DONE,
        totals=tally,
        seconds=time.monotonic() - began,
        outcome=outcome_of(pk),
    )
    return Forecast.objects.get(pk=pk)


def _claim(pk: int) -> Forecast | None:
    """Take a forecast that waits or lost its worker, and delete its earlier results."""
    with transaction.atomic():
        row = (
            Forecast.objects.select_for_update(of=("self",)).select_related("in_force").filter(pk=pk).first()
        )
        if row is None or row.state in (Forecast.DONE, Forecast.FAILED):
            return None
        if row.state == Forecast.RUNNING and row.claimed_at > clock.now() - LOST:
            return None
        row.rows.all().delete()
        row.state, row.claimed_at, row.done = Forecast.RUNNING, clock.now(), 0
        row.computed_at = clock.now()
        row.entry = Entry.objects.aggregate(newest=Max("id"))["newest"] or 0
        row.save()
    return row


def _progress(forecast: Forecast, rows: list[Foreseen], done: int, total: int) -> None:
    """Save the results and the progress."""
    Foreseen.objects.bulk_create(rows, batch_size=500)
    Forecast.objects.filter(pk=forecast.pk).update(done=done, total=total, claimed_at=clock.now())


def _work_out_initiatives(forecast: Forecast, new) -> dict:
    ahead = forecast.day > clock.today()
    two = rulebook_forecast.Comparison(
        forecast.in_force.parsed,
        new,
        clock.midnight_before(forecast.day) if ahead else forecast.computed_at,
        forecast.grace_until,
        ahead,
    )
    keys = list(Initiative.objects.live().own().order_by("pk").values_list("pk", flat=True))
    open_keys = list(rulebook_forecast.open_reviews(forecast.digest).values_list("pk", flat=True))
    total, done, tally = len(keys) + len(open_keys), 0, Tally()
    for some in batched(keys, TOGETHER):
        with rulebook_forecast.looking(two):
            initiatives = list(
                Initiative.objects.filter(pk__in=some).select_related("unit", "contract").order_by("pk")
            )
            rows = [
                _of_effect(forecast, one)
                for one in rulebook_forecast.effects(initiatives, two)
                if one.changes
            ]
        tally.initiatives(rows)
        done += len(some)
        _progress(forecast, rows, done, total)
    for some in batched(open_keys, TOGETHER):
        with rulebook_forecast.looking(two):
            reviews = rulebook_forecast.open_reviews(forecast.digest).filter(pk__in=some)
            rows = [_of_review(forecast, one) for one in rulebook_forecast.moved(reviews, two)]
        tally.reviews(rows)
        done += len(some)
        _progress(forecast, rows, done, total)
    return tally.told(len(keys))


def _of_effect(forecast: Forecast, one: rulebook_forecast.Effect) -> Foreseen:
    return Foreseen(
        forecast=forecast,
        what=Foreseen.INITIATIVE,
        initiative=one.initiative,
        owner_id=one.owner_id,
        before=one.before,
        after=one.after,
        label=one.label,
        falls=one.falls,
        unmet=[list(each) for each in one.unmet],
        met=[list(each) for each in one.met],
        because=[list(each) for each in one.because],
        held=list(one.held),
        freed=list(one.freed),
        obligation=one.obligation,
        due=one.due,
    )


def _of_review(forecast: Forecast, one: rulebook_forecast.Moved) -> Foreseen:
    return Foreseen(
        forecast=forecast,
        what=Foreseen.REVIEW,
        initiative=one.review.initiative,
        review=one.review,
        owner_id=one.owner_id,
        before="decidable" if one.decidable else "",
        after="decidable" if one.again else "",
        sign_offs=[
            [sign_off.sign_off, sign_off.seat, sign_off.person, sign_off.counts, list(sign_off.stale)]
            for sign_off in one.sign_offs
        ],
        why=list(one.why),
    )


class Tally:
    """The totals of a forecast, counted while it is worked out."""

    def __init__(self):
        self.counts = dict.fromkeys(
            (
                "lose",
                "gain",
                "more_work",
                "less_work",
                "obligations_opened",
                "obligations_completed",
                "held",
                "freed",
            ),
            0,
        )
        self.counts |= dict.fromkeys(("reviews", "sign_offs", "undecidable", "decidable"), 0)
        self.owners: set[int] = set()
        self.asked: dict[str, int] = {}

    def initiatives(self, rows: list[Foreseen]) -> None:
        """Count the effects on initiatives."""
        for row in rows:
            for name, counts in (
                ("lose", row.falls > 0),
                ("gain", row.falls < 0),
                ("more_work", row.unmet),
                ("less_work", row.met),
                ("obligations_opened", row.obligation == "opened"),
                ("obligations_completed", row.obligation == "completed"),
                ("held", row.held),
                ("freed", row.freed),
            ):
                self.counts[name] += bool(counts)
            if row.unmet and row.owner_id:
                self.owners.add(row.owner_id)
            for key, _ in row.unmet:
                self.asked[key] = self.asked.get(key, 0) + 1

    def reviews(self, rows: list[Foreseen]) -> None:
        """Count what moving open reviews would do."""
        for row in rows:
            self.counts["reviews"] += 1
            self.counts["sign_offs"] += sum(1 for *_, counts, stale in row.sign_offs if counts and stale)
            self.counts["undecidable"] += bool(row.before and not row.after)
            self.counts["decidable"] += bool(row.after and not row.before)

    def told(self, initiatives: int) -> dict:
        """Return the totals for the row, with the newly lacked requirements by count."""
        most = sorted(self.asked.items(), key=lambda one: (-one[1], one[0]))
        return {"initiatives": initiatives, **self.counts, "owners": len(self.owners), "asked": most}


def outcome_of(pk: int) -> str:
    """Return the SHA-256 of all rows of a forecast, which publishing names as seen."""
    found = hashlib.sha256()
    names = (
        "what", "initiative_id", "review_id", "before", "after", "label", "unmet", "met", "because", "held", "freed",
        "obligation", "due", "sign_offs", "why",
    )  # fmt: skip
    rows = (
        Foreseen.objects.filter(forecast=pk)
        .order_by("what", "initiative_id", "review_id")
        .values_list(*names)
    )
    for row in rows.iterator():
        found.update(json.dumps(row, default=str).encode() + b"\n")
    return found.hexdigest()
