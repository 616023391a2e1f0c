"""BehaviourReports: what weighs on adoption and until when, what figures show, and that nobody learns
who reported one.
"""

import re
from datetime import date, timedelta
from zipfile import ZipFile

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from adoption.audit_log_export.audit_log_export import Scope, export
from adoption.demo import initiative_acts
from adoption.demo.measures import adopted
from adoption.measures import behaviour_detection
from adoption.measures.behaviour_detection import Overrides, PastedOut, Use
from adoption.models import BehaviourReport, SealedSource, SourceQuestion
from adoption.reports import actions as report_actions
from adoption.reports import inbox as report_inbox
from adoption.reports import permissions as report_permissions
from adoption.reports import sealed_reporter, sources
from adoption.reports import views as report_views
from governance import clock
from governance.database import database_roles
from governance.database.row_history import acting
from governance.models import Entry, SignInAttempt, User
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import actions as stage_actions
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db

TOLD = {
    "kind": "weaponised",
    "group": "Team North",
    "words": "Suggestions are read out in appraisals.",
    "source": "seen",
}


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """An MVP."""
    return factories.make_mvp(cast)


def report(initiative, by, **changed) -> BehaviourReport:
    return report_actions.report_behaviour_report(
        initiative=initiative, observed_on=clock.today(), by=by, **(TOLD | changed)
    )


def against(initiative) -> list[str]:
    rows = (
        initiative.requirement_findings.current()
        .filter(requirement="adopt.behaviour", since__lte=clock.now())
        .order_by("pk")
    )
    return [row.words for row in rows]


def test_measurements_of_use_become_behaviour_reports_and_end_them(cast, initiative):
    measure = factories.make_measure(cast, initiative, "usage.active", intended=100)
    factories.make_measurement(cast, measure, hits=14, n=100, ends_on=clock.today() - timedelta(days=7),
                           starts_on=clock.today() - timedelta(days=13))  # fmt: skip
    behaviour_report = initiative.behaviour_reports.current().get()
    assert (behaviour_report.kind, behaviour_report.computed, behaviour_report.share) == ("ignored", True, 86)
    assert any("most of the group (86 %) ignore the system" in words for words in against(initiative)), (
        against(initiative)
    )
    factories.make_measurement(cast, measure, hits=60, n=100)
    assert not initiative.behaviour_reports.current().exists()
    assert not any("ignore the system" in words for words in against(initiative))


# --- What weighs, and until when -------------------------------------------------------------------------------------


def test_weaponised_weighs_until_the_board_has_answered(cast, initiative):
    initiative_acts.ground(initiative, "adopt.behaviour", cast.team)
    adopted(initiative, cast.team, ["adopt.behaviour"])
    assert story.state(initiative, "adopt.behaviour").satisfied
    row = report(initiative, cast.outsider)
    assert against(initiative) == [
        "Team North: the system is used against people, and the board has not answered."
    ]
    assert not story.state(initiative, "adopt.behaviour").satisfied, "although its evidence stands"
    assert "used against people" in story.state(initiative, "adopt.behaviour").words
    assert [line.text for line in report_inbox.tasks(cast.chair)] == [
        "Used against people: Customer summary assistant"
    ]
    assert report_inbox.tasks(cast.deputy_chair) == [], "the chair is there andon no team"
    for other in (cast.owner, cast.deputy_chair, cast.seat_risk, cast.admin, cast.outsider):
        with pytest.raises(Refused):
            report_actions.judge(report=row, outcome="answered", answer="Fine.", by=other)
    report_actions.judge(
        report=row, outcome="answered", answer="Stopped; HR was told.", by=cast.seat_adoption
    )
    assert against(initiative) == []
    assert story.state(initiative, "adopt.behaviour").satisfied
    assert report_inbox.tasks(cast.chair) == []


def test_avoided_by_most_weighs_until_it_is_over_and_an_answer_alone_does_not_help(cast, initiative):
    report(initiative, cast.outsider, kind="ignored", share=50)
    report(initiative, cast.outsider, kind="worked_around", extent="fewer", group="Team South")
    report(initiative, cast.outsider, kind="adopted", extent="most")
    assert against(initiative) == [], "half of a group is not most of it, and to use it is no fault"
    row = report(initiative, cast.outsider, kind="worked_around", share=51)
    assert against(initiative) == ["Team North: most of the group (51 %) work around the system."]
    report_actions.judge(report=row, outcome="answered", answer="We look into it.", by=cast.chair)
    assert len(against(initiative)) == 1
    report(initiative, cast.owner, kind="adopted", share=100)
    assert len(against(initiative)) == 1, "that all is well, said without a name, takes nothing back"
    with pytest.raises(Refused):
        report_actions.judge(report=row, outcome="over", answer="All use it now.", by=cast.owner)
    report_actions.judge(report=row, outcome="over", answer="Seen by the seat in two teams.", by=cast.chair)
    assert against(initiative) == []


def test_that_it_is_over_is_a_word_of_the_board_too(cast, initiative):
    row = report_actions.judge(
        report=report(initiative, cast.outsider),
        outcome="over",
        answer="Stopped; HR was told.",
        by=cast.chair,
    )
    assert (row.answer, row.ended_why) == ("Stopped; HR was told.", "Stopped; HR was told.")
    assert (row.judged_by, row.state) == (cast.chair, "no longer so")
    with pytest.raises(Conflict):
        report_actions.judge(report=row, outcome="over", answer="Again.", by=cast.chair)


def test_whoever_is_team_member_does_not_answer_and_the_deputy_steps_in(cast, initiative):
    row = report(initiative, cast.outsider)
    asked = role_actions.propose_role(initiative=initiative, role="sponsor", person=cast.chair, by=cast.owner)
    role_actions.accept_role(assignment=asked, by=cast.chair)
    with pytest.raises(Refused):
        report_actions.judge(report=row, outcome="answered", answer="Fine.", by=cast.chair)
    with pytest.raises(Refused):
        sources.ask_source(about=row, reason="I want to know.", by=cast.chair)
    assert sources.ask_source(about=row, reason="To ask what is meant.", by=cast.deputy_chair) == "Sam Brook"
    report_actions.judge(report=row, outcome="answered", answer="Stopped.", by=cast.deputy_chair)


def test_what_is_wrong_is_said_by_field(cast, initiative):
    for name, value in {
        "kind": "loved",
        "group": " ",
        "words": "",
        "source": "measurements",
        "observed_on": clock.today() + timedelta(days=1),
        "share": 101,
        "extent": "all",
    }.items():
        with pytest.raises(ValidationError) as wrong:
            report_actions.report_behaviour_report(
                initiative=initiative,
                by=cast.outsider,
                **(TOLD | {"observed_on": clock.today()} | {name: value}),
            )
        assert list(wrong.value.error_dict) == [name]
    assert not BehaviourReport.objects.exists()


def test_everybody_reports_but_on_what_is_hidden_or_over(cast, initiative, as_):
    assert report_permissions.may_report(initiative, cast.outsider)
    page = as_(cast.outsider).get(reverse("report-behaviour", args=[initiative.ref]))
    assert b"Your name is not shown on pages" in page.content
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    with pytest.raises(Refused):
        report(story.fresh(initiative), cast.outsider)
    hidden = factories.make_initiative(cast, title="Hidden")
    detail_actions.change_details(
        initiative=hidden, problem=hidden.problem, platform="", confidential=True, by=cast.owner
    )
    assert as_(cast.outsider).get(reverse("report-behaviour", args=[hidden.ref])).status_code == 404


def test_a_form_sent_twice_is_one_behaviour_report_and_hostile_words_stay_words(cast, initiative, as_):
    client, place = as_(cast.outsider), reverse("report-behaviour", args=[initiative.ref])
    once = re.search(r'name="once" value="([^"]+)"', client.get(place).content.decode())[1]
    sent = TOLD | {
        "once": once,
        "observed_on": clock.today().isoformat(),
        "words": "<script>alert(1)</script> =HYPERLINK()",
        "group": "<b>North</b>",
    }
    for _ in range(2):
        assert client.post(place, sent).status_code == 302
    row = BehaviourReport.objects.get()
    for page in (reverse("incidents", args=[initiative.ref]), row.get_absolute_url()):
        text = as_(cast.chair).get(page).content.decode()
        assert "&lt;b&gt;North" in text
        assert ("&lt;script&gt;" in text) == (page == row.get_absolute_url())
        assert "<script>alert" not in text
    assert "<script>alert" not in client.get(reverse("reports-mine")).content.decode()


def test_nobody_floods_a_initiative_from_behind_the_protection(cast, initiative, as_, monkeypatch):
    monkeypatch.setattr(report_views, "PER_PERSON", 2)
    client, place = as_(cast.outsider), reverse("report-behaviour", args=[initiative.ref])
    sent = TOLD | {"kind": "adopted", "observed_on": clock.today().isoformat()}
    assert [client.post(place, sent).status_code for _ in range(3)] == [302, 302, 422]
    assert as_(cast.steward).post(place, sent).status_code == 302
    assert not SignInAttempt.objects.filter(login__contains="outsider").exists()


# --- What figures show -----------------------------------------------------------------------------------------------

COUNT = st.integers(0, 5000)


@given(used=COUNT, intended=COUNT)
def test_fewer_than_a_fifth_ignore_it(used, intended):
    found = behaviour_detection.found([Use("All", used, intended)])
    assert bool(found) == (intended > 0 and used / intended < 0.2)
    for one in found:
        assert one.kind == "ignored"
        assert one.extent == "most"
        assert 80 <= one.share <= 100


@given(before=COUNT, of=COUNT, now=COUNT, now_of=COUNT)
def test_overrides_that_collapse_are_more_than_chance(before, of, now, now_of):
    found = behaviour_detection.found([Overrides("All", before, of, now, now_of)])
    if found:
        assert now == 0
        assert (1 - min(1, before / of)) ** now_of < 0.05
        assert found[0].extent == "unknown", "how many of the group no longer look, overrides do not tell"
    if not before or not now_of:
        assert not found, "too few say nothing"


@given(pasted=COUNT, outputs=COUNT)
def test_most_is_pasted_out_only_surely(pasted, outputs):
    found = behaviour_detection.found([PastedOut("All", pasted, outputs)])
    if found:
        assert pasted > outputs / 2
        assert outputs >= 4
        assert 50 < found[0].share <= 100


def test_known_figures():
    assert behaviour_detection.found([Use("All", 14, 100)])[0].share == 86
    assert not behaviour_detection.found([Use("All", 20, 100), Use("All", 0, 0)])
    assert behaviour_detection.found([Overrides("All", 8, 100, 0, 100)])
    assert not behaviour_detection.found([Overrides("All", 8, 100, 0, 20), Overrides("All", 8, 100, 1, 5000)])
    assert not behaviour_detection.found([PastedOut("All", 3, 3), PastedOut("All", 55, 100)])
    assert round(behaviour_detection.lowest(70, 100), 4) == 0.6042  # as statsmodels says


def test_measurements_are_read_team_by_team():
    monday = date(2026, 9, 7)
    weeks = [monday + timedelta(weeks=n) for n in range(8)]
    rows = [("usage.active", "", monday, 50, 100), ("usage.active", "", weeks[-1], 14, 100)]
    rows += [("trust.overrides", "North", day, 8 if day < weeks[4] else 0, 100) for day in weeks]
    rows += [("trust.overrides", "South", day, 8, 100) for day in weeks]
    rows += [("trust.overrides", "West", weeks[-1], 0, 100), ("burden.time", "West", monday, 1, 2)]
    figures = behaviour_detection.of_measurements(rows)
    assert figures == [
        Use("All users", 14, 100),
        Overrides("North", 32, 400, 0, 400),
        Overrides("South", 32, 400, 32, 400),
    ], "what began within four weeks has no before"
    assert {(one.kind, one.group) for one in behaviour_detection.found(figures)} == {
        ("ignored", "All users"),
        ("worked_around", "North"),
    }


def follow(initiative, figures):
    with act("follow measurements", system="measurements", initiative=initiative) as locked:
        return report_actions.follow_figures(locked, behaviour_detection.found(figures))


def test_computed_behaviour_reports_come_and_go_with_the_figures(cast, initiative):
    (row,) = follow(initiative, [Use("Dispatch", 14, 100)])
    assert against(initiative) == ["Dispatch: most of the group (86 %) ignore the system."]
    assert follow(initiative, [Use("Dispatch", 14, 100)]) == [], "the same figures say nothing new"
    (same,) = follow(initiative, [Use("Dispatch", 10, 100)])
    assert same.pk == row.pk
    assert against(initiative) == ["Dispatch: most of the group (90 %) ignore the system."]
    assert not SealedSource.objects.exists(), "nobody reported it"
    with pytest.raises(Refused):
        sources.ask_source(about=row, reason="Who?", by=cast.chair)
    follow(initiative, [Use("Dispatch", 20, 100)])
    row.refresh_from_db()
    assert row.ended_why
    assert against(initiative) == []


# --- Who said it -----------------------------------------------------------------------------------------------------

OUT_OF_SIGHT = {"adoption_sealedsource", "governance_session"}


def rows_of_all_tables() -> dict[str, set[str]]:
    """Every row of every table as text, but what is sealed, and where somebody is signed in."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if table not in OUT_OF_SIGHT:
                cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
                found[table] = {text for (text,) in cursor.fetchall()}
        cursor.execute("SELECT convert_from(body, 'UTF8') FROM governance_entrybody WHERE length(body) > 0")
        found["bodies"] = {text for (text,) in cursor.fetchall()}
    return found


def names_of(person) -> re.Pattern:
    words = [person.full_name, person.full_name.split()[0], person.login, rf"(?<!\d){person.pk}(?!\d)"]
    return re.compile("|".join(words), re.IGNORECASE)


@pytest.fixture
def employee(cast):
    """A person whose key and names occur nowhere by chance; the owner is the manager."""
    with unguarded("governance_user"), acting(by=cast.admin):
        who = User(
            pk=918273645, login="zebedee", full_name="Zebedee Quill", unit=cast.unit, manager=cast.owner
        )
        who.set_unusable_password()
        who.save()
    return who


def test_no_row_of_any_table_says_who_reported(cast, initiative, employee, as_):
    client = as_(employee)
    client.get(reverse("inbox"))
    place, before = reverse("report-behaviour", args=[initiative.ref]), rows_of_all_tables()
    response = client.post(place, TOLD | {"observed_on": clock.today().isoformat(), "may_ask": "on"})
    assert response.status_code == 302
    assert client.post(place, TOLD | {"observed_on": "2999-01-01"}).status_code == 422
    client.get(reverse("reports-mine"))
    row = BehaviourReport.objects.get()
    asked = as_(cast.chair).post(
        reverse("row-act", args=["behaviour-report", row.pk, "ask-source"]),
        {"reason": "To ask what is meant."},
    )
    assert "Zebedee Quill" in asked.content.decode(), "the one way there is"
    assert asked["Cache-Control"].startswith("max-age=0"), "and the browser keeps nothing of it"
    client.get(reverse("inbox"))
    assert b"asked for your name" in client.get(reverse("reports-mine")).content
    client.post(reverse("reports-mine"))
    named = names_of(employee)
    for table, rows in rows_of_all_tables().items():
        for text in rows - before[table]:
            assert not named.search(text), f"{table}: {text}"
    entry = Entry.objects.acts().get(kind="report received")
    assert (entry.actor_id, entry.on_behalf_of_id, entry.request_id) == (None, None, "")
    changes = Entry.objects.filter(table="adoption_behaviourreport")
    assert changes.exists()
    assert {(change.actor_id, change.request_id) for change in changes} == {(None, "")}
    assert not Entry.objects.filter(table="adoption_sealedsource").exists(), "what is sealed is not captured"


def test_a_refusal_of_whoever_reports_does_not_name_them_either(cast, initiative, employee):
    stage_actions.stop(initiative=initiative, reason_code="no_value", reason="Nobody used it.", by=cast.owner)
    before = rows_of_all_tables()
    with pytest.raises(Refused):
        report(story.fresh(initiative), employee)
    named = names_of(employee)
    for table, rows in rows_of_all_tables().items():
        assert not [text for text in rows - before[table] if named.search(text)], table


def test_what_the_weaponising_manager_tries(cast, initiative, employee, as_, tmp_path):
    """Owner and manager of the reporter, admin, auditor, board: the same to the letter whoever of two had reported."""
    other = factories.make_person("yolanda", cast.unit)
    seen = [seen_after_a_report_of(who, cast, initiative, as_, tmp_path) for who in (employee, other)]
    assert seen[0].keys() == seen[1].keys()
    for place, text in seen[0].items():
        if not re.search("governance|audit", place):  # all entries list that the account itself was made
            assert not names_of(employee).search(text), place
        assert masked(text) == masked(seen[1][place]), place


def seen_after_a_report_of(person, cast, initiative, as_, folder) -> dict[str, str]:
    """Every page on which something of a behaviour report could stand, for everybody who might look,
    after this report.
    """
    seen = {}
    with story.undone():
        row = report(initiative, person)
        report_actions.judge(report=row, outcome="answered", answer="Stopped.", by=cast.chair)
        places = [
            reverse("incidents", args=[initiative.ref]),
            row.get_absolute_url(),
            reverse("initiative-activity", args=[initiative.ref]),
            reverse("initiative", args=[initiative.ref]),
            reverse("inbox"),
            reverse("reports-mine"),
            f"{reverse('search')}?q=appraisals",
            f"{reverse('search')}?q=Team+North",
            f"{reverse('portfolio')}?report=open-incidents",
            reverse("insights"),
            reverse("insights-figure", args=["trust-lost"]),
            reverse("admin:governance_entry_changelist"),
            f"{reverse('audit')}?format=csv",
            reverse("audit"),
        ]
        watchers = {
            cast.owner: [place for place in places if not re.search("admin|audit", place)],
            cast.admin: [place for place in places if "audit" not in place],
            cast.auditor: [place for place in places if re.search("admin|audit|history|reports", place)],
            cast.chair: [
                place for place in places if re.search("history|reports|inbox|notifications", place)
            ],
        }
        for who, theirs in watchers.items():
            client = as_(who)
            for place in theirs:
                response = client.get(place)
                body = b"".join(response) if response.streaming else response.content
                seen[f"{who.login} {re.sub('[0-9]+', '#', place)}"] = body.decode()
        with pytest.raises(Refused):
            sources.ask_source(about=row, reason="Who was it?", by=cast.owner)
        for who in (cast.admin, cast.auditor, cast.seat_adoption, cast.deputy_chair):
            with pytest.raises(Refused):
                sources.ask_source(about=row, reason="Who was it?", by=who)
        out = folder / f"{person.login}.zip"
        export(out=out, scope=Scope(initiative=initiative), by=cast.auditor)
        with ZipFile(out) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith("entries.jsonl"))
            seen["record"] = archive.read(name).decode()
        assert not SourceQuestion.objects.exists()
    return seen


def masked(text: str) -> str:
    """Without what differs between any two looks: numbers, hashes, tokens."""
    text = re.sub(r"[A-Za-z0-9+/=_-]{20,}", "~", text)
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", text)


def test_the_asker_learns_nothing_where_the_reporter_ruled_it_out_or_is_below_them(
    cast, initiative, employee
):
    ruled_out = report(initiative, cast.outsider, may_ask=False)
    below = report(initiative, employee)
    assert sources.ask_source(about=below, reason="To ask.", by=cast.chair) == "Zebedee Quill"
    with acting(by=cast.admin):
        cast.owner.manager = cast.chair
        cast.owner.save()
    assert sources.ask_source(about=below, reason="To ask.", by=cast.chair) == "", (
        "the chair is above the owner"
    )
    assert sources.ask_source(about=ruled_out, reason="To ask.", by=cast.chair) == ""
    entries = Entry.objects.acts().filter(kind="asked who reported").order_by("id")
    facts = [entry.facts["facts"] for entry in entries]
    assert [set(one) for one in facts] == [{"what", "why"}] * 3, "what was told stands nowhere"
    assert [line.button for line in report_inbox.tasks(employee)] == ["Read who asked and why"]
    assert report_inbox.tasks(cast.outsider), "asked in vain is told too"
    sources.seen_questions(by=employee)
    assert report_inbox.tasks(employee) == []
    assert report_inbox.tasks(cast.outsider), "each for themselves"


def test_a_seal_opens_with_its_key_and_its_row_alone(settings):
    sealed = sealed_reporter.seal({"person": 7}, "behaviour-report:1")
    assert sealed_reporter.opened(sealed, "behaviour-report:1") == {"person": 7}
    assert sealed_reporter.opened(sealed, "behaviour-report:2") is None
    assert sealed_reporter.opened(sealed[:-1] + bytes([sealed[-1] ^ 1]), "behaviour-report:1") is None
    assert len(sealed) == len(
        sealed_reporter.seal({"person": 123456789, "above": list(range(50))}, "behaviour-report:1")
    )
    assert b"person" not in sealed
    settings.SECRET_KEY = "another secret key of enough letters"
    assert sealed_reporter.opened(sealed, "behaviour-report:1") is None


def test_whoever_reads_the_database_as_auditor_does_not_read_what_is_sealed():
    assert database_roles.hidden_from_auditors()["adoption_sealedsource"] is None
