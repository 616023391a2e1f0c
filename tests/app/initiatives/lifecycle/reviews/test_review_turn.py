"""Whose move a review is and since when, what changed since somebody's last visit, and trials asked for early."""

from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup

from governance import clock
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews import review_turn
from initiatives.models import Initiative, InitiativeVisit, ReviewVisit
from tests.support import factories
from tests.support.initiatives import open_reviews

pytestmark = pytest.mark.django_db


def words(response, within="main") -> str:
    """The text of the page, in single spaces."""
    return " ".join(BeautifulSoup(response.content, "html.parser").select_one(within).get_text(" ").split())


@pytest.fixture
def later():
    """Go on some days or hours later: `with later(days=3): ...`."""
    return lambda **ahead: time_machine.travel(clock.now() + timedelta(**ahead), tick=False)


# Whose move


def test_seats_wait_since_the_opening_and_the_page_counts_the_days(cast, as_, later):
    review = open_reviews.before_mvp(cast)
    found = review_turn.moves(review_state.snapshot_of(review))
    assert {move.since for move in found} == {review.opened_at}
    assert f"{cast.seat_risk.full_name}: to sign as Risk and compliance" in {
        f"{m.who}: {m.what}" for m in found
    }
    with later(days=5):
        page = words(as_(cast.chair).get(review.get_absolute_url()), "aside")
        assert f"{cast.seat_risk.full_name} to sign as Risk and compliance Waiting 5 days" in page
        assert "to sign as Risk and compliance, for 5 days" in words(as_(cast.chair).get("/reviews/"))


def test_a_seat_waits_since_its_sign_off_went_stale(cast, later):
    review = open_reviews.signed_off(cast)
    with later(days=2):
        at = clock.now()
        requirement_actions.answer(
            initiative=review.initiative,
            requirement="mvp.problem",
            kind="answered",
            text="Sharper.",
            by=cast.owner,
        )
    with later(days=6):
        snapshot = review_state.snapshot_of(review)
        stale = {sign_off.seat for sign_off in snapshot.judged_sign_offs if not sign_off.fresh}
        found = review_turn.moves(snapshot)
    assert stale
    assert stale != {row.seat for row in snapshot.sign_offs}
    assert [move.since for move in found] == [at] * len(stale)


def test_evidence_that_aged_out_is_the_owners_to_fix_from_that_midnight(cast, later):
    review = open_reviews.signed_off(cast)
    with later(days=200):
        snapshot = review_state.snapshot_of(review)
        (move,) = review_turn.moves(snapshot)
        missing = [
            state
            for finding in snapshot.verdict.findings
            if finding.blocks
            for state in finding.requirements
            if state.state == "expired"
        ]
        first = min(
            clock.midnight_after(
                state.items[0].observed_on
                + timedelta(days=snapshot.judged.rulebook.requirements[state.key].fresh_days)
            )
            for state in missing
        )
        assert (move.who, move.since) == (cast.owner.full_name, first)
        assert review.opened_at < first


def test_what_never_was_complete_is_the_owners_since_the_opening(cast):
    review = review_actions.open_review(initiative=factories.make_initiative(cast), by=cast.owner)
    (move,) = review_turn.moves(review_state.snapshot_of(review))
    assert move.who == cast.owner.full_name
    assert "to fix 2 criteria" in move.what
    assert move.since == review.opened_at


def test_the_chair_has_the_move_since_the_last_sign_off(cast):
    review = open_reviews.signed_off(cast)
    snapshot = review_state.snapshot_of(review)
    (move,) = review_turn.moves(snapshot)
    assert (move.who, move.what) == (cast.chair.full_name, "to decide")
    assert move.since == max(row.at for row in snapshot.sign_offs)


# Since the last visit


def test_what_others_did_since_my_last_visit(cast, as_, later):
    review = open_reviews.before_prototype(cast)
    pages = {"review": review.get_absolute_url(), "initiative": review.initiative.get_absolute_url()}
    client = as_(cast.seat_value)
    for page in pages.values():
        assert "Since you were last here" not in words(client.get(page))
    requirement_actions.answer(
        initiative=review.initiative,
        requirement="proto.question",
        kind="answered",
        text="Sharper.",
        by=cast.owner,
    )
    with later(hours=1):
        client, owner = as_(cast.seat_value), as_(cast.owner)
        for page in pages.values():
            for _ in range(2):  # read twice, it still says so
                text = words(client.get(page))
                assert "Since you were last here" in text
                assert "Marta Lindqvist answered" in text
            assert "Since you were last here" not in words(owner.get(page))
    with later(hours=2):
        client = as_(cast.seat_value)
        assert "Since you were last here" not in words(client.get(pages["review"])), "nothing changed"
        assert "Since you were last here" not in words(client.get(pages["initiative"]))
    assert ReviewVisit.objects.count() == InitiativeVisit.objects.count() == 2


def test_ones_own_acts_are_no_news_and_refusals_of_others_stay_theirs(cast, as_, later):
    initiative = factories.make_initiative(cast)
    as_(cast.owner).get(initiative.get_absolute_url())
    as_(cast.chair).post(f"/initiatives/{initiative.ref}/details/", {})
    requirement_actions.answer(
        initiative=initiative, requirement="proto.question", kind="answered", text="Which?", by=cast.owner
    )
    with later(hours=1):
        assert "Since you were last here" not in words(as_(cast.owner).get(initiative.get_absolute_url()))


def test_what_went_stale_by_itself_is_news_too(cast, as_, later):
    initiative = factories.make_mvp(cast)
    page = initiative.get_absolute_url()
    assert as_(cast.chair).get(page).status_code == 200
    with later(days=200):
        text = words(as_(cast.chair).get(page))
        assert "expired" in text
        assert "Its evidence was current until" in text
    with later(days=200, hours=2):
        assert "Its evidence was current until" not in words(as_(cast.chair).get(page))


# Asked early


@pytest.mark.parametrize(
    ("gate", "days", "basis", "said"),
    [
        ("mvp", 0, "decision", 0),
        ("mvp", 29, "decision", 29),
        ("mvp", 30, "decision", None),
        ("mvp", 12, "import", None),
        ("prototype", 0, "registered", None),
        ("production", 3, "decision", None),
    ],
)
def test_only_the_trial_asked_for_within_thirty_days_says_so(gate, days, basis, said):
    now = clock.now()
    initiative = Initiative(registered_at=now - timedelta(days=days), basis=basis)
    assert review_turn.fast_lane(initiative, gate, now) == said


def test_the_note_stands_before_opening_on_the_review_and_at_signing_and_blocks_nothing(cast, as_):
    review = open_reviews.before_mvp(cast)
    note = "on the day of registration."
    client = as_(cast.seat_risk)
    assert note in words(client.get(review.get_absolute_url()))
    signing = words(client.get(f"{review.get_absolute_url()}sign/risk_compliance/"))
    assert note in signing
    assert "Your password" in signing
    review_actions.withdraw_review(review=review, reason="", by=cast.owner)
    assert note in words(as_(cast.owner).get(f"/initiatives/{review.initiative.ref}/review/"))
    assert note not in words(
        as_(cast.owner).get(f"/initiatives/{factories.make_initiative(cast).ref}/review/")
    )
