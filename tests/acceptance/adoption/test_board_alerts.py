"""What a board must hear of: each event reaches the chair, the owner, its dependants and affected seats, both ways.

Event x audience x channel: in the inbox and by notification, at once, one message to a person.
"""

import html
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.core.files.base import ContentFile

from adoption.demo import initiative_acts
from adoption.incidents import actions as incident_actions
from governance import clock
from governance.database.row_history import acting, update_where
from governance.models import Notification, Rulebook
from governance.notifications import due
from governance.notifications import inbox as notification_inbox
from initiatives.inbox.absences import actions as absence_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.findings import alerts
from initiatives.lifecycle.findings.sync import follow_register
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds import dependant_deeds
from initiatives.lifecycle.requirements.requirement_rows import save_row
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Evidence, Hold, RequirementFinding
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db
DEPENDANT, OTHER = "sponsor", "outsider"  # who depends on it and holds no role; nobody near it


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """Production on which a team depends whose executive holds no role on it."""
    initiative = factories.make_production(cast)
    dependant_deeds.add_dependant(
        initiative=initiative,
        who="Invoicing",
        for_what="Sends the bills.",
        bearable_outage_hours=48,
        executive=cast.sponsor,
        by=cast.owner,
    )
    return initiative_acts.fresh(initiative)


def upload(cast, initiative, *, by=None, **fields):
    """A drill record that failed, as any other item of evidence."""
    return evidence_actions.add_evidence(
        initiative=initiative_acts.fresh(initiative),
        kind="drill_record",
        title="Outage drill, minutes of the day",
        observed_on=fields.pop("observed_on", clock.today()),
        covers=fields.pop("covers", ["prod.q10_outage"]),
        result=fields.pop("result", "fail"),
        file=ContentFile(b"it stayed down", "minutes.txt"),
        by=by or cast.lead,
        **fields,
    )


# Each event: what brings it about, the kind of its notifications (who depends may have one of their own), words of its
# line.


def failed_drill(cast, initiative):
    factories.make_drill(cast, initiative, result="fail")


def uploaded_drill(cast, initiative):
    upload(cast, initiative)


def step_back(cast, initiative):
    """By the deputy, while the chair is away: whoever acts is told nothing of their own doing."""
    scope = {"users": "Two teams", "user_count": 1}
    stage_actions.step_back(
        initiative=initiative, reason="Cut.", users_told="By mail.", scope=scope, by=cast.deputy_chair
    )


def stop(cast, initiative):
    scope = {"users": "Two teams", "user_count": 1}
    stage_actions.step_back(
        initiative=initiative, reason="Cut.", users_told="By mail.", scope=scope, by=cast.deputy_chair
    )
    Notification.objects.all().delete()
    stage_actions.stop(
        initiative=initiative_acts.fresh(initiative),
        reason_code="risk",
        reason="Too much.",
        by=cast.deputy_chair,
    )


def severe_incident(cast, initiative):
    incident_actions.open_incident(initiative=initiative, severity=1, title="It paid twice", by=cast.lead)


def concern(cast, initiative):
    hold_deeds.hold(initiative=initiative, reason="Prompts are kept.", by=cast.lead)


def lapsed_grace(cast, initiative):
    obligation = initiative.obligations.open().get(kind="step_back")
    assert obligation.due < clock.today()
    due.run()


EVENTS = {
    "failed drill": (failed_drill, {"held"}, "drill"),
    "failed drill, uploaded": (uploaded_drill, {"held"}, "drill"),
    "step-back": (step_back, {"stepped back"}, "stepped back"),
    "stop": (stop, {"initiative stopped"}, "was stopped"),
    "incident of severity 1": (severe_incident, {"incident", "incident upstream"}, "It paid twice"),
    "hold": (concern, {"held"}, "concern"),
    "lapsed grace": (lapsed_grace, {"overdue"}, "grace"),
}
AUDIENCE = ("chair", "owner", DEPENDANT, "a seat")


@pytest.fixture(params=EVENTS)
def event(request, cast, initiative):
    """One event has happened to the initiative; nothing was told or stood against it before."""
    happen, kinds, words = EVENTS[request.param]
    day = clock.now()
    if happen is lapsed_grace:
        item = initiative.evidence.filter(coverage__requirement="mvp.problem", kind="document").first()
        evidence_actions.withdraw_evidence(evidence=item, reason="It was of another team", by=cast.lead)
        day = clock.midnight_after(clock.today() + timedelta(days=14)) + timedelta(hours=9)
    elif happen in (step_back, stop):
        tomorrow = clock.today() + timedelta(days=1)
        absence_actions.plan_absence(first=tomorrow, last=tomorrow, asked=[], by=cast.chair)
        day = clock.midnight_before(tomorrow) + timedelta(hours=9)
    with time_machine.travel(day, tick=False):
        Notification.objects.all().delete()
        happen(cast, initiative)
        yield kinds, words, initiative


def seat_of(cast, initiative) -> str:
    """The login of a seat that whatever happens to this stage affects."""
    rulebook = Rulebook.objects.current().parsed
    affected = alerts.affected_seats(
        rulebook,
        initiative_acts.fresh(initiative).stage
        if initiative_acts.fresh(initiative).stage != "stopped"
        else "mvp",
    )
    affected &= alerts.affected_seats(rulebook, "production", ["prod.q10_outage"])
    return factories.SEAT_LOGINS[sorted(affected)[0]]


def test_each_event_reaches_each_of_them_by_notification_and_on_the_inbox_and_nobody_else(cast, as_, event):
    kinds, words, initiative = event
    for who in AUDIENCE:
        person = cast.people[seat_of(cast, initiative) if who == "a seat" else who]
        told = [row for row in Notification.objects.filter(person=person) if row.kind in kinds]
        assert len(told) == 1, f"{who}: one event, one message"
        assert initiative.ref in f"{told[0].subject} {told[0].text} {told[0].initiative_ref}"
        near = [line for line in notification_inbox.tasks_for(person) if line.ref == initiative.ref]
        said = {"held": "held", "overdue": "grace"}.get(told[0].kind, words) if who == DEPENDANT else words
        lines = [f"{line.text} {line.why}" for line in near]
        page = as_(person).get("/").content.decode()
        if told[0].kind in ("stepped back", "initiative stopped"):
            assert told[0].subject in html.unescape(page.split('id="to-know"')[1]), who
        else:
            assert any(said in line for line in lines), (who, lines)
        assert "You have no tasks" not in page, who
    assert not Notification.objects.filter(person=cast.people[OTHER]).exists()
    assert not any(line.ref == initiative.ref for line in notification_inbox.tasks_for(cast.people[OTHER]))
    told = Notification.objects.filter(kind__in=kinds).select_related("person")
    for row in told:
        if row.link:
            assert as_(row.person).get(row.link).status_code == 200, (row.person.login, row.link)
    for kind in kinds:
        each = Counter(told.filter(kind=kind).values_list("person__login", flat=True))
        assert set(each.values()) <= {1}
    assert not told.get(person=cast.people[DEPENDANT]).link, "who cannot open the initiative is told in words"


# When it stands no more


def test_the_lines_go_with_what_they_are_about(cast, as_, initiative):
    concern(cast, initiative)
    hold = Hold.objects.open().get()
    assert any(
        "held" in line.text or "Hold" in line.text for line in notification_inbox.tasks_for(cast.chair)
    )
    hold_deeds.lift_hold(hold=hold, reason="Masked since.", by=cast.chair)
    for login in ("chair", "owner", DEPENDANT):
        assert not any(
            "held" in line.text.lower() for line in notification_inbox.tasks_for(cast.people[login])
        ), login


def test_a_stop_stays_on_a_inbox_until_it_was_read(cast, as_):
    initiative = factories.make_mvp(cast)
    stage_actions.stop(initiative=initiative, reason_code="risk", reason="Too much.", by=cast.owner)
    client = as_(cast.chair)
    ((row,),) = client.get("/").context["unread"].object_list
    assert "was stopped" in row.subject
    assert client.get(f"/notifications/{row.pk}/").url == initiative.get_absolute_url()
    assert not client.get("/").context["unread"].object_list


def test_an_incident_that_is_opened_again_is_told_again(cast, initiative):
    row = incident_actions.open_incident(
        initiative=initiative, severity=1, title="It paid twice", by=cast.lead
    )
    incident_actions.move_on(incident=row, state="resolved", by=cast.lead)
    Notification.objects.all().delete()
    incident_actions.reopen(incident=row, reason="It came back.", by=cast.owner)
    logins = set(Notification.objects.values_list("person__login", flat=True))
    assert {"chair", DEPENDANT, *factories.SEAT_LOGINS.values()} <= logins


# A failing drill record, whichever form it came by


def held(initiative) -> bool:
    return Hold.objects.open().filter(initiative=initiative, kind="failed_drill").exists()


def by_the_requirements(cast, initiative):
    evidence = {
        "kind": "drill_record",
        "title": "Outage drill",
        "observed_on": clock.today(),
        "result": "fail",
        "file": ContentFile(b"it stayed down", "minutes.txt"),
    }
    save_row(initiative=initiative, requirement="prod.q10_outage", evidence=evidence, by=cast.lead)


WAYS = {"the drill form": failed_drill, "an upload": uploaded_drill, "the requirements": by_the_requirements}


@pytest.mark.parametrize("way", WAYS)
def test_a_failing_record_opens_its_hold_whichever_form_it_came_by(cast, initiative, way):
    WAYS[way](cast, initiative)
    assert held(initiative)
    assert initiative.spans.covering(clock.now()).get().supported in ("prototype", "mvp")


def test_a_record_that_is_withdrawn_holds_nothing_any_more(cast, initiative):
    item = upload(cast, initiative)
    assert held(initiative)
    evidence_actions.withdraw_evidence(evidence=item, reason="Another system.", by=cast.lead)
    assert not held(initiative)


def test_what_an_upload_failed_a_later_pass_of_either_form_makes_good(cast, initiative):
    day = clock.today() + timedelta(days=9)  # later than the drill that the gate rested on
    with clock.simulated(clock.midnight_before(day) + timedelta(days=5)):
        upload(cast, initiative, observed_on=day)
        upload(cast, initiative, observed_on=day + timedelta(days=1), result="partial")
        assert held(initiative), "partial makes nothing good"
        upload(cast, initiative, observed_on=day - timedelta(days=1), result="pass")
        assert held(initiative), "an earlier pass makes nothing good"
        factories.make_drill(cast, initiative, observed_on=day + timedelta(days=2))
        assert not held(initiative)


def test_a_second_failure_while_the_hold_stands_is_told_too(cast, initiative):
    upload(cast, initiative)
    Notification.objects.all().delete()
    factories.make_drill(cast, initiative, kind="rollback", result="fail")
    assert Notification.objects.filter(kind="held", person=cast.chair).count() == 1


def test_records_from_before_are_found_by_the_periodic_job(cast, initiative):
    item = upload(cast, initiative)
    hold = Hold.objects.open().get(kind="failed_drill")
    assert Evidence.objects.get(pk=item.pk).result == "fail"
    initiative.requirement_findings.current().filter(hold="failed_drill").get()
    with unguarded("initiatives_hold"), acting(system="test", reason="As before"):
        rows = initiative.requirement_findings.current().filter(hold="failed_drill")
        update_where(RequirementFinding, list(rows.values_list("pk", flat=True)), ended_at=clock.now())
        update_where(Hold, [hold.pk], lifted_at=clock.now(), lift_reason="As before")
    assert not held(initiative)
    follow_register()
    assert held(initiative)
