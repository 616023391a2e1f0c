"""Moves: pages that say what will happen, and do exactly that."""

from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.db import DatabaseError, transaction

from adoption.demo import initiative_acts
from adoption.incidents import actions as incident_actions
from governance import clock
from governance.database.row_history import acting
from governance.permission_result import Refused
from governance.transparency_log import verification
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Review, StageChange
from initiatives.models.approvals import EXPIRED, WAITING
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of
from tests.support.reported_stages import check_deferred, make_reported

pytestmark = pytest.mark.django_db

SMALLER = SIGNED | {
    "users": "One team",
    "user_count": "5",
    "departments": "Account management",
    "places": "Zurich",
}


def test_an_idea_is_withdrawn_or_joined_to_another(cast, as_):
    initiative, other = factories.make_initiative(cast), factories.make_initiative(cast, title="The real one")
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "withdraw")
    for ref in ("AI-9999", "junk", "AI-²"):
        page = text_of(client.post(url, {"joined_to": ref, "reason": "A double."}))
        assert "does not exist, or you cannot see it. Check the reference." in page
        assert "A double." in page
    assert "Give a reason, or name the initiative that replaces this one." in text_of(client.post(url, {}))
    with acts() as kinds:
        client.post(url, {"joined_to": other.ref.lower()})
    assert kinds == ["withdrawn"]
    page = text_of(client.get(at("initiative", initiative.ref)))
    assert f"The initiative was joined to {other.ref}." in page
    assert as_(cast.outsider).get(url).status_code == 404
    assert as_(cast.seat_risk).get(url).status_code == 403


def test_a_stop_says_what_is_due_and_happens_at_once(cast, as_):
    initiative = factories.make_prototype(cast)
    client, url = as_(cast.owner), at("initiative-act", initiative.ref, "stop")
    page = text_of(client.get(url))
    assert "Due from the owner by" in page
    assert "stops at once" in page
    with acts() as kinds:
        bad = client.post(url, {"reason_code": "junk", "reason": "It was too slow."})
    assert kinds == []
    assert "It was too slow." in text_of(bad)
    with acts() as kinds:
        client.post(url, SIGNED | {"reason_code": "no_value", "reason": "It was too slow."})
    assert kinds.count("stage changed") == 1
    assert initiative_acts.fresh(initiative).stage == "stopped"
    assert "Post-mortem after stopping" in text_of(client.get(at("initiative", initiative.ref)))
    assert client.get(url).status_code == 403


def test_a_stopped_idea_must_give_only_its_reason(cast, as_):
    initiative = factories.make_initiative(cast)
    assert "No post-mortem is due" in text_of(
        as_(cast.chair).get(at("initiative-act", initiative.ref, "stop"))
    )
    assert as_(cast.support).get(at("initiative-act", initiative.ref, "stop")).status_code == 403


def test_a_step_back_is_answered_before_the_initiative_rises_again(cast, as_):
    """6: its reason is on the review, the statement and the decision until a later promotion."""
    initiative = stage_actions.step_back(
        initiative=factories.make_production(cast),
        reason="Too many errors",
        users_told="By mail.",
        scope={"users": "One team", "user_count": 5},
        by=cast.chair,
    )
    words = "Stepped back from Production to MVP on"
    assert supported_stage.judged(initiative_acts.fresh(initiative)).support.supported == "mvp"
    initiative_acts.propose_and_confirm_tier(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.ground_gate(initiative_acts.fresh(initiative), "production", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_offs(review, cast.team)
    statement = review.sign_offs.first().statement
    assert "Why it stepped back: Too many errors.\nThe step back is not answered yet." in statement
    decision = {"review": review, "outcome": "approved", "reason": "Go.", "by": cast.chair}
    with pytest.raises(Refused, match=words):
        review_actions.decide(**decision)
    for url in (review.get_absolute_url(), at("review-decide", review.pk)):
        page = text_of(as_(cast.chair).get(url))
        assert words in page
        assert "Too many errors" in page
    row = Review.objects.get(pk=review.pk)
    row.outcome, row.ended_by, row.ended_at, row.findings = "approved", cast.chair, clock.now(), {}
    with (
        acting(by=cast.chair),
        pytest.raises(DatabaseError, match="a step back of this initiative is not answered"),
        transaction.atomic(),
    ):
        row.save()
    due = initiative.obligations.open().get(kind="stepped_back")
    assert due.responsible == cast.owner
    complete = at("row-act", "obligations", due.pk, "complete")
    assert "Write what changed since the step back." in text_of(as_(cast.owner).post(complete, {"note": ""}))
    assert as_(cast.owner).post(complete, {"note": "A check before sending."}).status_code == 302
    stale = review_state.snapshot_of(review).judged_sign_offs[0].stale
    assert "a step back, or the answer to it, changed" in stale
    initiative_acts.sign_offs(Review.objects.get(pk=review.pk), cast.team)
    newest = review.sign_offs.order_by("-pk").first().statement
    assert f"What changed since, by {cast.owner.full_name}: A check before sending." in newest
    assert "A check before sending." in text_of(as_(cast.chair).get(at("review-decide", review.pk)))
    assert review_actions.decide(**decision).outcome == "approved"
    assert supported_stage.facts_of(initiative_acts.fresh(initiative)).stepped_back == ()


def test_a_stop_ends_contract_scope_and_waiting_calls_and_a_reopening_every_key(cast, as_):
    """5a, 5f: nothing that was approved before is valid again after the reopening."""
    initiative = factories.make_mvp(cast)
    kept, _ = factories.make_key(cast, initiative)
    request = factories.make_request(initiative, kept)
    assert request.state_at(clock.now()) == WAITING
    initiative = stage_actions.stop(
        initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner
    )
    request = type(request).objects.get(pk=request.pk)
    assert request.state_at(clock.now()) == EXPIRED
    assert type(request).objects.waiting_at(clock.now()).count() == 0
    sent = {"verdict": "approve", "digest": request.arguments_digest}
    assert as_(cast.support).post(request.get_absolute_url(), sent).status_code in (403, 409)
    assert not request.answers.exists()
    assert initiative.contract.in_force_at(clock.now()) is None
    assert not initiative.scopes.filter(ended_at__isnull=True).exists()
    factories.make_written(
        initiative.obligations.get(kind="post_mortem"), by=cast.owner, confirmed_by=cast.seat_adoption
    )
    stage_actions.reopen(initiative=initiative, reason="Cheaper now.", by=cast.chair)
    kept = type(kept).objects.get(pk=kept.pk)
    assert not kept.good_at(clock.now())
    assert (kept.revoked_by, kept.revoked_reason) == (cast.chair, "The initiative was reopened")
    assert verification.verify().findings == []


@pytest.mark.parametrize("ends", ["retired", "withdrawn"])
def test_what_ends_a_stop_also_ends_at_a_retirement_and_a_withdrawal(cast, ends):
    if ends == "retired":
        initiative = factories.make_production(cast)
        stage_actions.retire(initiative=initiative, reason="It burns.", by=cast.chair)
    else:
        initiative = factories.make_initiative(cast)
        initiative_acts.staff(initiative, cast.team, ("record_owner",))
        initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
        detail_actions.withdraw(initiative=initiative, reason="A double.", by=cast.owner)
    initiative = initiative_acts.fresh(initiative)
    assert initiative.contract.in_force_at(clock.now()) is None
    assert not initiative.scopes.filter(ended_at__isnull=True).exists()


def test_a_version_with_the_board_is_a_draft_again_after_a_stop(cast):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team, ("record_owner",))
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    initiative = initiative_acts.fresh(initiative)
    contract_actions.save_contract(initiative=initiative, clauses=[], by=cast.owner)
    with acting(by=cast.owner):
        version = initiative.contract.versions.get(state="draft")
        version.state, version.digest = "in_review", "a" * 64
        version.save()
    stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    states = initiative.contract.versions.order_by("number").values_list("state", flat=True)
    assert list(states) == ["superseded", "draft"]


@pytest.mark.parametrize(("act", "by"), [("stop", "owner"), ("retire", "chair")])
def test_a_running_incident_is_named_before_the_initiative_ends(cast, as_, act, by):
    """5d."""
    initiative = factories.make_mvp(cast) if act == "stop" else factories.make_production(cast)
    url = at("initiative-act", initiative.ref, act)
    client = as_(getattr(cast, by))
    page = text_of(client.get(url))
    assert "stays open" not in page
    assert "The contract and the scope end." in page
    incident_actions.open_incident(initiative=initiative, severity=3, title="Okapi letters", by=cast.owner)
    assert "1 incident runs: Okapi letters. The incident stays open." in text_of(client.get(url))


def test_the_chair_reopens_what_was_stopped(cast, as_):
    initiative = factories.make_initiative(cast)
    assert as_(cast.chair).get(at("initiative-act", initiative.ref, "reopen")).status_code == 403
    stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    url = at("initiative-act", initiative.ref, "reopen")
    assert as_(cast.owner).post(url, {"reason": "Mine."}).status_code == 403
    assert "becomes a proposed idea again" in text_of(as_(cast.chair).get(url))
    with acts() as kinds:
        as_(cast.chair).post(url, SIGNED | {"reason": "Cheaper now."})
    assert kinds == ["stage changed"]


def test_the_initiative_offers_its_chair_what_the_machine_lets(cast, as_):
    back, again, waits = (
        "Demote stage",
        "Confirm production again",
        "Publish the post-mortem before you reopen the initiative",
    )
    end, reopen = "Retire in an emergency", ">Reopen</a>"
    stopped, idea = make_reported(cast, "mvp"), factories.make_initiative(cast, title="Dropped")
    for initiative in (stopped, idea):
        stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.chair)
    for initiative, offered in (
        (make_reported(cast, "prototype"), set()),
        (make_reported(cast, "mvp"), {back}),
        (make_reported(cast, "production"), {back, again, end}),
        (stopped, {waits}),
        (idea, {reopen}),
    ):
        address = initiative.get_absolute_url()
        for who, wanted in ((cast.chair, offered), (cast.owner, set())):
            page = as_(who).get(address).content.decode()
            assert {words for words in (back, again, end, reopen, waits) if words in page} == wanted, (
                initiative.stage
            )


def test_stepping_back_cuts_the_scope_and_tells_the_users(cast, as_):
    initiative = factories.make_mvp(cast)
    client, url = as_(cast.chair), at("initiative-act", initiative.ref, "demote")
    page = text_of(client.get(url))
    assert "becomes Prototype at once" in page
    assert as_(cast.owner).get(url).status_code == 403
    typed = SMALLER | {"reason": "Too many errors.", "users_told": "Mail on Monday."}
    with acts() as kinds:
        wide = text_of(client.post(url, typed | {"user_count": "4000"}))
        rollout = text_of(client.post(url, typed | {"rollout": "on"}))
    assert kinds == []
    assert "wider than the current one" in wide
    assert "Too many errors." in wide
    assert "must not have a rollout" in rollout
    with acts() as kinds:
        assert client.post(url, typed).status_code == 302
    assert kinds.count("stage changed") == 1
    assert initiative_acts.fresh(initiative).stage == "prototype"


def test_production_is_demoted_to_any_lower_stage_and_the_supported_one_is_preset(cast, as_):
    initiative = make_reported(cast, "production")
    client, url = as_(cast.chair), at("initiative-act", initiative.ref, "demote")
    page = BeautifulSoup(client.get(url).content, "html.parser")
    assert [box["value"] for box in page.select("input[name=target]")] == ["mvp", "prototype"]
    assert page.select_one("input[name=target][checked]")["value"] == "prototype", "nothing is supported"
    typed = SMALLER | {"reason": "Too many errors.", "users_told": "Mail on Monday."}
    with acts() as kinds:
        assert "Select a valid choice" in text_of(client.post(url, typed | {"target": "stopped"}))
    assert kinds == []
    assert client.post(url, typed | {"target": "prototype"}).status_code == 302
    assert initiative_acts.fresh(initiative).stage == "prototype"
    assert StageChange.objects.filter(initiative=initiative).latest("pk").from_stage == "production"
    check_deferred()


def test_an_emergency_retires_by_the_chair_alone(cast, as_):
    initiative = make_reported(cast, "production")
    url = at("initiative-act", initiative.ref, "retire")
    assert as_(cast.owner).get(url).status_code == 403
    page = text_of(as_(cast.chair).get(url))
    assert "by you alone" in page
    assert "Due by" in page
    with acts() as kinds:
        assert "Not saved yet" in text_of(as_(cast.chair).post(url, {"reason": ""}))
        as_(cast.chair).post(url, SIGNED | {"reason": "It leaks."})
    assert kinds.count("stage changed") == 1
    assert initiative_acts.fresh(initiative).stage == "retired"
    idea = factories.make_initiative(cast, title="An idea")
    assert as_(cast.chair).get(at("initiative-act", idea.ref, "retire")).status_code == 403


def test_production_is_accepted_again_by_three(cast, as_):
    initiative = factories.make_production(cast)
    url = at("initiative-act", initiative.ref, "confirm-production")
    later = clock.now() + timedelta(days=366)
    with time_machine.travel(later, tick=False):
        page = text_of(as_(cast.owner).get(url))
        assert "not yet" in page
        assert "Accept the role again" in page
        assert "re-attestation is overdue" in text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
        assert as_(cast.chair).post(url, SIGNED).status_code == 403
        for role, person in (("owner", cast.owner), ("support_owner", cast.support)):
            as_(person).post(at("roles/accept-again", initiative.roles.in_force().get(role=role).pk), SIGNED)
        with acts() as kinds:
            assert as_(cast.chair).post(url, SIGNED).status_code == 302
        assert kinds[0] == "re-attested"
        assert "re-attestation is overdue" not in text_of(
            as_(cast.owner).get(at("initiative", initiative.ref))
        )
