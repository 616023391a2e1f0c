"""Scenario 1, steps 3 to 7: ageing evidence, two sign-offs at once, two tabs, a scope that changes in between."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.gates import sign_off_statement
from governance.models import Entry, Notification
from governance.notifications import due
from governance.organisation import actions as organisation_actions
from governance.permission_result import Conflict, Refused
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.sign_offs import actions as sign_off_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.lifecycle.stages import periodic
from initiatives.models import Review
from tests.acceptance.walks import story
from tests.acceptance.walks.story import at
from tests.support.initiatives.initiative_pages import SIGNED

pytestmark = pytest.mark.django_db


def test_two_sign_offs_ageing_evidence_and_two_tabs(cast, as_):
    initiative = story.mvp_of_spring(cast)
    seats, team = cast.seats, cast.team

    with at(2026, 11, 2):
        story.renew(initiative, cast)
        initiative_acts.ground_gate(initiative, "production", team, skip=["prod.q10_outage"])
        requirement_actions.answer(
            initiative=initiative,
            requirement="prod.q10_outage",
            kind="answered",
            text="By hand, drilled.",
            by=cast.owner,
        )
        story.drill(initiative, date(2026, 5, 12), cast.support)
        review = review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)
        assert story.snapshot(review).judged.states["prod.q10_outage"].state == "met", (
            f"step 0: the drill of 12 May counts on 2 November: {story.state(initiative, 'prod.q10_outage')}"
        )

    # 3. The owner tries to sign as the risk seat.
    with at(2026, 11, 3), pytest.raises(Refused) as refused:
        initiative_acts.sign_off(review, "risk_compliance", cast.owner)
    assert refused.value.status == 403
    assert not review.sign_offs.exists(), "step 3: a sign-off row of the owner was kept"
    entry = Entry.objects.acts().of_initiative(initiative.ref).filter(kind="refused").first()
    assert entry is not None, "step 3: the refusal left no entry"
    assert entry.actor_id == cast.owner.pk
    assert entry.facts["facts"]["act"] == "sign off"
    assert "business owner of this initiative" in entry.facts["facts"]["answer"]
    with at(2026, 11, 3, 10):
        address = reverse("sign", args=[review.pk, "risk_compliance"])
        answer = as_(cast.owner).post(address, {"verdict": "approve"})
        assert answer.status_code == 403, f"step 3: the owner's POST was answered {answer.status_code}"
        assert not review.sign_offs.exists(), "step 3: the page kept a sign-off row of the owner"
        assert len(story.refusals(initiative)) == 2, "step 3: the page's refusal left no entry"

    # 4. Two seats sign; the drill ages out at midnight, whether or not a task ran.
    with at(2026, 11, 5):
        initiative_acts.sign_off(review, "risk_compliance", seats["risk_compliance"])
    with at(2026, 11, 6):
        initiative_acts.sign_off(review, "architecture_integration", seats["architecture_integration"])
    with at(2026, 11, 8, 23, 59):
        assert story.fresh_seats(review) == {"risk_compliance", "architecture_integration"}, (
            f"step 4: on its last day the drill still counts: {story.stale_seats(review)}"
        )
    with at(2026, 11, 9, 0):
        assert story.stale_seats(review) == {
            "architecture_integration": ("evidence aged out: Fallback drill of 12 May 2026",)
        }, "step 4: at midnight exactly the architecture seat is stale, and says why"
        assert story.fresh_seats(review) == {"risk_compliance"}, "step 4: the risk seat is untouched"
        assert not story.snapshot(review).verdict.decidable, "step 4: the review is not decidable"
        assert "evidence aged out: Fallback drill of 12 May 2026" in story.blockers(review), (
            f"step 4: the review does not name it: {story.blockers(review)}"
        )
    with at(2026, 11, 9, 6):
        due.run()
        told = set(
            Notification.objects.filter(kind="stale sign-off", initiative_ref=initiative.ref).values_list(
                "person__login", flat=True
            )
        )
        assert told == {"seat-architecture", "owner", "support"}, f"step 4: told were {told}"
        before = Notification.objects.count()
        due.run()
        assert Notification.objects.count() == before, "step 4: the second run told somebody again"

    # 5. Partial is not pass; a date in the future is refused; then it is corrected.
    with at(2026, 11, 10):
        story.drill(initiative, date(2026, 11, 10), cast.support, result="partial")
        found = story.state(initiative, "prod.q10_outage")
        assert found.state == "failing", f"step 5: partial is not pass: {found.words}"
        with pytest.raises(Refused, match="because these criteria are not met"):
            initiative_acts.sign_off(review, "architecture_integration", seats["architecture_integration"])
    with at(2026, 11, 11):
        with pytest.raises(ValidationError) as wrong:
            story.drill(initiative, date(2026, 11, 13), cast.support)
        assert "observed_on" in wrong.value.message_dict, "step 5: the future date is not named"
        story.drill(initiative, date(2026, 11, 11), cast.support)
        assert story.state(initiative, "prod.q10_outage").satisfied, "step 5: the pass of 11 November counts"
    with at(2026, 11, 11, 15):
        initiative_acts.sign_off(review, "architecture_integration", seats["architecture_integration"])
        initiative_acts.sign_off(review, "service_operations", seats["service_operations"])
        assert story.fresh_seats(review) == {
            "risk_compliance",
            "architecture_integration",
            "service_operations",
        }, f"step 5: {story.stale_seats(review)}"
        assert not story.snapshot(review).verdict.decidable

    # 6. Two seats in the same second; one notification; the delegate comes second.
    with at(2026, 11, 12, 10, 0):
        initiative_acts.sign_off(review, "security_privacy", seats["security_privacy"])
        ready = Notification.objects.filter(kind="ready to decide", object_key=f"review:{review.pk}")
        assert not ready.exists(), "step 6: told to decide before the quorum"
        initiative_acts.sign_off(review, "business_value", seats["business_value"])
        assert story.snapshot(review).verdict.decidable, f"step 6: {story.blockers(review)}"
        assert [notification.person for notification in ready] == [cast.chair], (
            "step 6: one notification, to the chair"
        )
        delegate = cast.sponsor
        holder = cast.board.memberships.get(seat="adoption_change")
        organisation_actions.appoint(
            board=cast.board, person=delegate, seat="adoption_change", delegate_of=holder, by=cast.admin
        )
    with at(2026, 11, 12, 10, 5):
        current = Review.objects.select_related("initiative", "rulebook").get(pk=review.pk)
        objection = {
            "verdict": "object",
            "reason": "Nobody uses it on Mondays.",
            "criteria": ("production.test_adoption",),
        }
        text, seen = sign_off_actions.statement_for(
            review_state.snapshot_of(current), "adoption_change", delegate, at=clock.now(), **objection
        )
        initiative_acts.sign_off(review, "adoption_change", seats["adoption_change"])
        with pytest.raises(Conflict) as second:
            sign_off_actions.sign_off(
                review=current,
                seat="adoption_change",
                digest=sign_off_statement.digest(text),
                prepared_at=clock.now(),
                replaces=None,
                seen=seen,
                by=delegate,
                **objection,
            )
        assert second.value.status == 409
        assert "Luis Ortega" in str(second.value), f"step 6: who was first? {second.value}"
        assert "at 10:05 on 12 November" in str(second.value), f"step 6: and when? {second.value}"
        assert review.sign_offs.filter(seat="adoption_change").count() == 1, (
            "step 6: one sign-off for the seat"
        )
        assert ready.count() == 1, "step 6: the chair was told twice"

    # 7, variant: the scope grows between opening the page and pressing.
    with at(2026, 11, 12, 11, 0), story.undone():
        scope_actions.record_scope(
            initiative=initiative,
            users="All account managers",
            departments=["Account management"],
            places=["Zurich"],
            data_classes=["customer notes"],
            user_count=400,
            rollout=True,
            live_data=True,
            by=cast.lead,
        )
        with pytest.raises(Refused, match="the scope changed"):
            review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
        assert set(story.stale_seats(review)) == set(seats), "step 7: scope touches every seat"
        assert story.fresh(initiative).stage == "mvp"

    # 7. Two tabs.
    with at(2026, 11, 12, 11, 0):
        review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
    with at(2026, 11, 12, 11, 1):
        second_tab = as_(cast.chair).post(
            reverse("review-decide", args=[review.pk]), {"outcome": "approved", "reason": "Ready."} | SIGNED
        )
        assert second_tab.status_code == 409, f"step 7: the second tab met {second_tab.status_code}"
        assert "at 11:00" in second_tab.content.decode(), "step 7: the second tab is not told when"
    with (
        at(2026, 11, 12, 11, 1),
        pytest.raises(Conflict, match="This review was already approved by Elena Novak at 11:00"),
    ):
        review_actions.decide(review=review, outcome="approved", reason="Ready.", by=cast.chair)
    assert initiative.stage_changes.filter(to_stage="production").count() == 1, "step 7: one decision"
    assert story.fresh(initiative).stage == "production"
    with at(2026, 11, 12, 12):
        periodic.recompute()
        assert story.span(initiative).supported == "production", story.span(initiative).gaps
