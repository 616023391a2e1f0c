"""A risk tier is confirmed for a scope: another scope reopens it for the risk seat."""

from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Notification, Rulebook
from governance.notifications import inbox as notification_inbox
from governance.permission_result import Refused
from governance.templatetags.plumbline import day
from governance.transparency_log import verification
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.models import Initiative, Review
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import open_reviews
from tests.support.initiatives.initiative_pages import text_of

pytestmark = pytest.mark.django_db

TWELVE = {
    "users": "Colleagues of the lab",
    "departments": ["Lab"],
    "data_classes": ["recipes"],
    "user_count": 12,
}
APPLICANTS = TWELVE | {"users": "Applicants for a job"}


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """A prototype of minimal risk, confirmed for twelve colleagues."""
    row = factories.make_prototype(cast)
    scope_actions.record_scope(initiative=row, by=cast.owner, **TWELVE)
    initiative_acts.propose_and_confirm_tier(initiative_acts.fresh(row), cast.team, "minimal")
    return initiative_acts.fresh(row)


def widen(cast, initiative, **fields):
    scope_actions.record_scope(initiative=initiative, by=cast.owner, **(TWELVE | fields))
    return initiative_acts.fresh(initiative)


def tasks(person):
    every = [one for line in notification_inbox.tasks_for(person) for one in (line, *line.parts)]
    return [line for line in every if line.verb == "confirm"]


def grace() -> int:
    return Rulebook.objects.current().parsed.freshness.tier_grace_days


def test_confirming_names_users_data_and_purpose(initiative):
    entry = Entry.objects.acts().filter(kind="risk tier confirmed").latest("id")
    assert initiative.tier_scope == 1
    said = entry.facts["facts"]
    assert said["scope"] == 1
    assert said["users"] == "12: Colleagues of the lab"
    assert said["data_classes"] == ["recipes"]
    assert said["purpose"] == initiative.problem


@pytest.mark.parametrize(
    "other",
    [{"user_count": 13}, {"data_classes": ["recipes", "salaries"]}, {"users": "Applicants for a job"}],
    ids=["more users", "other data", "other people"],
)
def test_another_scope_is_one_task_of_the_risk_seat_with_old_beside_new(cast, initiative, other):
    assert tasks(cast.seat_risk) == []
    widen(cast, initiative, **other)
    (task,) = tasks(cast.seat_risk)
    assert "Minimal risk was confirmed for scope 1 with 12 users (Colleagues of the lab)" in task.why
    assert "The new scope 2 with " in task.why
    assert task.due == clock.today() + timedelta(days=grace())
    assert tasks(cast.seat_value) == []


def test_a_scope_that_is_no_wider_reopens_nothing(cast, initiative):
    initiative = widen(cast, initiative, user_count=5)
    assert tasks(cast.seat_risk) == []
    assert supported_stage.facts_of(initiative).tier_outdated == ()


def test_pages_say_until_when_the_tier_still_leaves_requirements_out(cast, as_, initiative):
    initiative = widen(cast, initiative, user_count=400)
    ends = day(clock.today() + timedelta(days=grace()))
    told = text_of(as_(cast.owner).get(initiative.get_absolute_url()))
    assert "The risk tier is not confirmed for this scope and purpose." in told
    assert f"Requirements that do not apply at minimal risk count as open after {ends}." in told
    assert "The risk seat can confirm it." in told
    with time_machine.travel(timezone.now() + timedelta(days=grace() + 1), tick=False):
        told = text_of(as_(cast.owner).get(initiative.get_absolute_url()))
        assert f"Requirements that do not apply at minimal risk have counted as open since {ends}." in told


@pytest.mark.parametrize("tier", ["minimal", "limited"])
def test_confirming_again_ends_it(cast, initiative, tier):
    initiative = widen(cast, initiative, user_count=400)
    assert supported_stage.facts_of(initiative).tier_outdated_since(clock.now()) is not None
    detail_actions.propose_tier(
        initiative=initiative, tier=tier, worst_credible_harm="A wrong recipe.", by=cast.owner
    )
    detail_actions.confirm_tier(initiative=initiative, tier=tier, scope=2, by=cast.seat_risk)
    initiative = initiative_acts.fresh(initiative)
    assert (initiative.tier, initiative.tier_scope) == (tier, 2)
    assert supported_stage.facts_of(initiative).tier_outdated == ()
    assert tasks(cast.seat_risk) == []


def test_the_page_shows_the_scope_and_confirms_no_other(cast, as_, initiative):
    initiative = widen(cast, initiative, user_count=400)
    page = as_(cast.seat_risk).get(reverse("initiative-act", args=[initiative.ref, "confirm-tier"]))
    told = text_of(page)
    assert "The tier is confirmed for scope 2 with 400 users" in told
    assert "The tier was confirmed for scope 1 with 12 users (Colleagues of the lab)" in told
    assert initiative.problem in told
    with pytest.raises(Refused, match="The scope is now 2, not 1"):
        detail_actions.confirm_tier(initiative=initiative, tier="minimal", scope=1, by=cast.seat_risk)


def test_a_planned_scope_is_covered_by_the_confirmation_and_does_not_reopen_when_it_starts(cast, initiative):
    planned = scope_actions.record_scope(
        initiative=initiative, for_stage="mvp", by=cast.owner, **(TWELVE | {"user_count": 90})
    )
    (task,) = tasks(cast.seat_risk)
    assert "The new scope 2 with 90 users" in task.why
    assert task.due is None
    initiative = initiative_acts.fresh(initiative)
    assert supported_stage.facts_of(initiative).tier_outdated == (), "nothing else is in force yet"
    detail_actions.confirm_tier(
        initiative=initiative, tier="minimal", scope=planned.number, by=cast.seat_risk
    )
    assert tasks(cast.seat_risk) == []
    row = initiative_acts.fresh(initiative)
    planned.starts_at = clock.now() + timedelta(days=1)
    assert row.scopes_without_tier([*row.scopes.filter(number=1), planned]) == []


def test_a_tier_confirmed_without_a_scope_is_open_with_the_first_scope(cast):
    row = factories.make_prototype(cast)
    initiative_acts.propose_and_confirm_tier(row, cast.team, "minimal")
    assert tasks(cast.seat_risk) == []
    scope_actions.record_scope(initiative=row, by=cast.owner, **TWELVE)
    (task,) = tasks(cast.seat_risk)
    assert "was confirmed for no scope." in task.why


def test_what_a_past_day_asked_is_computed_from_rows_with_their_times(cast, initiative):
    first = clock.now()
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        initiative = widen(cast, initiative, user_count=400)
        facts = supported_stage.facts_of(initiative)
        since = facts.tier_outdated_since(clock.now())
        assert since is not None
        assert facts.tier_outdated_since(first) is None


def describe(cast, initiative, problem):
    detail_actions.change_details(
        initiative=initiative, problem=problem, platform="", confidential=False, by=cast.owner
    )
    return initiative_acts.fresh(initiative)


def test_another_purpose_is_one_task_of_the_risk_seat_with_old_beside_new(cast, as_, initiative):
    old = initiative.problem
    initiative = describe(cast, initiative, "Rank applicants for a job.")
    (task,) = tasks(cast.seat_risk)
    assert (
        f"was confirmed for the purpose “{old}”. The purpose is now “Rank applicants for a job.”." in task.why
    )
    assert task.due == clock.today() + timedelta(days=grace())
    assert supported_stage.facts_of(initiative).tier_outdated_since(clock.now()) is not None
    told = text_of(as_(cast.owner).get(initiative.get_absolute_url()))
    assert "The risk tier is not confirmed for this scope and purpose." in told
    page = text_of(as_(cast.seat_risk).get(reverse("initiative-act", args=[initiative.ref, "confirm-tier"])))
    assert f"The tier was confirmed for this purpose before: {old}" in page

    detail_actions.confirm_tier(initiative=initiative, tier="minimal", by=cast.seat_risk)
    assert tasks(cast.seat_risk) == []
    assert supported_stage.facts_of(initiative_acts.fresh(initiative)).tier_outdated == ()


def test_the_days_of_grace_begin_with_the_first_other_purpose_and_end_with_the_old_one(cast, initiative):
    old = initiative.problem
    first = describe(cast, initiative, "Rank applicants.").purpose_changed_at
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        assert describe(cast, initiative, "Rank applicants for a job.").purpose_changed_at == first
        assert describe(cast, initiative, f"{old.rstrip('.')}!").purpose_changed_at is None
        assert tasks(cast.seat_risk) == []


def test_without_a_tier_another_purpose_reopens_nothing(cast):
    row = factories.make_prototype(cast)
    assert describe(cast, row, "Rank applicants.").purpose_changed_at is None


def test_only_the_risk_seat_says_for_which_scope(initiative, cast):
    refused = pytest.raises(DatabaseError, match="may not do this")
    with refused, transaction.atomic(), acting(by=cast.owner, reason="Past the act"):
        Initiative.objects.filter(pk=initiative.pk).update(tier_scope=7)


def test_the_audit_log_agrees(cast, initiative):
    initiative = widen(cast, initiative, user_count=400)
    detail_actions.confirm_tier(initiative=initiative, tier="minimal", scope=2, by=cast.seat_risk)
    assert [finding.words for finding in verification.verify().findings] == []


# A review waits for it


def refused(cast, initiative) -> str:
    with pytest.raises(Refused) as refusal:
        review_actions.open_review(initiative=initiative, by=cast.owner)
    return str(refusal.value)


def test_no_review_is_opened_before_the_tier_is_confirmed_for_the_scope(cast, as_, initiative):
    bare = factories.make_prototype(cast, title="Invoice reader")
    assert f"The risk tier of {bare.ref} is not confirmed. Propose a risk tier." in refused(cast, bare)
    initiative = widen(cast, initiative, user_count=400)
    words = f"The risk tier of {initiative.ref} is not confirmed for this scope: scope 2"
    assert words in refused(cast, initiative)
    address = reverse("review-open", args=[initiative.ref])
    page = text_of(as_(cast.owner).get(address))
    assert words in page
    assert "Ask the risk seat to confirm the risk tier." in page
    assert 'type="submit">Open the review' not in as_(cast.owner).get(address).content.decode()
    detail_actions.confirm_tier(initiative=initiative, tier="minimal", scope=2, by=cast.seat_risk)
    assert words not in text_of(as_(cast.owner).get(address))
    assert review_actions.open_review(initiative=initiative, by=cast.owner).is_open


def test_the_gate_to_prototype_asks_for_no_tier(cast):
    idea = factories.make_initiative(cast)
    assert review_actions.open_review(initiative=idea, by=cast.owner).is_open


def test_who_could_ask_the_board_is_told_to_have_the_tier_confirmed(cast, as_):
    """What the gate asks is there; a wider scope was planned since."""
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "mvp", cast.team)

    def submits():
        return [one for one in notification_inbox.tasks_for(cast.owner) if one.verb == "submit"]

    assert submits()
    initiative_acts.plan_scope(initiative, cast.team, users=4000)
    assert not submits()
    told = text_of(as_(cast.owner).get(initiative.get_absolute_url()))
    assert "Next step: request a review." not in told


def test_who_reports_to_the_owner_lowers_no_tier_and_a_change_is_told(cast):
    """8c: act and database refuse, another tier is told to owner and chair."""
    initiative = factories.make_prototype(cast)
    initiative_acts.propose_and_confirm_tier(initiative, cast.team, "limited")
    with acting(system="test"):
        cast.seat_risk.manager = cast.owner
        cast.seat_risk.save()
    initiative = initiative_acts.fresh(initiative)
    for tier in ("minimal", "high"):
        initiative = detail_actions.propose_tier(
            initiative=initiative, tier=tier, worst_credible_harm="A wrong price.", by=cast.owner
        )
        if tier == "minimal":
            with pytest.raises(Refused, match="reports to the owner"):
                detail_actions.confirm_tier(initiative=initiative, tier=tier, by=cast.seat_risk)
            row = Initiative.objects.get(pk=initiative.pk)
            row.tier = tier
            row.tier_confirmed_by, row.tier_confirmed_at = cast.seat_risk, clock.now()
            with (
                acting(by=cast.seat_risk),
                pytest.raises(DatabaseError, match="nobody who reports to the owner"),
                transaction.atomic(),
            ):
                row.save()
        else:
            detail_actions.confirm_tier(initiative=initiative, tier=tier, by=cast.seat_risk)
    told = Notification.objects.filter(kind="tier changed").values_list("person__login", flat=True)
    assert set(told) == {"owner", "chair"}


def test_a_higher_tier_that_is_proposed_blocks_a_decision_until_its_seat_answers(cast, as_):
    """8a: act, page and database. The risk seat can refuse the proposal, and owner and chair are told."""
    review = open_reviews.signed_off(cast)
    initiative = initiative_acts.fresh(review.initiative)
    harm = initiative.worst_credible_harm
    detail_actions.propose_tier(initiative=initiative, tier="high", worst_credible_harm=harm, by=cast.owner)
    decision = {"review": review, "outcome": "approved", "reason": "Go.", "by": cast.chair}
    with pytest.raises(Refused, match="The risk tier high is proposed, and limited is confirmed"):
        review_actions.decide(**decision)
    page = text_of(as_(cast.chair).get(reverse("review-decide", args=[review.pk])))
    assert f"{cast.seat_risk.full_name} can confirm or refuse the proposed tier." in page
    row = Review.objects.get(pk=review.pk)
    row.outcome, row.ended_by, row.ended_at, row.findings = "approved", cast.chair, clock.now(), {}
    with (
        acting(by=cast.chair),
        pytest.raises(DatabaseError, match="a higher risk tier is proposed"),
        transaction.atomic(),
    ):
        row.save()
    refuse = reverse("initiative-act", args=[initiative.ref, "refuse-tier"])
    assert as_(cast.owner).get(refuse).status_code == 403
    assert "Refuse the tier" in text_of(as_(cast.seat_risk).get(initiative.get_absolute_url()))
    confirm = reverse("initiative-act", args=[initiative.ref, "confirm-tier"])
    assert f'href="{refuse}"' in as_(cast.seat_risk).get(confirm).text
    assert f'href="{confirm}"' in as_(cast.seat_risk).get(refuse).text
    sent = {"tier": "high", "reason": "It decides nothing.", "password": factories.PASSWORD}
    assert as_(cast.seat_risk).post(refuse, sent | {"tier": "limited"}).status_code == 403
    assert as_(cast.seat_risk).post(refuse, sent).status_code == 302
    told = Notification.objects.filter(kind="tier refused", text__contains="It decides nothing.")
    assert set(told.values_list("person__login", flat=True)) == {"owner", "chair"}
    assert review_actions.decide(**decision).outcome == "approved"


def test_who_reports_to_the_owner_refuses_no_tier(cast):
    initiative = factories.make_prototype(cast)
    initiative_acts.propose_and_confirm_tier(initiative, cast.team, "limited")
    with acting(system="test"):
        cast.seat_risk.manager = cast.owner
        cast.seat_risk.save()
    initiative = detail_actions.propose_tier(
        initiative=initiative, tier="high", worst_credible_harm="A wrong price.", by=cast.owner
    )
    with pytest.raises(Refused, match="reports to the owner"):
        detail_actions.refuse_tier(initiative=initiative, tier="high", reason="No.", by=cast.seat_risk)
