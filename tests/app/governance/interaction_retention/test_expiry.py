"""Interactions go when their time is over, are recorded as gone, still verify, and stay under a hold."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from governance import clock
from governance.database import row_history
from governance.interaction_log import loading, reading
from governance.interaction_retention import expiry
from governance.models import (
    Entry,
    Interaction,
    InteractionBatch,
    InteractionBodies,
    InteractionBody,
    InteractionDigest,
    InteractionKey,
)
from governance.privacy import retention as legal_holds
from governance.transparency_log import sealing, verification
from tests.app.governance.interaction_log.test_kept import keep, report
from tests.support import factories

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def at(days: float):
    """So many days after the start, simulated."""
    return clock.simulated(START + timedelta(days=days))


def tend(days: float):
    """What the worker does on that day; what retention removed."""
    with at(days):
        return expiry.expire(clock.now().date())


def kept_on(days: float, *reports, initiative: int = 1) -> None:
    with at(days):
        keep(*(report(**one) for one in reports), initiative=initiative)


def findings() -> list[str]:
    """What verification finds."""
    with at(2000):
        sealing.seal()
        return [one.words for one in verification.verify().findings]


def months() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(expiry._MONTHS)
        return [name[-7:] for (name,) in cursor.fetchall()]


def test_bodies_go_after_730_days_and_rows_after_their_month():
    kept_on(0, {"number": 1}, {"number": 2})
    before = months()
    assert not tend(729)
    assert InteractionBody.objects.count() == 2
    removed = tend(730)
    assert (removed.bodies, removed.initiatives, removed.months) == (2, [1], {})
    assert not InteractionBody.objects.exists()
    row = Interaction.objects.select_related("batch").first()
    opened = reading.opened(row)
    assert (opened.report, opened.wrong, opened.expired) == (None, "", True)
    assert InteractionKey.objects.filter(wrapped__isnull=False).exists(), "its month is not over"
    end = (datetime(2026, 12, 1, tzinfo=UTC) - START).total_seconds() / 86400
    assert not tend(end + 729)
    removed = tend(end + 730)
    assert (removed.months, removed.leaves, removed.bodies) == ({"2026-11": 2}, 0, 0)
    assert set(before) - set(months()) == {"2026_11"}
    assert not Interaction.objects.exists()
    assert not InteractionKey.objects.exists()
    told = [
        entry.facts["facts"] for entry in Entry.objects.filter(kind="interactions expired").order_by("id")
    ]
    assert [(one["bodies"], one["months"]) for one in told] == [(2, {}), (0, {"2026-11": 2})]
    assert loading.broken(InteractionBatch.objects.get()) == ""
    assert findings() == []


def test_a_run_that_removes_nothing_says_nothing():
    kept_on(0, {"number": 1})
    tend(100)
    assert not Entry.objects.filter(kind="interactions expired").exists()
    assert tend(730).bodies == 1
    assert not tend(730)


def test_nobody_has_a_body_go_before_its_time(cast):
    held = factories.make_initiative(cast)
    kept_on(0, {"number": 1}, initiative=held.number)
    due = "SELECT * FROM plumbline_expire_bodies(%s, '{}', '{}')"

    def gone(day: int) -> list[tuple[int, int]]:
        with at(day), row_history.acting(system="test"), connection.cursor() as cursor:
            cursor.execute(due, [START.date()])
            return cursor.fetchall()

    with pytest.raises(DatabaseError, match="183 days"), transaction.atomic():
        gone(182)
    for change in (
        "DELETE FROM governance_interactionbody",
        "UPDATE governance_interactionbody SET place = 9",
        "TRUNCATE governance_interactionbody",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    hold = legal_holds.open_hold(initiative_ref=held.ref, reason="A claim", by=cast.auditor)
    assert gone(183) == []
    legal_holds.lift_hold(hold=hold, reason="Ended", by=cast.auditor)
    assert gone(183) == [(held.number, 1)]


def test_rows_of_a_batch_across_two_months_leave_their_digests_until_the_rest_goes():
    with at(10.6):  # the last of November; an hour on it is December
        now = clock.now()
        keep(*(report(number, started=now) for number in (1, 2)), initiative=1)
    with at(11):
        now = clock.now()
        early = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)
        keep(report(3, started=early), report(4, started=now), report(5, started=now), initiative=1)
    mixed = InteractionBatch.objects.latest("pk")
    assert (mixed.first_at.month, mixed.last_at.month) == (11, 12)
    removed = tend(745)
    assert (removed.months, removed.leaves) == ({"2026-11": 3}, 1)
    assert list(InteractionDigest.objects.values_list("batch_id", "month")) == [(mixed.pk, "2026-11")]
    assert [loading.broken(batch) for batch in InteractionBatch.objects.all()] == ["", ""]
    row = Interaction.objects.select_related("batch").first()
    assert len(loading.digests_of(row.batch)) == 3
    assert findings() == []
    removed = tend(780)
    assert removed.months == {"2026-12": 2}
    assert not InteractionDigest.objects.exists()
    assert findings() == []


def test_rows_that_went_before_their_time_are_found_whatever_was_left_in_their_place():
    kept_on(0, {"number": 1}, {"number": 2})
    (batch,) = InteractionBatch.objects.all()
    one = Interaction.objects.get(place=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE governance_interaction DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM governance_interaction WHERE id = %s", [one.pk])
    InteractionDigest.objects.create(batch=batch, place=0, digest=bytes(one.digest), month="2026-11")
    assert "retention has not expired" in loading.broken(batch)
    assert any("retention has not expired" in words for words in findings())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM governance_interaction")
        cursor.execute("DELETE FROM governance_interactiondigest")
    assert "has 0 interactions, but 2 were written" in loading.broken(batch)


def test_nobody_has_a_month_go_before_its_time_nor_a_key():
    kept_on(0, {"number": 1})
    with (
        pytest.raises(DatabaseError, match="kept for 730 days"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT plumbline_expire_interactions('2026-11-01', '{}', '{}')")
    with pytest.raises(DatabaseError, match="730 days after its month"), transaction.atomic():
        InteractionKey.objects.all().delete()


def test_what_was_reported_late_is_kept_from_the_day_it_came_in(settings):
    settings.INTERACTION_DAYS = 183
    kept_on(0, {"number": 1}, {"number": 3, "subject": "customer 9", "conversation": "c-9"})
    kept_on(100, {"number": 2, "started": START})
    assert tend(200).bodies == 2
    rows = {row.subject: row for row in Interaction.objects.select_related("batch").order_by("id")}
    late = Interaction.objects.select_related("batch").latest("id")
    assert reading.opened(late).report is not None, "its key is that of a month whose other bodies are gone"
    assert InteractionKey.objects.filter(wrapped__isnull=False).count() == 1
    assert len(rows) == 2
    assert tend(283).bodies == 1
    assert reading.opened(late).expired


def test_the_setting_shortens_the_time_of_bodies_and_keys_but_not_of_rows(settings):
    settings.INTERACTION_DAYS = 183
    kept_on(0, {"number": 1})
    assert not tend(182)
    assert tend(183).bodies == 1
    assert not InteractionBody.objects.exists()
    assert Interaction.objects.count() == 1, "rows are kept for their time"
    assert tend(215).keys == 1, "and keys go with the month of the bodies"


def test_the_setting_prolongs_the_time_of_bodies_and_rows(settings):
    settings.INTERACTION_DAYS = 3650
    kept_on(0, {"number": 1})
    assert not tend(3649)
    assert reading.opened(Interaction.objects.select_related("batch").get()).report is not None
    assert tend(3650).bodies == 1
    assert tend(3700).months == {"2026-11": 1}
    assert not InteractionKey.objects.exists()


def test_a_hold_on_a_initiative_keeps_bodies_keys_and_rows(cast):
    held, free = (factories.make_initiative(cast, title=title) for title in ("Held", "Free"))
    for initiative in (held, free):
        kept_on(0, {"number": 1}, initiative=initiative.number)
    hold = legal_holds.open_hold(initiative_ref=held.ref, reason="A claim", by=cast.auditor)
    removed = tend(800)
    assert (removed.initiatives, removed.months, removed.leaves) == ([free.number], {"2026-11": 1}, 0)
    row = Interaction.objects.select_related("batch").get()
    assert row.initiative_number == held.number
    assert reading.opened(row).report is not None
    assert InteractionKey.objects.get().initiative_number == held.number
    assert not tend(801), "what is held is left alone"
    assert findings() == []
    legal_holds.lift_hold(hold=hold, reason="Ended", by=cast.auditor)
    removed = tend(802)
    assert (removed.initiatives, removed.months) == ([held.number], {"2026-11": 1})
    assert not Interaction.objects.exists()
    assert not InteractionKey.objects.exists()
    assert findings() == []


def test_in_a_batch_of_a_held_initiative_and_others_the_others_leave_their_digests(cast):
    held, free = (factories.make_initiative(cast, title=title) for title in ("Held", "Free"))
    from governance.interaction_log.intake import interactions

    with at(0):
        for initiative in (held, free):
            interactions.keep(
                [report(1), report(2)],
                initiative=initiative.number,
                key=None,
                decision_of=lambda text: None,
                now=clock.now(),
            )
        interactions.bring_over()
        loading.loader.bring_orphans(interactions._folder)
    assert InteractionBatch.objects.get().count == 4
    hold = legal_holds.open_hold(initiative_ref=held.ref, reason="A claim", by=cast.auditor)
    assert tend(800).leaves == 2
    assert (Interaction.objects.count(), InteractionDigest.objects.count()) == (2, 2)
    assert findings() == []
    legal_holds.lift_hold(hold=hold, reason="Ended", by=cast.auditor)
    tend(801)
    assert (Interaction.objects.count(), InteractionDigest.objects.count()) == (0, 0)
    assert findings() == []


def test_a_hold_on_a_person_keeps_what_they_said_with_its_conversation(cast):
    kept_on(
        0,
        {"number": 1, "subject": cast.outsider.login},
        {"number": 2, "subject": ""},
        {"number": 3, "subject": "x"},
    )
    kept_on(1, {"number": 4, "subject": "x", "conversation": "c-4"})
    hold = legal_holds.open_hold(person=cast.outsider, reason="A claim", by=cast.auditor)
    assert tend(800).bodies == 1, "what was said in the same conversation stays, under a destroyed key"
    rows = list(Interaction.objects.select_related("batch").order_by("id"))
    assert [reading.bodies_of([row])[0] != {} for row in rows] == [True, True, False]
    assert findings() == []
    legal_holds.lift_hold(hold=hold, reason="Ended", by=cast.auditor)
    tend(801)
    assert not Interaction.objects.exists()
    assert not InteractionBody.objects.exists()


def test_what_lies_in_tables_is_bounded_over_the_years():
    """A report every tenth day for three years, on frozen days: after 730 days and a month nothing grows any more."""
    sizes = []
    for day in range(0, 1100, 10):
        kept_on(day, {"number": day + 1, "conversation": f"c-{day}", "subject": f"customer {day}"})
        tend(day + 1)
        sizes.append(
            (
                InteractionBody.objects.count(),
                Interaction.objects.count(),
                InteractionKey.objects.count(),
                len(months()),
            )
        )
    months_kept = 730 // 28 + 3
    assert max(size[0] for size in sizes) <= 74
    assert max(size[1] for size in sizes) <= 78
    assert max(size[2] for size in sizes) <= 78
    assert sizes[-1][3] - sizes[0][3] <= months_kept
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'governance_interactionbody'::regclass"
        )
        assert cursor.fetchone()[0] <= months_kept
    assert InteractionBodies.objects.count() == 1
    assert InteractionDigest.objects.count() == 0
    assert findings() == []


def test_days_are_those_of_receipt(settings):
    assert expiry.last_day(date(2026, 11, 20)) == date(2024, 11, 20)
    settings.INTERACTION_DAYS = 183
    assert expiry.last_day(date(2026, 11, 20)) == date(2026, 5, 21)
