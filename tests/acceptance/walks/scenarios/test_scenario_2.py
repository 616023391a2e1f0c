"""Scenario 2, steps 3 to 6: the model is swapped under an open review, the owner leaves, a signer becomes owner."""

from datetime import UTC, date, datetime

import pytest

from adoption.demo import initiative_acts
from governance.models import Notification
from governance.models.audit_log import Entry
from governance.notifications import due
from governance.permission_result import Refused
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.stages import periodic
from initiatives.models import AnswerDraft, Voiding
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db

# What lists the trigger `model_version` and stood on m-4; replaced or frozen answers are said by name below.
BOUND_TO_THE_MODEL = {
    "mvp.possibility",
    "mvp.observability",
    "mvp.risk",
    "int.residency",
    "gov.autonomy",
    "gov.human_approval",
    "prod.performance",
    "int.anchor",
    "adopt.explains",
    "adopt.trust",
}


@pytest.fixture
@snapshots.kept
def triage(cast):
    return story.triage(cast)


def test_the_model_is_swapped(cast, triage):
    initiative, review = triage

    # 3. On 20 October m-5 is recorded, running from the 21st, with nothing prepared for it.
    with at(2026, 10, 20, 15):
        assert story.fresh_seats(review) == {"risk_compliance", "architecture_integration", "adoption_change"}
        components_actions.record_component(
            initiative=initiative,
            layer="model",
            name="Language model",
            version="m-5",
            region="eu-west",
            runs_from=datetime(2026, 10, 21, tzinfo=UTC),
            by=cast.lead,
        )
        assert len(story.fresh_seats(review)) == 3, "step 3: a planned model stales nothing before its start"
        assert story.state(initiative, "prod.performance").satisfied, "step 3: evidence counts until the 21st"
        assert story.span(initiative).supported == "production", (
            "step 3: the approved stage, and more, is shown"
        )
    with at(2026, 10, 21, 0):
        voided = Voiding.objects.filter(evidence__initiative=initiative, trigger="model_version")
        assert set(voided.values_list("requirement", flat=True)) >= BOUND_TO_THE_MODEL
        for key in BOUND_TO_THE_MODEL:
            found = story.state(initiative, key)
            assert not found.satisfied, f"step 3: {key} still counts"
            assert "m-4" in found.words, f"step 3: {key} does not name the cause: {found.words}"
            assert "m-5" in found.words, f"step 3: {key} does not name the cause: {found.words}"
        assert story.state(initiative, "int.definitions").state != "voided", "step 3: nothing else is touched"
        assert story.state(initiative, "proto.limitations").state == "as_decided", (
            "step 3: frozen is never voided"
        )
        assert story.span(initiative).supported == "prototype", (
            "step 3: the kept supported stage is right at midnight"
        )
        assert story.span(initiative).label == "MVP: not supported by current evidence"
        stale = story.stale_seats(review)
        assert set(stale) == {"risk_compliance", "architecture_integration", "adoption_change"}
        assert any("m-5" in why for why in stale["risk_compliance"]), stale["risk_compliance"]
        change = initiative.changes.get(triggers=["model_version"])
        assert change.incomplete, "step 3: the change asks for approver and way back"
        assert change.outgoing.version.version == "m-4"
    with story.undone():  # had a trial of m-5 been prepared, it would count from that moment
        with at(2026, 10, 20, 16):
            incoming = initiative.deployments.get(version__layer="model", version__version="m-5")
            initiative_acts.ground(
                initiative, "prod.performance", cast.team, title="Trial of m-5", names=[incoming]
            )
            assert [item.title for item in story.state(initiative, "prod.performance").items] != [
                "Trial of m-5"
            ]
        with at(2026, 10, 21, 0):
            assert [item.title for item in story.state(initiative, "prod.performance").items] == [
                "Trial of m-5"
            ]
            assert story.state(initiative, "mvp.possibility").satisfied, "step 3: by its production form"
    with at(2026, 10, 21, 9):
        # History still shows what gate mvp was decided on.
        decided = initiative.reviews.get(gate="mvp")
        evidence = [
            pk
            for criterion in decided.findings["criteria"]
            for requirement in criterion["requirements"]
            if requirement["key"] == "mvp.possibility"
            for pk in requirement["evidence"]
        ]
        named = {
            name.deployment.version.version
            for item in initiative.evidence.filter(pk__in=evidence)
            for name in item.names.filter(deployment__version__layer="model")
        }
        assert named == {"m-4"}, f"step 3: history shows {named}"


def nobody_accepts(cast, initiative):
    """Step 6, the variant: a month passes and the initiative has no owner."""

    def told(kind="owner vacant"):
        rows = Notification.objects.filter(kind=kind, initiative_ref=initiative.ref)
        return set(rows.values_list("period", "person__login"))

    with at(2026, 11, 2):
        leaving.deactivate(person=cast.owner, reason="Left the company", system="HR feed")
    # 6. Day 7 the chair, day 14 board and sponsor, day 30 an obligation of the chair; the stage is untouched.
    with at(2026, 11, 9):
        due.run()
        assert ("after7d", "chair") in told(), f"step 6, day 7: {told()}"
        # Of the hold itself the seats it touches heard at once.
        again = {login for period, login in told() if period != "after0d"}
        assert not any(login.startswith("seat-") for login in again), f"step 6, day 7: {again}"
    with at(2026, 11, 16):
        due.run()
        people = {login for period, login in told() if period == "after14d"}
        assert people == {"sponsor", *factories.SEAT_LOGINS.values()}, f"step 6, day 14: {people}"
    with at(2026, 12, 1, 12):
        periodic.open_vacancy_obligations()
        assert not initiative.obligations.filter(kind="vacancy").exists(), "step 6: a day too early"
    with at(2026, 12, 2, 12):
        periodic.open_vacancy_obligations()
        periodic.open_vacancy_obligations()
        obligation = initiative.obligations.get(kind="vacancy")
        assert obligation.responsible == cast.chair, "step 6, day 30: the obligation is the chair's"
        assert story.fresh(initiative).stage == "mvp", "step 6: no scheduler changes a stage"
        assert (
            not Entry.objects.acts()
            .of_initiative(initiative.ref)
            .filter(kind="stage changed", at__month__gte=11)
            .exists()
        )
        with pytest.raises(Refused, match="completed automatically"):
            hold_deeds.complete_obligation(obligation=obligation, note="Done", by=cast.chair)


def test_the_owner_leaves_and_a_signer_becomes_owner(cast, triage):
    initiative, review = triage
    with story.undone():
        nobody_accepts(cast, initiative)
    successor = factories.make_person("successor", cast.unit, full_name="Nils Holm")

    with at(2026, 10, 30):
        holder = cast.board.memberships.get(seat="service_operations")
        factories.make_seat(cast, successor, "service_operations", delegate_of=holder)
        signed = initiative_acts.sign_off(review, "service_operations", successor)
        assert "service_operations" in story.fresh_seats(review)
        # The owner sits on the board for others' initiatives, and signed one that is still open.
        factories.make_seat(cast, cast.owner, "business_value")
        other = factories.make_initiative(cast, title="Route planner", owner=cast.support, by=cast.support)
        initiative_acts.parts(other, _team(cast, cast.support))
        initiative_acts.ground_gate(other, "prototype", _team(cast, cast.support))
        elsewhere = review_actions.open_review(initiative=story.fresh(other), by=cast.support)
        initiative_acts.sign_off(elsewhere, "business_value", cast.owner)
        assert story.snapshot(elsewhere).verdict.decidable, story.blockers(elsewhere)
        requirement_actions.keep_draft(
            initiative=initiative,
            requirement="prod.monitoring",
            fields={"text": "Every Monday"},
            by=cast.owner,
        )

    # 4. HR deactivates the owner.
    with at(2026, 11, 2):
        leaving.deactivate(person=cast.owner, reason="Left the company", system="HR feed")
        initiative = story.fresh(initiative)
        assert not initiative.roles.in_force().filter(role="owner").exists(), "step 4: the role ended"
        ended = initiative.roles.filter(role="owner").get()
        assert ended.ended_at.date() == date(2026, 11, 2)
        hold = initiative.holds.open().get()
        assert (hold.kind, hold.opened_by) == ("owner_vacant", None), "step 4: the hold"
        assert story.span(initiative).supported == "prototype", "step 4: the hold caps what is supported"
        with pytest.raises(Refused, match="No accepted owner"):
            review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
        assert AnswerDraft.objects.get(initiative=initiative, person=cast.owner).fields == {
            "text": "Every Monday"
        }
        assert not story.snapshot(elsewhere).verdict.decidable, "step 4: her sign-off elsewhere still counts"
        assert any("no longer active" in why for why in story.stale_seats(elsewhere)["business_value"])
        with pytest.raises(Refused, match="must sign again"):
            review_actions.decide(review=elsewhere, outcome="approved", reason="Go.", by=cast.chair)

        proposal = role_actions.propose_role(
            initiative=initiative, role="owner", person=successor, by=cast.sponsor
        )
        assert roles_and_seats.accepted(initiative, "owner") is None, (
            "step 4: not effective before acceptance"
        )
        assert initiative.holds.open().filter(kind="owner_vacant").exists()
        with pytest.raises(Refused, match="Only Nils Holm can answer this"):
            role_actions.accept_role(assignment=proposal, by=cast.admin)
        assert any("Only Nils Holm" in answer for answer in story.refusals(initiative)), (
            "step 4: left no entry"
        )

        # While somebody is proposed, their approvals are suspended.
        assert any("proposed as business owner" in w for w in story.stale_seats(review)["service_operations"])

    # 5. The successor accepts; the sign-off of 30 October no longer counts.
    with at(2026, 11, 5):
        role_actions.accept_role(assignment=proposal, by=successor)
        initiative = story.fresh(initiative)
        assert roles_and_seats.accepted(initiative, "owner").person == successor
        assert not initiative.holds.open().exists(), "step 5: the hold closes with its cause"
        why = story.stale_seats(review)["service_operations"]
        assert "Nils Holm is business owner of this initiative" in why, f"step 5: {why}"
        assert signed.pk in [row.pk for row in review.sign_offs.all()], "step 5: the audit log keeps it"


def _team(cast, owner):
    return initiative_acts.team_for(
        cast.unit, owner=owner, support=cast.lead, lead=cast.steward, steward=cast.owner
    )
