"""What the database holds by itself, tried past the acts: each row here is refused by a constraint or a guard."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.db.models import CheckConstraint, Q
from django.urls import reverse
from psycopg.errors import UniqueViolation

from adoption.demo import initiative_acts
from adoption.models import BehaviourReport, Goal
from governance import clock
from governance.database import database_catalogue
from governance.database.row_history import acting
from governance.models import Absence, Clause, Rulebook
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.holds import dependant_deeds
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import (
    Condition,
    Continuation,
    DeclaredGoal,
    Dependant,
    Review,
    RoleAssignment,
    ScopeVersion,
    SignOff,
    Waiver,
)
from initiatives.portfolio.efforts import notes
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded

pytestmark = pytest.mark.django_db


def refused(match: str, write, by=None) -> None:
    """Expect the database to refuse `write`, naming the rule; in the name of `by`, or of the system."""
    who = {"by": by} if by else {"system": "test"}
    with pytest.raises(DatabaseError, match=match), acting(**who), transaction.atomic():
        write()


def raw(sql: str, *values):
    """A write past the ORM."""

    def write():
        with connection.cursor() as cursor:
            cursor.execute(sql, values)

    return write


@pytest.fixture
def acted(db):
    """Everything in these tests is written by a named part of the system."""
    with acting(system="test", reason="Past the acts"):
        yield


def test_one_sign_off_per_seat(cast, acted):
    initiative = initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team)
    initiative_acts.staff(initiative, cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    first = initiative_acts.sign_off(
        review,
        "adoption_change",
        cast.seat_adoption,
        "object",
        reason="No.",
        criteria=("mvp.workflow_known",),
    )

    def again(**changes):
        fields = {
            "review": review,
            "seat": first.seat,
            "person": first.person,
            "verdict": "object",
            "reason": "No.",
            "criteria": ["mvp.workflow_known"],
            "statement": first.statement,
            "digest": first.digest,
            "facts": first.facts,
            "at": clock.now(),
            "replaces": None,
        }
        return lambda: SignOff(**(fields | changes)).save()

    refused("one_sign_off_per_seat", again(), cast.seat_adoption)
    refused(
        "not signed for this review and seat",
        again(seat="risk_compliance", replaces=first),
        cast.seat_adoption,
    )
    refused("an_objection_names_criteria", again(criteria=[], replaces=first), cast.seat_adoption)
    refused(
        "a_condition_is_written_out",
        again(verdict="approve_with_condition", replaces=first),
        cast.seat_adoption,
    )


def test_one_open_review_and_ends_that_are_whole(cast, acted):
    initiative = factories.make_initiative(cast)
    review = review_actions.open_review(initiative=initiative, by=cast.owner)
    copy = {
        "initiative": initiative,
        "gate": review.gate,
        "rulebook": review.rulebook,
        "opened_by": cast.owner,
        "opened_at": review.opened_at,
        "expires_at": review.expires_at,
    }
    refused("one_open_review_per_initiative", Review(**copy).save, cast.owner)
    refused("ended_means_who_when_and_outcome", Review(**copy, outcome="withdrawn").save, cast.owner)
    copy["opened_by"] = cast.chair
    refused(
        "decided_means_findings_are_frozen",
        Review(**copy, outcome="refused", ended_at=clock.now(), ended_by=cast.chair).save,
        cast.chair,
    )
    review_actions.withdraw_review(review=review, reason="Later.", by=cast.owner)
    refused(
        "of initiatives_review stays",
        raw("UPDATE initiatives_review SET outcome = 'open', ended_at = NULL, ended_by_id = NULL"),
    )


def test_one_person_in_force_per_role(cast, acted):
    initiative = factories.make_initiative(cast)
    refused(
        "one_person_in_force_per_role",
        RoleAssignment(
            initiative=initiative,
            role="owner",
            person=cast.lead,
            proposed_by=cast.owner,
            proposed_at=clock.now(),
            accepted_at=clock.now(),
        ).save,
        cast.owner,
    )
    refused(
        "person_id of initiatives_roleassignment stays",
        raw("UPDATE initiatives_roleassignment SET person_id = %s", cast.lead.pk),
    )
    refused("not deleted", raw("DELETE FROM initiatives_roleassignment"))


def test_others_consent_to_a_waiver_and_neither_is_its_own(cast, acted):
    initiative = factories.make_initiative(cast)
    fields = {
        "initiative": initiative,
        "key": "mvp.workflow_known",
        "reason": "Later",
        "requested_by": cast.owner,
        "requested_at": clock.now(),
        "until": clock.today() + timedelta(days=9),
    }
    now = {"chair_at": clock.now(), "risk_at": clock.now()}
    with unguarded("initiatives_waiver"):
        both = Waiver(**fields, **now, chair=cast.chair, risk=cast.chair)
        refused("others_consent_to_a_waiver", both.save)
        refused("others_consent_to_a_waiver", Waiver(**fields, **now, chair=cast.owner, risk=cast.chair).save)


def test_a_condition_is_met_by_somebody_at_some_time(cast, acted):
    initiative = factories.make_prototype(cast)
    review = initiative.reviews.get()
    row = Condition(review=review, text="x", owner=cast.owner, due=clock.today(), proposed_by=cast.chair)
    row.met_at = clock.now()
    refused("met_means_who_and_when", row.save)


def test_a_prototype_has_no_dependants_no_rollout_and_no_live_data(cast, acted):
    initiative = factories.make_prototype(cast)
    refused(
        "has no dependants",
        Dependant(
            initiative=initiative,
            who="Sales",
            for_what="Calls",
            bearable_outage_hours=1,
            stated_by=cast.owner,
            stated_at=clock.now(),
        ).save,
    )
    scope = {
        "initiative": initiative,
        "number": 1,
        "users": "x",
        "user_count": 1,
        "by": cast.owner,
        "starts_at": clock.now(),
    }
    refused("has no dependants", ScopeVersion(**scope, rollout=True).save)
    refused("has no dependants", ScopeVersion(**scope, live_data=True).save)
    with acting(by=cast.owner):
        ScopeVersion(**scope).save()


def test_notes_and_what_was_stated_stay_as_they_were_written(cast, acted):
    initiative = factories.make_mvp(cast)
    today = clock.today()
    note = notes.observe(
        initiative=initiative, layer="model", observed_on=today, words="Slow.", by=cast.owner
    )
    notes.record_event(initiative=initiative, kind="demo", happened_on=today, words="Shown.", by=cast.owner)
    notes.record_funding(
        initiative=initiative, decided_on=today, decided_by="Steering", basis="The demo", by=cast.owner
    )
    refused(
        "words of initiatives_observation stays", raw("UPDATE initiatives_observation SET words = 'Fast.'")
    )
    refused(
        "happened_on of initiatives_event stays",
        raw("UPDATE initiatives_event SET happened_on = happened_on - 1"),
    )
    refused(
        "supported of initiatives_fundingdecision stays",
        raw("UPDATE initiatives_fundingdecision SET supported = 'production'"),
    )
    for table in ("event", "fundingdecision", "observation"):
        refused("is kept", raw(f"DELETE FROM initiatives_{table}"))
    refused("withdrawn_by_whom", raw("UPDATE initiatives_observation SET withdrawn_at = now()"))
    notes.withdraw(note=note, reason="My network.", by=cast.owner)
    refused(
        "withdrawn_reason of initiatives_observation stays",
        raw("UPDATE initiatives_observation SET withdrawn_reason = 'x'"),
    )
    dependant = dependant_deeds.add_dependant(
        initiative=initiative,
        who="Sales",
        for_what="Calls",
        bearable_outage_hours=1,
        executive=cast.sponsor,
        by=cast.owner,
    )
    refused(
        "of initiatives_dependant stays", raw("UPDATE initiatives_dependant SET bearable_outage_hours = 900")
    )
    refused(
        "of initiatives_dependant stays",
        raw("UPDATE initiatives_dependant SET executive_id = %s", cast.lead.pk),
    )
    dependant_deeds.decline_dependence(dependant=dependant, reason="No.", by=cast.sponsor)
    refused("stays as it was stated", raw("UPDATE initiatives_dependant SET declined_at = NULL"))
    refused("a row of initiatives_dependant is kept", raw("DELETE FROM initiatives_dependant"))


def test_a_initiative_goes_on_only_in_the_stage_it_has(cast, acted):
    initiative = factories.make_prototype(cast)
    word = {
        "initiative": initiative,
        "until": clock.today() + timedelta(days=9),
        "reason": "x",
        "by": cast.chair,
        "at": clock.now(),
    }
    refused("in the stage that it has", Continuation(**word, stage="mvp").save)
    refused("in the stage that it has|only_trials", Continuation(**word, stage="production").save)
    with unguarded("initiatives_continuation"), acting(by=cast.chair):
        Continuation(**word, stage="prototype").save()
    refused("keeps what was written", raw("UPDATE initiatives_continuation SET until = until + 900"))


def test_a_published_rulebook_and_its_rows_stay(cast):
    refused("source of governance_rulebook stays", raw("UPDATE governance_rulebook SET source = 'x'"))
    refused("published", raw("UPDATE governance_criterion SET severity = 'advisory'"))
    refused("published", raw("DELETE FROM governance_requirement"))
    refused("published", raw("UPDATE governance_gate SET quorum = 0"))
    assert Rulebook.objects.current().parsed.gates["mvp"].quorum == 3


def test_the_clauses_of_a_signed_contract_stay(cast, acted):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    version = initiative_acts.fresh(initiative).contract.versions.get()
    refused(
        "fixed once it leaves draft", raw("UPDATE governance_clause SET sentence = 'It may do anything.'")
    )
    refused("fixed once it leaves draft", Clause(version=version, kind="autonomy", sentence="More").save)
    for column in ("number = number + 1", "terms = '{}'", "fingerprint = ''", "position = 9"):
        refused("fixed once it leaves draft", raw(f"UPDATE governance_clause SET {column}"))
    refused("does not change|does not go", raw("UPDATE governance_contractversion SET digest = 'x'"))


def test_evidence_obligations_and_declarations_stay(cast, acted):
    initiative = factories.make_prototype(cast)
    refused("title of initiatives_evidence stays", raw("UPDATE initiatives_evidence SET title = 'Better'"))
    refused(
        "observed_on of initiatives_evidence stays",
        raw("UPDATE initiatives_evidence SET observed_on = observed_on - 9"),
    )
    refused("a row of initiatives_evidence is kept", raw("DELETE FROM initiatives_evidence WHERE id > 0"))
    hold_actions.open_obligation(
        initiative,
        "post_mortem",
        source="s",
        text="t",
        due=clock.today(),
        responsible=cast.owner,
    )
    refused(
        "of initiatives_obligation stays",
        raw("UPDATE initiatives_obligation SET responsible_id = %s", cast.lead.pk),
    )
    refused("a row of initiatives_obligation is kept", raw("DELETE FROM initiatives_obligation"))
    row = DeclaredGoal(
        initiative=initiative,
        key="workflow_fit",
        declared="x",
        declared_at=clock.now(),
        frozen_at=clock.now(),
    )
    row.save()
    refused("frozen", raw("UPDATE initiatives_declaredgoal SET declared = 'y'"))
    row.result = "met"
    refused("a_result_has_outcome_and_when", row.save)


def test_sign_in_names_differ_in_more_than_case(cast, acted):
    refused("logins_differ_in_more_than_case", lambda: factories.make_person("OWNER"))


def test_what_was_reported_of_people_stays_as_it_was_reported(cast, acted):
    initiative = factories.make_mvp(cast)
    seen = {"kind": "ignored", "source": "seen", "observed_on": clock.today(), "reported_on": clock.today()}
    row = BehaviourReport(initiative=initiative, group="Depot", words="Nobody opens it.", **seen)
    row.save()
    table = "UPDATE adoption_behaviourreport SET {} WHERE id = %s"
    for change in ("words = 'All is well.'", "share = 10, extent = 'fewer'"):
        refused("stays as it was reported", raw(table.format(change), row.pk))
    refused("kind of adoption_behaviourreport stays", raw(table.format("kind = 'adopted'"), row.pk))
    refused(
        "a row of adoption_behaviourreport is kept",
        raw("DELETE FROM adoption_behaviourreport WHERE id = %s", row.pk),
    )
    row.answer, row.judged_by, row.judged_at = "We ask them.", cast.chair, clock.now()
    with acting(by=cast.chair):
        row.save()
    refused("answer of adoption_behaviourreport stays", raw(table.format("answer = 'We asked.'"), row.pk))
    row.ended_at, row.ended_why = clock.now(), "They use it."
    row.save()
    refused("stays as it was written", raw(table.format("ended_at = NULL, ended_why = ''"), row.pk))


def test_what_measurements_show_of_people_moves_with_them(cast, acted):
    initiative = factories.make_mvp(cast)
    days = {"observed_on": clock.today(), "reported_on": clock.today()}
    row = BehaviourReport(
        initiative=initiative,
        kind="ignored",
        group="Depot",
        words="80 %",
        source="measurements",
        computed=True,
        **days,
    )
    row.save()
    row.words = "90 %"
    row.save()
    row.group = "Team North"
    refused("group of adoption_behaviourreport stays", row.save)


def test_a_constraint_is_said_at_the_field_it_speaks_of(cast):
    now, row = clock.now(), factories.make_measure(cast, factories.make_mvp(cast))
    with pytest.raises(ValidationError) as wrong, acting(by=cast.owner):
        Absence.objects.create(
            person=cast.owner, starts_at=now, ends_at=now - timedelta(days=1), planned_at=now
        )
    assert list(wrong.value.error_dict) == ["ends_at"]
    with pytest.raises(ValidationError) as wrong, acting(by=cast.owner):
        Goal.objects.create(measure=row, number=2, target=0.5, intended=-1, reason="x", by=cast.owner, at=now)
    assert list(wrong.value.error_dict) == ["intended"]
    assert not Absence.objects.exists()


def test_every_constraint_speaks_of_a_field():
    for model in apps.get_models():
        for rule in model._meta.constraints:
            if isinstance(rule, CheckConstraint) and isinstance(rule.condition, Q):
                assert model._meta.get_field(database_catalogue.spoken_of(rule.condition)), rule.name


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (ValidationError({"until": "Choose a day after today."}), 403),
        (DataError("value too long"), 403),
        (IntegrityError("first"), 409),
    ],
)
def test_what_no_page_caught_is_refused_and_no_words_are_lost(client, cast, monkeypatch, trouble, status):
    def refuse(*_, **__):
        raise trouble from UniqueViolation("first")

    monkeypatch.setattr("initiatives.inbox.tasks.views.redirect", refuse)
    client.force_login(cast.owner)
    answer = client.post(reverse("snooze"), {"task": "Words that were typed", "until": ""})
    assert answer.status_code == status
    assert "Words that were typed" in answer.content.decode()
