"""Any day again: pages as of a day say what wknown at that time, to whom they may, and change nothing."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.audit_log import entries, row_capture
from governance.database.row_history import acting
from governance.models import Entry, Rulebook, Sealing, Unit, User
from governance.transparency_log import as_of, sealing
from governance.web.pages.as_of_views import CannotBeShown, Day
from initiatives.lifecycle.access.visibility import may_look_back, past_visible_to
from initiatives.lifecycle.activity import timeline
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.models import Hold, Initiative, PastSupportedStage, SupportedStage, SupportedStagePeriod
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database.reset import as_it_was
from tests.support.initiatives import past_year

pytestmark = pytest.mark.django_db

INITIATIVE_PAGES = (
    "initiative",
    "requirements",
    "contract",
    "initiative-activity",
    "evidence",
    "people",
    "deployments",
    "notes",
)
RECEIPTS = "/audit-log/receipts/"  # one is the same on every day
MAY = ("auditor", "owner", "seat_risk", "chair")
MAY_NOT = {"lead": 403, "support": 403, "admin": 403, "outsider": 404}


@pytest.fixture(scope="module")
def year(django_db_setup, django_db_blocker):
    """A year that really happened: committed and sealed, and gone with this module."""
    with django_db_blocker.unblock():
        yield past_year.lived(initiatives=2, looks=30)
        as_it_was(None)


@pytest.fixture
def initiative(year):
    """The initiative that became a prototype in January and an MVP in March."""
    return initiative_acts.fresh(year.initiatives[0])


@pytest.fixture
def auditor(year, as_):
    """Signed in as the auditor."""
    return as_(year.cast.auditor)


def on(initiative: Initiative, day: str, page: str = "initiative", **query) -> str:
    """The address of a page of the initiative as of a day."""
    tail = "".join(f"&{name}={value}" for name, value in query.items())
    return f"{reverse(page, args=[initiative.ref])}?as_of={day}{tail}"


def day_of(initiative: Initiative, stage: str) -> str:
    """The local day on which the initiative came to a stage."""
    return clock.local_day(initiative.stage_changes.get(to_stage=stage).at).isoformat()


# --- The same answer -------------------------------------------------------------------------------------------------


def test_every_day_asked_again_says_what_was_seen_live(year):
    assert len(year.seen) >= 60
    assert any(seen["support"] != next(iter(year.seen.values()))["support"] for seen in year.seen.values())
    assert past_year.asked_again(year, 60, seed=3) == []


def test_what_happens_later_changes_no_earlier_answer(year, initiative, auditor):
    day = day_of(initiative, "mvp")
    before = auditor.get(on(initiative, day)).content
    row = initiative_acts.fresh(initiative)
    detail_actions.rename(initiative=row, title="Another name", reason="Clearer.", by=year.cast.owner)
    assert b"Another name" in auditor.get(reverse("initiative", args=[initiative.ref])).content
    assert stripped(auditor.get(on(initiative, day)).content) == stripped(before)


def stripped(page: bytes) -> bytes:
    """A page without what each request has of its own."""
    return re.sub(rb'"X-CSRFToken": "\w+"', b"", page)


def test_nothing_is_known_before_it_is_sealed(year, initiative):
    """An act counts from the moment of its checkpoint, not from its own."""
    with acting(by=year.cast.owner):
        row = Initiative.objects.get(pk=initiative.pk)
        row.title = "Not sealed yet"
        row.save()
    with as_of.day(clock.now()):
        assert Initiative.objects.get(pk=initiative.pk).title == initiative.title
    sealing.seal()
    with as_of.day(clock.now() + timedelta(days=1)):
        assert Initiative.objects.get(pk=initiative.pk).title == "Not sealed yet"


def test_a_row_that_was_removed_is_there_on_the_day_before(year, initiative):
    removed = initiative.contract.versions.first()
    clause = removed.clauses.first() if removed else None
    assert clause is not None
    with as_of.day(past_year.BEGINS + timedelta(days=300)):
        assert removed.clauses.model.objects.filter(pk=clause.pk).exists()
    with as_of.day(past_year.BEGINS):
        assert not removed.clauses.model.objects.filter(pk=clause.pk).exists()


def test_a_key_that_is_used_again_is_one_row_on_every_day(year, initiative):
    """Removed and made anew under the same key: each day has the row of its own life, once."""
    hold = hold_deeds.hold(
        initiative=initiative_acts.fresh(initiative), reason="Wait.", by=year.cast.seat_security
    )
    key = hold.pk
    for reason in ("First", "", "Second"):
        with unguarded("initiatives_hold"), acting(by=year.cast.chair):
            if reason:
                hold.pk, hold.reason = key, reason
                hold.save()
            else:
                hold.delete()
    sealing.seal()
    with as_of.day(clock.now() + timedelta(days=1)):
        assert list(Hold.objects.filter(pk=key).values_list("reason", flat=True)) == ["Second"]
        assert Hold.objects.filter(initiative=initiative, pk=key).count() == 1


def test_views_have_the_columns_of_their_tables():
    with connection.cursor() as cursor:
        present = row_capture.present(cursor)
        for table in as_of.views(present):
            cursor.execute(
                "SELECT table_schema, array_agg(column_name::text ORDER BY column_name) FROM information_schema.columns"
                " WHERE table_name = %s AND table_schema IN ('public', 'asof') GROUP BY 1",
                [table],
            )
            found = dict(cursor.fetchall())
            assert found["asof"] == found["public"], table


def test_a_row_of_a_initiative_never_moves_to_another(year):
    one, other = year.initiatives
    hold = hold_deeds.hold(initiative=initiative_acts.fresh(one), reason="Wait.", by=year.cast.seat_security)
    hold.initiative = other
    with (
        pytest.raises(DatabaseError, match="stays as it was written"),
        transaction.atomic(),
        acting(by=year.cast.chair),
    ):
        hold.save()
    with (
        pytest.raises(DatabaseError, match="does not move"),
        transaction.atomic(),
        unguarded("initiatives_hold"),
        acting(by=year.cast.chair),
    ):
        hold.save()


def test_the_bound_on_transactions_hides_nothing(year, initiative):
    """Real checkpoints bound what is looked through; each moment between them is right all the same."""
    number = initiative.number
    moments = sorted(Sealing.objects.values_list("known_at", flat=True).distinct())[-3:]
    assert len(moments) == 3
    for moment in moments:
        with as_of.day(moment):
            bounded = Initiative.objects.filter(number=number).values().get(), Entry.objects.count()
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('plumbline.as_of_xact', '', true)")
            assert bounded == (Initiative.objects.filter(number=number).values().get(), Entry.objects.count())


def test_nothing_can_be_written_on_another_day(year, initiative):
    with as_of.day(past_year.BEGINS + timedelta(days=200)), acting(by=year.cast.owner):
        row = Initiative.objects.get(pk=initiative.pk)
        row.title = "Rewritten"
        with pytest.raises(DatabaseError, match="view"):
            row.save()


def test_a_look_back_that_runs_away_is_stopped_and_leaves_today_as_it_was(
    year, initiative, auditor, monkeypatch
):
    def runs_away(*args, **kwargs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', '20ms', true)")
            cursor.execute("SELECT pg_sleep(60)")

    with monkeypatch.context() as slow:
        slow.setattr(supported_stage, "_read", runs_away)
        answer = auditor.get(on(initiative, day_of(initiative, "mvp")))
    assert answer.status_code == 503
    assert "takes too long" in answer.content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert "asof" not in cursor.fetchone()[0]
    assert auditor.get(on(initiative, day_of(initiative, "mvp"))).status_code == 200


# --- Who may look back -----------------------------------------------------------------------------------------------


def test_auditors_owners_and_boards_look_back_and_others_do_not(year, initiative, as_):
    day = day_of(initiative, "mvp")
    for who in MAY:
        client = as_(getattr(year.cast, who))
        got = {
            page: client.get(on(initiative, day, page)).status_code
            for page in ("initiative", "initiative-activity")
        }
        assert set(got.values()) == {200}, (who, got)
        assert client.get(f"/initiatives/?as_of={day}").status_code == 200
    for who, status in MAY_NOT.items():
        client = as_(getattr(year.cast, who))
        assert client.get(on(initiative, day)).status_code == status, who
        assert client.get(f"/initiatives/{initiative.ref}/activity/?one={day}").status_code == status, who
        assert client.get(f"/initiatives/?as_of={day}").status_code == 403, who


def test_one_rule_for_one_initiative_and_for_the_portfolio(year, initiative):
    for person in User.objects.all():
        seen = past_visible_to(person).filter(pk=initiative.pk).exists()
        assert seen == bool(may_look_back(initiative, person)), person


def test_rights_are_those_of_today_not_of_that_day(year, initiative, as_):
    """Whoever lost the seat since sees nothing of the days on which they held it."""
    day = day_of(initiative, "mvp")
    client = as_(year.cast.seat_risk)
    assert client.get(on(initiative, day)).status_code == 200
    with unguarded("governance_membership"), acting(by=year.cast.admin):
        seat = year.cast.board.memberships.get(person=year.cast.seat_risk)
        seat.ends_at = clock.now()
        seat.save()
    assert client.get(on(initiative, day)).status_code == 404


def test_the_portfolio_of_an_owner_shows_own_initiatives_only(year, initiative, as_):
    client, address = as_(year.cast.owner), "/initiatives/?as_of=2024-12-01"
    other = year.initiatives[1]
    assert other.ref in client.get(address).content.decode()
    with acting(by=year.cast.owner):
        role = other.roles.in_force().get(role="owner")
        role.ended_at, role.ended_reason = clock.now(), "Moved on."
        role.save()
    page = client.get(address).content.decode()
    assert initiative.ref in page
    assert other.ref not in page


def test_signed_out_people_sign_in_first(year, initiative):
    answer = Client().get(on(initiative, "2024-03-01"))
    assert answer.status_code == 302
    assert "as_of" in answer["Location"]


# --- What a page of another day is -----------------------------------------------------------------------------------


def test_pages_of_another_day_offer_nothing_to_do_and_keep_the_day(year, initiative, as_):
    """No form that sends, no button, nothing personal; every link but the way back stays on the day."""
    for who, days in (
        ("auditor", [day_of(initiative, "prototype")]),
        ("chair", ["2024-12-20"]),
        ("owner", ["2024-06-01"]),
    ):
        client = as_(getattr(year.cast, who))
        for day in days:
            review = initiative.reviews.first()
            item = initiative.evidence.order_by("pk").first()
            sign_off = review.sign_offs.first()
            pages = [on(initiative, day, page) for page in INITIATIVE_PAGES] + [
                f"/initiatives/?as_of={day}",
                f"/initiatives/?as_of={day}&view=board",
                f"{reverse('review', args=[review.pk])}?as_of={day}",
                f"{reverse('sign-off', args=[sign_off.pk])}?as_of={day}",
                f"{reverse('evidence-item', args=[initiative.ref, item.pk])}?as_of={day}",
                f"{reverse('requirement', args=[initiative.ref, 'proto.question'])}?as_of={day}",
            ]
            for page in pages:
                answer = client.get(page)
                text = answer.content.decode()
                assert answer.status_code == 200, page
                assert "known at that time" in text
                assert 'method="post"' not in text, page
                assert 'aria-disabled="true"' not in text, page
                assert "hx-get" not in text
                assert "hx-post" not in text
                links = set(re.findall(r'<a [^>]*href="([^"#]+)', text)) - {"/"}
                own = answer.wsgi_request.path
                lost = {
                    link for link in links if "as_of=" not in link and not link.startswith((own, RECEIPTS))
                }
                assert not lost, (who, page, lost)


def test_the_bar_leads_a_day_earlier_and_later_and_back(year, initiative, auditor):
    text = auditor.get(on(initiative, "2024-06-15", show="x")).content.decode()
    assert "the end of 15 June 2024" in text
    for link in ("?show=x&amp;as_of=2024-06-14", "?show=x&amp;as_of=2024-06-16", "?show=x"):
        assert f'href="/initiatives/{initiative.ref}/{link}"' in text
    moment = auditor.get(on(initiative, "2024-06-15T14:30")).content.decode()
    assert "14:30 on 15 June 2024" in moment
    assert "as_of=2024-06-16T14%3A30" in moment
    last = Day.of(as_of.known_until()).asked
    assert "A day later" not in auditor.get(on(initiative, last)).content.decode()


def test_a_initiative_that_came_later_is_said_not_to_be_there(initiative, auditor):
    answer = auditor.get(on(initiative, "2023-01-01"))
    assert answer.status_code == 404
    assert "This page did not exist on that day" in answer.content.decode()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("tomorrow", "is not a date"),
        ("2024-02-30", "is not a date"),
        ("2024-13-01T99:99", "is not a date"),
        ("0001-01-01", "is not a date"),
        ("9999-12-31", "is not a date"),
        ("2999-01-01", "is in the future"),
        ("2024-03-01T10:00:00Z", "is not a date"),
    ],
)
def test_days_that_cannot_be_shown_are_answered_with_words(initiative, auditor, asked, said):
    for page in (
        on(initiative, asked),
        f"/initiatives/?as_of={asked}",
        f"/initiatives/{initiative.ref}/activity/?one={asked}",
    ):
        answer = auditor.get(page)
        assert answer.status_code == 400
        assert said in answer.content.decode()
        assert "You can choose any day up to" in answer.content.decode()


def test_what_is_not_sealed_yet_cannot_be_asked(initiative, auditor, monkeypatch):
    """In between the last checkpoint and now lies what may still grow."""
    known = as_of.known_until() - timedelta(days=2)
    monkeypatch.setattr(as_of, "known_until", lambda: known)
    later = Day.of(known + timedelta(hours=1)).asked
    answer = auditor.get(on(initiative, later))
    assert answer.status_code == 400
    assert "is not sealed up to" in answer.content.decode()
    with pytest.raises(CannotBeShown):
        Day.read(later).can_be_shown(None)


def test_an_empty_day_is_today(initiative, auditor):
    assert "known at that time" not in auditor.get(on(initiative, "")).content.decode()


def test_nothing_is_sent_to_another_day(year, initiative, as_):
    before = Entry.objects.count()
    stop = f"{reverse('initiative-act', args=[initiative.ref, 'stop'])}?as_of=2024-06-01"
    for address in (stop, on(initiative, "2024-06-01")):
        answer = as_(year.cast.owner).post(address, {"reason": "x"})
        assert answer.status_code == 405
        assert "You cannot change the past" in answer.content.decode()
    assert Entry.objects.count() == before


def test_pages_without_a_past_say_so(initiative, auditor):
    for page in ("/", "/reviews/", reverse("initiative-act", args=[initiative.ref, "edit"])):
        answer = auditor.get(f"{page}?as_of=2024-06-01")
        assert answer.status_code == 400, page
        assert "available only for today" in answer.content.decode()


def test_an_auditor_who_looks_back_is_recorded_and_nobody_else(year, initiative, as_):
    def read():
        rows = Entry.objects.filter(kind="past read").select_related("body").order_by("pk")
        return [(row.actor_id, row.initiative_ref, row.facts["facts"]) for row in rows]

    as_(year.cast.chair).get(on(initiative, "2024-06-01"))
    assert read() == []
    auditor = as_(year.cast.auditor)
    auditor.get(on(initiative, "2024-06-01", "contract"))
    auditor.get("/initiatives/?as_of=2024-06-01")
    auditor.get(f"/initiatives/{initiative.ref}/activity/?one=2024-06-01&other=2024-07-01")
    key = year.cast.auditor.pk
    assert read() == [
        (key, initiative.ref, {"page": "contract", "as_of": "2024-06-01"}),
        (key, "", {"page": "portfolio", "as_of": "2024-06-01"}),
        (key, initiative.ref, {"page": "initiative-compare", "as_of": "2024-06-01", "and_of": "2024-07-01"}),
    ]


def test_the_history_of_a_day_ends_with_it(initiative, auditor):
    day = day_of(initiative, "prototype")
    assert (
        "Approved: proposed idea to Prototype"
        in auditor.get(on(initiative, day, "initiative-activity")).content.decode()
    )
    text = auditor.get(on(initiative, day, "initiative-activity") + "&show=everything").content.decode()
    assert "approved the gate" in text
    until = Day.read(day).moment
    shown = int(re.search(r"(\d+) acts", text)[1])
    known = Entry.objects.acts().of_initiative(initiative.ref).filter(recorded_at__lte=until).count()
    assert 0 < shown == known < Entry.objects.acts().of_initiative(initiative.ref).count()


def test_supported_stage_as_computed_and_as_computed_now(year, initiative, auditor):
    page = auditor.get(on(initiative, day_of(initiative, "mvp"))).content.decode()
    assert "recomputed: identical" in page
    last = PastSupportedStage.objects.filter(initiative=initiative).order_by("-pk").first()
    wrong = [span | {"supported": "production", "label": ""} for span in last.spans]
    other = PastSupportedStage(
        initiative=initiative,
        rulebook_id=last.rulebook_id,
        computed_at=last.computed_at,
        spans=wrong,
        xact=last.xact,
    )
    with acting(system="test", reason="As if it had been computed wrongly"):
        PastSupportedStage.objects.bulk_create([other])
    page = auditor.get(on(initiative, Day.of(as_of.known_until()).asked)).content.decode()
    assert "they differ" in page
    assert "The stored result of that day differs from" in page


def test_the_supported_stage_of_a_day_is_the_one_kept_then(year, initiative):
    known_at = dict(Sealing.objects.values_list("xact", "known_at"))
    rows = list(PastSupportedStage.objects.filter(initiative=initiative).order_by("pk"))
    moments = sorted({known_at[row.xact] for row in rows})[1::3]
    assert len(moments) > 2
    for moment in moments:
        kept = [row for row in rows if known_at[row.xact] <= moment][-1]
        with as_of.day(moment):
            assert SupportedStage.objects.get(initiative=initiative).computed_at == kept.computed_at
            assert sorted(
                SupportedStagePeriod.objects.filter(initiative=initiative).values_list("pk", flat=True)
            ) == sorted(span["id"] for span in kept.spans)


# --- Two days --------------------------------------------------------------------------------------------------------


def test_two_days_side_by_side_show_what_differs_and_count_the_rest(initiative, auditor):
    one = (initiative.stage_changes.get(to_stage="mvp").at - timedelta(days=1)).date().isoformat()
    other = day_of(initiative, "mvp")
    text = auditor.get(f"/initiatives/{initiative.ref}/activity/?one={one}&other={other}").content.decode()
    line = re.search(r"<tr><th scope=\"row\">Approved stage</th><td>(.*?)</td><td>(.*?)</td>", text)
    assert line.groups() == ("Prototype", "MVP")
    assert "Contract in force</th><td>none</td><td>version 1</td>" in text
    assert "Technical lead" in text
    assert "The same on both days" in text
    assert re.search(r"<li>Answers: [1-9]\d*</li>", text)
    assert '<th scope="row">Rulebook</th>' not in text, "what is the same is counted, not shown"
    swapped = auditor.get(f"/initiatives/{initiative.ref}/activity/?one={other}&other={one}").content.decode()
    assert "Approved stage</th><td>Prototype</td><td>MVP</td>" in swapped, (
        "the earlier day stands on the left"
    )


def test_comparing_the_same_day_or_a_day_before_the_initiative(initiative, auditor):
    same = auditor.get(
        f"/initiatives/{initiative.ref}/activity/?one=2024-06-01&other=2024-06-01"
    ).content.decode()
    assert "These two days have no differences" in same
    none = auditor.get(
        f"/initiatives/{initiative.ref}/activity/?one=2023-06-01&other=2024-06-01"
    ).content.decode()
    assert "This initiative was not known on the end of 1 June 2023" in none
    assert auditor.get(f"/initiatives/{initiative.ref}/activity/?one=").status_code == 200
    assert auditor.get(f"/initiatives/{initiative.ref}/activity/?one=2024-06-01").status_code == 200, (
        "else: to the newest"
    )


# --- Cost ------------------------------------------------------------------------------------------------------------


def test_a_page_of_another_day_asks_little_more_than_todays(initiative, auditor):
    """Turning back, the door, its entries: a handful; everything else is asked once, as today."""
    for page in ("initiative", "requirements", "contract"):
        with CaptureQueriesContext(connection) as today:
            auditor.get(reverse(page, args=[initiative.ref]))
        with CaptureQueriesContext(connection) as then:
            auditor.get(on(initiative, "2024-06-01", page))
        assert len(then) <= len(today) + 22, page


# None of the five acts is by a person whom their rows name: the name is asked for beside them.
@pytest.mark.parametrize(("acts", "questions"), [(slice(None), 1), (slice(80, 85), 2)])
def test_the_timeline_with_its_rows_is_one_question(initiative, acts, questions):
    rulebook = Rulebook.objects.current().parsed
    entries = Entry.objects.acts().of_initiative(initiative.ref)[acts]
    with CaptureQueriesContext(connection) as asked:
        lines = timeline.lines(initiative, entries, rulebook)
    assert len(asked) == questions
    assert len(lines) == entries.count()
    if acts != slice(None):
        return
    told = [change for line in lines for row in line.rows for change in row.changes]
    assert tuple({name for name, *_ in told if name == "title"}) == ("title",)
    assert year_has_names(told), "people stand there by name, not by key"


def year_has_names(told) -> bool:
    """Whether changes name somebody."""
    return any("Marta Lindqvist" in (before, after) for _, before, after in told)


def test_views_of_tables_that_belong_to_no_initiative_are_turned_back_too(year):
    with acting(by=year.cast.admin):
        unit = Unit.objects.get(pk=year.cast.unit.pk)
        unit.name = "Renamed today"
        unit.save()
        entries.record("unit changed", unit=unit.name)
    sealing.seal()
    with as_of.day(datetime(2024, 6, 1, tzinfo=UTC)):
        assert Unit.objects.get(pk=unit.pk).name == "Account management"
        assert supported_stage.facts_of(Initiative.objects.select_related("unit").first()).ref


@pytest.mark.django_db(transaction=True)
def test_on_another_day_the_database_writes_nothing():
    """Not even round the views, where the day opens its own transaction as a request does."""
    write = "INSERT INTO public.django_content_type (app_label, model) VALUES ('x', 'y')"
    with (
        pytest.raises(DatabaseError, match="read-only transaction"),
        as_of.day(datetime(2024, 6, 1, tzinfo=UTC)),
    ):
        connection.cursor().execute(write)
    connection.cursor().execute(write)
