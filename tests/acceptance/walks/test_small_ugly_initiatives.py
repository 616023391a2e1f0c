"""Section 4 of the scenarios: small, ugly, and each with one test."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction
from django.test import override_settings

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.lifecycle.stages import periodic
from initiatives.models import SignOff
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def idea(cast):
    """An idea with everything the prototype gate asks for, and its review open on 1 June."""
    with at(2026, 6, 1):
        initiative = factories.make_initiative(cast)
        initiative_acts.parts(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "prototype", cast.team)
        return initiative, review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)


def test_an_item_valid_to_the_day_the_clock_changes_is_valid_to_its_local_midnight(cast):
    with override_settings(TIME_ZONE="Europe/Zurich"):
        with at(2026, 7, 27):
            initiative = factories.make_prototype(cast)  # what it is known not to do is current for 90 days
        summer_midnight = datetime(2026, 10, 25, 22, 0, tzinfo=UTC)
        for moment, expected in [
            (summer_midnight - timedelta(hours=1), "prototype"),
            (summer_midnight + timedelta(minutes=59), "prototype"),
            (summer_midnight + timedelta(hours=1), "proposed"),
        ]:
            with clock.simulated(moment):
                assert story.span(initiative).supported == expected, moment
                assert story.state(initiative, "proto.limitations").satisfied is (expected == "prototype"), (
                    moment
                )


def test_a_waiver_that_expires_on_a_weekend_expires_anyway(cast):
    saturday = date(2026, 6, 27)
    with at(2026, 6, 1):
        initiative = factories.make_prototype(cast)
        requirement_actions.answer(
            initiative=initiative,
            requirement="mvp.users",
            kind="answered",
            text="Forty people.",
            by=cast.owner,
        )
        waiver = WAIVERS.ask(
            initiative, key="mvp.users", reason="The list comes in July.", until=saturday, by=cast.owner
        )
        WAIVERS.agree(row=waiver, by=cast.chair)
        assert not story.state(initiative, "mvp.users").satisfied, "one approver is not two"
        WAIVERS.agree(row=waiver, by=cast.seat_risk)
        assert story.state(initiative, "mvp.users").state == "waived"
    with at(2026, 6, 27, 23, 59):
        assert story.state(initiative, "mvp.users").state == "waived"
    with at(2026, 6, 28, 0):
        assert not story.state(initiative, "mvp.users").satisfied


# What an adversary found beside them


def test_a_review_past_its_time_is_not_decidable_although_no_task_ran(cast, idea):
    initiative, review = idea
    with at(2026, 8, 1):
        initiative_acts.sign_off(review, "business_value", cast.seat_value)
    with at(2026, 8, 30, 8, 59):
        assert story.snapshot(review).verdict.decidable, story.blockers(review)
    with at(2026, 8, 30, 9, 0), pytest.raises(Refused, match="The review period has ended"):
        review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
    assert story.fresh(initiative).stage == "proposed"
    with at(2026, 8, 31):
        assert [row.pk for row in review_actions.expire_reviews()] == [review.pk]
        assert review_actions.expire_reviews() == []


def test_a_chair_who_stands_in_for_the_owner_does_not_decide(cast):
    with at(2026, 6, 1):
        initiative = factories.make_initiative(cast, by=cast.chair)  # the owner is asked and has not accepted
        assert initiative_permissions.may_chair(initiative, cast.chair).reasons
        assert initiative_permissions.may_chair(initiative, cast.deputy_chair)


def test_reopening_leaves_no_old_evidence_current_whatever_it_is_offered_for(cast):
    with at(2026, 6, 1):
        initiative = factories.make_initiative(cast)
        requirement_actions.answer(
            initiative=initiative,
            requirement="mvp.problem",
            kind="answered",
            text="Forty minutes.",
            by=cast.owner,
        )
        requirement_actions.answer(
            initiative=initiative,
            requirement="mvp.override",
            kind="answered",
            text="A switch.",
            by=cast.owner,
        )
        old = evidence_actions.add_evidence(
            initiative=initiative,
            kind="document",
            title="Study",
            observed_on=date(2026, 6, 1),
            covers=["mvp.problem"],
            file=artefacts.pdf("Study"),
            by=cast.owner,
        )
        stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
        initiative = stage_actions.reopen(
            initiative=story.fresh(initiative), reason="It is cheaper now.", by=cast.chair
        )
        assert initiative.stage == "proposed"
        assert story.state(initiative, "mvp.problem").state == "voided"
        evidence_actions.cover(evidence=old, requirements=["mvp.override"], by=cast.owner)
        assert not story.state(initiative, "mvp.override").satisfied, (
            "old evidence under another heading is old evidence"
        )


def test_a_waiver_nobody_answered_makes_room_and_one_person_is_not_two(cast):
    with at(2026, 6, 1):
        initiative = factories.make_prototype(cast)
        fields = {"key": "mvp.users", "reason": "Later.", "by": cast.owner}
        WAIVERS.ask(initiative, until=date(2026, 6, 10), **fields)
        with pytest.raises(Conflict):
            WAIVERS.ask(initiative, until=date(2026, 6, 12), **fields)
    with at(2026, 6, 11):
        waiver = WAIVERS.ask(initiative, until=date(2026, 6, 30), **fields)
        factories.make_seat(cast, cast.chair, "risk_compliance")
        WAIVERS.agree(row=waiver, by=cast.chair)
        with pytest.raises(Refused, match="You already agreed, or someone else agreed in your role"):
            WAIVERS.agree(row=waiver, by=cast.chair)


def test_no_seat_comes_back_with_an_account(cast):
    with at(2026, 6, 1):
        person = factories.make_person("guest")
        seat = organisation_actions.appoint(
            board=cast.board,
            person=person,
            seat="risk_compliance",
            ends_at=datetime(2026, 12, 31, tzinfo=UTC),
            by=cast.admin,
        )
        leaving.deactivate(person=person, reason="Left", by=cast.admin)
        leaving.reactivate(person=person, reason="Back", by=cast.admin)
        seat.refresh_from_db()
        person.refresh_from_db()
        assert not seat.holds_at(clock.now() + timedelta(days=1))


def test_a_sign_off_copied_to_another_gate_counts_nowhere(cast):
    with at(2026, 6, 1):
        initiative = initiative_acts.propose_and_confirm_tier(factories.make_prototype(cast), cast.team)
        review = review_actions.open_review(initiative=initiative, by=cast.owner)
        old = SignOff.objects.get(review__initiative=initiative, seat="business_value")
        copy = SignOff(
            review=review,
            **{
                name: getattr(old, name)
                for name in ["seat", "person", "verdict", "statement", "digest", "facts", "covered_evidence"]
            },
            at=clock.now(),
        )
        with pytest.raises(Exception, match="not signed for this review"), transaction.atomic():
            copy.save()
        found = story.snapshot(review)
        from initiatives.lifecycle.initiative import review_state

        reasons = review_state.stale_of(copy, found.eligible_signers, found.judged)
        assert "the statement was signed for a different review" in reasons


def test_support_that_falls_is_due_back_and_completes_itself(cast):
    with at(2026, 6, 1):
        initiative = factories.make_mvp(cast)
    with at(2026, 8, 31):  # 90 days later some of it aged out
        periodic.recompute()
        obligation = initiative.obligations.open().get(kind="step_back")
        assert obligation.due == date(2026, 9, 13), (
            "fourteen days from 30 August, the last that was supported"
        )
        with pytest.raises(Refused, match="completed automatically"):
            hold_deeds.complete_obligation(obligation=obligation, note="Done.", by=cast.owner)
        story.renew(initiative, cast)
        obligation.refresh_from_db()
        assert obligation.completed_at is not None, story.span(initiative).gaps
        assert story.span(initiative).supported == "mvp"
