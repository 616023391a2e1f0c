"""Accepted risks: asked for, accepted, reviewed, ended, extended; the gap when one ends; where they are shown."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from governance import clock
from governance.database.row_history import acting
from governance.gates import sign_off_statement
from governance.models import Notification, Rulebook
from governance.notifications import due
from governance.notifications.inbox import tasks_for
from governance.permission_result import Conflict, Refused
from initiatives import tasks as initiatives_tasks
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.risks import actions
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import AcceptedRisk, Gap
from initiatives.portfolio.units import leaving
from tests.app.initiatives.lifecycle.reviews.test_separation_of_duties import give_role
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of

pytestmark = pytest.mark.django_db

ABOUT = {
    "title": "Old prices",
    "happens": "A customer reads last month's price.",
    "limits": "Each answer shows the day of its price list.",
    "reason": "Prices change once a month.",
}


def asked(cast, initiative, *, days=60, review_days=20, **more) -> AcceptedRisk:
    return factories.ask_risk(cast, initiative, days=days, review_days=review_days, **more)


def accepted(cast, initiative, **more) -> AcceptedRisk:
    return ACCEPTED_RISKS.agree(row=asked(cast, initiative, **more), by=cast.seat_risk)


def on(days: int):
    return time_machine.travel(clock.now() + timedelta(days=days), tick=False)


def of_risks(person) -> list:
    every = [one for line in tasks_for(person) for one in (line, *line.parts)]
    return [one for one in every if "accepted-risk" in one.link or "is no longer accepted" in one.text]


# Asked for and answered


def test_the_team_asks_and_the_risk_seat_accepts_with_a_signature(cast, as_):
    initiative = factories.make_initiative(cast)
    give_role(cast, initiative, "technical_lead", cast.lead)
    url = at("accepted-risks", initiative.ref)
    typed = ABOUT | {"until": (clock.today() + timedelta(days=60)).isoformat(), "review_days": 20}
    assert as_(cast.seat_risk).post(url, typed).status_code == 403
    assert as_(cast.outsider).get(url).status_code == 404
    with acts() as kinds:
        assert as_(cast.lead).post(url, typed).status_code == 302
    assert kinds == ["acceptance of a risk requested"]
    row = AcceptedRisk.objects.get()
    agree = at("row-act", "accepted-risks", row.pk, "agree")
    for person in (cast.lead, cast.owner, cast.chair, cast.seat_value):
        assert as_(person).post(agree, SIGNED).status_code == 403
    client = as_(cast.seat_risk)
    page = text_of(client.get(agree))
    assert "Limits on the risk: Each answer shows the day of its price list." in page
    assert client.post(agree, {"password": "wrong"}).status_code != 302, "it is signed"
    with acts() as kinds:
        assert client.post(agree, SIGNED).status_code == 302
    assert kinds == ["risk accepted"]
    row.refresh_from_db()
    assert (row.requested_by, row.risk) == (cast.lead, cast.seat_risk)
    said = text_of(client.get(at("initiative-activity", initiative.ref)))
    assert "accepted the risk “Old prices” until" in said


def test_the_risk_seat_refuses_with_a_reason(cast, as_):
    row = asked(cast, factories.make_initiative(cast))
    refuse = at("row-act", "accepted-risks", row.pk, "refuse")
    assert as_(cast.owner).post(refuse, {"reason": "No."} | SIGNED).status_code == 403
    assert as_(cast.seat_risk).post(refuse, {"reason": "Fix it."} | SIGNED).status_code == 302
    assert not actions.open_gaps(), "what was never accepted does not end"
    assert "Refused by Ines Okafor" in text_of(as_(cast.owner).get(row.get_absolute_url()))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"days": 181}, "until"),
        ({"days": 0}, "until"),
        ({"review_days": 61}, "review_days"),
        ({"review_days": 0}, "review_days"),
        ({"happens": " "}, "happens"),
        ({"limits": " "}, "limits"),
        ({"title": " "}, "title"),
        ({"reason": " "}, "reason"),
    ],
)
def test_a_request_names_the_risk_its_limits_and_a_day_within_the_rulebook(cast, wrong, field):
    assert Rulebook.objects.current().parsed.freshness.accepted_risk_max_days == 180
    with pytest.raises(ValidationError) as caught:
        asked(cast, factories.make_initiative(cast), **wrong)
    assert set(caught.value.message_dict) == {field}


def test_neither_who_asked_nor_the_team_accepts_at_high_tier_or_below(cast):
    initiative = factories.make_initiative(cast)
    row = asked(cast, initiative)
    give_role(cast, initiative, "owner", cast.seat_risk, accept=False)
    with pytest.raises(Refused):
        ACCEPTED_RISKS.agree(row=row, by=cast.seat_risk)
    with pytest.raises(Refused):
        ACCEPTED_RISKS.agree(row=row, by=cast.owner)


def test_the_database_refuses_who_asked_and_whoever_holds_no_risk_seat(cast):
    row = asked(cast, factories.make_initiative(cast))
    now = clock.now()

    def write(by, **changes):
        with transaction.atomic(), acting(by=by, reason="Past the act"):
            AcceptedRisk.objects.filter(pk=row.pk).update(**changes)

    with (
        pytest.raises(DatabaseError, match="others_consent_to_a_accepted_risk"),
        transaction.atomic(),
        unguarded("initiatives_acceptedrisk"),
    ):
        write(cast.owner, risk=cast.owner, risk_at=now)
    for person in (cast.owner, cast.chair, cast.seat_value):
        with pytest.raises(DatabaseError, match=r"may not do this|others_consent"):
            write(person, risk=person, risk_at=now)
    with pytest.raises(DatabaseError, match="names who acts"):
        write(cast.chair, risk=cast.seat_risk, risk_at=now)
    with acting(by=cast.seat_risk, reason="Past the act"):
        row.risk, row.risk_at = cast.seat_risk, now
        row.save()
    with pytest.raises(DatabaseError, match="changed without its act"):
        connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_database_keeps_the_day_and_the_rhythm(cast):
    row = accepted(cast, factories.make_initiative(cast))
    for change in (
        {"until": row.until + timedelta(days=9)},
        {"review_days": 90},
        {"title": "New"},
        {"limits": "None."},
        {"risk_at": None, "risk": None},
    ):
        with (
            pytest.raises(DatabaseError, match="stays as it was written"),
            transaction.atomic(),
            acting(by=cast.seat_risk, reason="Past the act"),
        ):
            AcceptedRisk.objects.filter(pk=row.pk).update(**change)


# Reviewed


def test_a_review_keeps_the_acceptance_and_not_its_day(cast, as_):
    row = accepted(cast, factories.make_initiative(cast))
    until, url = row.until, at("row-act", "accepted-risks", row.pk, "review")
    first = row.review_by
    assert first == clock.today() + timedelta(days=20)
    for person in (cast.owner, cast.chair):
        assert as_(person).post(url, SIGNED | {"looked_at": "Nothing."}).status_code == 403
    with on(15):
        client = as_(cast.seat_risk)
        assert "Not saved yet" in text_of(client.post(url, SIGNED | {"looked_at": " "}))
        with acts() as kinds:
            assert client.post(url, SIGNED | {"looked_at": "Two complaints since."}).status_code == 302
        assert kinds == ["accepted risk reviewed"]
        row.refresh_from_db()
        assert (row.reviewed_by, row.until) == (cast.seat_risk, until)
        assert row.review_by == clock.today() + timedelta(days=20)
        assert "Two complaints since." in text_of(client.get(row.get_absolute_url()))
    with on(21):
        assert actions.open_gaps() == [], "it was reviewed"
        assert ACCEPTED_RISKS.model.objects.get().state == "running"


def test_a_missed_review_ends_the_acceptance_and_nobody_reviews_it_later(cast):
    initiative = factories.make_initiative(cast)
    row = accepted(cast, initiative)
    with on(20):
        assert supported_stage.facts_of(initiative).accepted_risks_at(clock.now())
        assert actions.open_gaps() == []
    with on(21):
        assert not supported_stage.facts_of(initiative).accepted_risks_at(clock.now()), "before any job ran"
        with pytest.raises(Conflict, match="has ended"):
            actions.review(risk=row, looked_at="All is well.", by=cast.seat_risk)
        with acts() as kinds:
            initiatives_tasks.open_gaps_of_risks()
        assert kinds == ["accepted risk ended", "gap opened"]
        gap = Gap.objects.get()
        assert (gap.ended_risk, gap.owner, gap.initiative) == (row, cast.owner, initiative)
        assert "No one reviewed the risk by" in gap.text
        assert actions.open_gaps() == [], "once"
        with (
            pytest.raises(DatabaseError, match="that ended is not reviewed"),
            transaction.atomic(),
            acting(by=cast.seat_risk, reason="Past the act"),
        ):
            AcceptedRisk.objects.filter(pk=row.pk).update(
                reviewed_by=cast.seat_risk, reviewed_at=clock.now(), reviewed_words="Late."
            )


def test_the_risk_seat_ends_an_acceptance_and_the_gap_is_there_at_once(cast, as_):
    row = accepted(cast, factories.make_initiative(cast))
    url = at("row-act", "accepted-risks", row.pk, "end")
    assert as_(cast.owner).post(url, SIGNED | {"reason": "Done."}).status_code == 403
    with acts() as kinds:
        as_(cast.seat_risk).post(url, SIGNED | {"reason": "A customer sued."})
    assert kinds == ["accepted risk ended", "gap opened"]
    assert Gap.objects.get().text.endswith("A customer sued.")
    assert as_(cast.seat_risk).post(url, SIGNED | {"reason": "Again."}).status_code == 409
    assert actions.open_gaps() == []


# Ended and extended


def test_past_its_day_it_is_a_gap_that_its_owner_cannot_accept(cast, as_):
    initiative = factories.make_initiative(cast)
    accepted(cast, initiative, days=10, review_days=10)
    with on(10):
        assert actions.open_gaps() == []
    with on(11):
        (gap,) = actions.open_gaps()
        assert "The last day of the acceptance was" in gap.text
        with pytest.raises(Refused, match="The gap's owner cannot accept the risk"):
            hold_deeds.close_gap(gap=gap, by=cast.owner)
        page = text_of(as_(cast.owner).get(at("row-act", "gaps", gap.pk, "close")))
        assert "none: I own this gap and accept it" not in page
        with (
            pytest.raises(DatabaseError, match="closed_with_evidence_or_accepting_owner"),
            transaction.atomic(),
            acting(by=cast.owner, reason="Past the act"),
        ):
            Gap.objects.filter(pk=gap.pk).update(owner_accepted_at=clock.now(), closed_at=clock.now())
        evidence = initiative.evidence.first()
        assert hold_deeds.close_gap(gap=gap, evidence=evidence, by=cast.owner).closed_with == evidence


def test_an_extension_is_a_new_acceptance_that_closes_the_gap_of_the_earlier(cast, as_):
    initiative = factories.make_initiative(cast)
    first = accepted(cast, initiative, days=10, review_days=10)
    with on(11):
        (gap,) = actions.open_gaps()
        page = text_of(as_(cast.owner).get(f"{first.get_absolute_url()}?extends={first.pk}"))
        assert ABOUT["limits"] in page
        with acts() as kinds:
            second = accepted(cast, initiative, extends=first)
        assert kinds == [
            "acceptance of a risk requested",
            "risk accepted",
            "accepted risk ended",
            "gap closed",
        ]
        gap.refresh_from_db()
        first.refresh_from_db()
        assert (gap.accepted_again, gap.closed_by) == (second, cast.seat_risk)
        assert first.until != second.until
        with pytest.raises(ValidationError, match="This acceptance was already extended"):
            asked(cast, initiative, title="Again", extends=first)


def test_an_extension_before_the_day_leaves_no_gap(cast):
    initiative = factories.make_initiative(cast)
    first = accepted(cast, initiative, days=10, review_days=10)
    accepted(cast, initiative, days=40, review_days=40, extends=first)
    with on(20):
        assert actions.open_gaps() == []
        (fact,) = supported_stage.facts_of(initiative).accepted_risks_at(clock.now())
        assert fact.until == clock.today() + timedelta(days=20)


def test_the_database_knows_only_extensions_of_the_same_initiative(cast):
    other = factories.make_initiative(cast, title="Invoice reader")
    first, row = accepted(cast, other), asked(cast, factories.make_initiative(cast))
    row.pk, row._state.adding, row.extends, row.title = None, True, first, "Another"
    with (
        pytest.raises(DatabaseError, match="extends an earlier acceptance on the same initiative"),
        transaction.atomic(),
        acting(by=cast.owner, reason="Past the act"),
    ):
        row.save()


def test_what_has_stopped_opens_no_gap_and_asks_for_nothing(cast):
    initiative = factories.make_prototype(cast)
    accepted(cast, initiative, days=10, review_days=10)
    stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    with pytest.raises((Conflict, Refused)):
        asked(cast, initiative, title="Another")
    with on(11):
        assert actions.open_gaps() == []


def test_without_an_owner_the_gap_belongs_to_whoever_asked(cast):
    initiative = factories.make_initiative(cast)
    give_role(cast, initiative, "technical_lead", cast.lead)
    accepted(cast, initiative, days=10, review_days=10, by=cast.lead)
    leaving.deactivate(person=cast.owner, reason="left", by=cast.admin)
    with on(11):
        (gap,) = actions.open_gaps()
    assert gap.owner == cast.lead


# Inbox and reminders


def test_each_step_waits_in_the_inbox_of_who_can_do_it(cast):
    initiative = factories.make_prototype(cast)
    row = asked(cast, initiative, days=60, review_days=20)
    (task,) = of_risks(cast.seat_risk)
    assert task.verb == "agree"
    assert of_risks(cast.owner) == of_risks(cast.seat_value) == []
    due.run()
    assert Notification.objects.get(kind="accepted risk").person == cast.seat_risk
    ACCEPTED_RISKS.agree(row=row, by=cast.seat_risk)
    assert of_risks(cast.seat_risk) == [], "the review is three weeks away"
    with on(10):
        (task,) = of_risks(cast.seat_risk)
        assert (task.verb, task.due) == ("confirm", row.requested_at.date() + timedelta(days=20))
        assert of_risks(cast.owner) == []
        due.run()
        told = Notification.objects.filter(object_key=f"accepted-risk-review:{row.pk}")
        assert [one.person for one in told] == [cast.seat_risk]
        actions.review(risk=row, looked_at="Complaints.", by=cast.seat_risk)
    with on(28):
        actions.review(risk=row, looked_at="Complaints.", by=cast.seat_risk)
    with on(31):
        (task,) = of_risks(cast.owner)
        assert (task.verb, task.due) == ("refresh", row.until)
        due.run()
        told = Notification.objects.get(object_key=f"accepted-risk-end:{row.pk}")
        assert told.person == cast.owner
        asked(cast, initiative, title="Old prices, longer", days=90, extends=row)
        assert of_risks(cast.owner) == [], "a longer time is asked for"
    with on(49):
        actions.open_gaps()
        (task,) = of_risks(cast.owner)
        assert "is no longer accepted" in task.text
        assert "ask the risk seat to accept the risk again" in task.why


# Shown


def test_it_stands_on_the_overview_and_in_the_statement_and_its_end_makes_that_stale(cast, as_):
    initiative = factories.make_mvp(cast)
    row = accepted(cast, initiative)
    page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    assert "Gaps (0), accepted risks (1)" in page
    assert f'href="{row.get_absolute_url()}"' in page
    assert f'href="{row.get_absolute_url()}#ask"' in page
    signed = sign_off_statement.seat_facts(
        supported_stage.judged(initiative), "production", "risk_compliance"
    )
    assert signed["accepted_risks"] == [[row.pk, "Old prices", "Ines Okafor", row.until.isoformat()]]
    with on(21):
        judged = supported_stage.judged(initiative)
        assert sign_off_statement.seat_facts(judged, "production", "risk_compliance")["accepted_risks"] == []
        why = sign_off_statement.stale_reasons(signed, judged, row.risk_at)
        assert f"the accepted risk “Old prices” until {row.until} no longer counts" in why
