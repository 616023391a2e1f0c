"""One table of initiatives for the quorum of a review: its judgement, the guard of the database and the offline
verifier.
"""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from adoption.demo import initiative_acts
from governance import clock
from governance.identity import same_person
from governance.permission_result import Refused
from governance.transparency_log import entry_judgement
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.app.initiatives.lifecycle.reviews.test_separation_of_duties import (
    force,
    give_role,
    past_the_act,
    sit_down,
)
from tests.support import factories
from tests.support.attacks import unguarded_writes
from tests.support.attacks.unguarded_writes import an_hour_later, unguarded
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db

VALUE, RISK, SECURITY = "business_value", "risk_compliance", "security_privacy"
ARCHITECTURE, ADOPTION, OPERATIONS = "architecture_integration", "adoption_change", "service_operations"
MUST = (VALUE, RISK)
ENOUGH = (*MUST, SECURITY)
BLOCKING, ADVISORY = "mvp.residency_screen", "mvp.data_reality"


@pytest.fixture
@snapshots.kept
def review(cast):
    """A prototype at the MVP gate: everything is shown, three seats have to sign, two of them are named."""
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(story.fresh(initiative), cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "mvp", cast.team)
    return review_actions.open_review(initiative=story.fresh(initiative), by=cast.owner)


def signed(cast, review, seats, **fields) -> None:
    """A sign-off of each seat by who sits there, past the act and past every guard."""
    for seat in seats:
        signed_by(review, cast.seats[seat], seat, **fields)


def signed_by(review, person, seat, **fields):
    with unguarded("initiatives_signoff"):
        return force(review, person, seat, **fields)


def _seats(*seats):
    return lambda cast, review: signed(cast, review, seats)


def _objected(criterion, seat=ARCHITECTURE, **fields):
    def arrange(cast, review):
        signed(cast, review, ENOUGH)
        said = {"verdict": "object", "reason": "No.", "criteria": [criterion]}
        signed(cast, review, [seat], **said | {name: value() for name, value in fields.items()})

    return arrange


def _changed(**fields):
    """Enough seats signed; then the last of them said something else in place of it."""

    def arrange(cast, review):
        signed(cast, review, ENOUGH)
        first = review.sign_offs.get(seat=SECURITY)
        signed(cast, review, [SECURITY], replaces=first, **fields)

    return arrange


def _recused(cast, review):
    signed(cast, review, MUST)
    signed(cast, review, [SECURITY], verdict="recuse", reason="I advised the vendor.")


def _one_of_a_missing_seat_recused(cast, review):
    signed(cast, review, [RISK, SECURITY, ARCHITECTURE, ADOPTION])
    signed(cast, review, [VALUE], verdict="recuse", reason="I advised the vendor.")


def _conditions(cast, review):
    signed(cast, review, MUST)
    signed(cast, review, [SECURITY], verdict="approve_with_condition", condition="Keep it in the region.")


def _two_seats_of_one_person(cast, review):
    signed(cast, review, MUST)
    sit_down(cast, cast.seat_risk, SECURITY)
    signed_by(review, cast.seat_risk, SECURITY)


def _two_seats_of_one_person_beside_enough(cast, review):
    signed(cast, review, ENOUGH)
    sit_down(cast, cast.seat_risk, ARCHITECTURE)
    signed_by(review, cast.seat_risk, ARCHITECTURE)


def _two_accounts_of_one_person(cast, review):
    signed(cast, review, ENOUGH)
    one, other = cast.seat_risk, cast.seat_security
    same_person.mark(person=one, other=other, reason="Same badge", by=cast.second_admin)


def _a_delegate(cast, review):
    person = factories.make_person("delegate")
    sit_down(cast, person, SECURITY, delegate_of=cast.board.memberships.get(person=cast.seat_security))
    signed(cast, review, MUST)
    signed_by(review, person, SECURITY)


def long_ago():
    return clock.now() - timedelta(days=400)


def _too_old(cast, review):
    signed(cast, review, MUST)
    signed(cast, review, [SECURITY], at=long_ago())


def _whose_seat_ended(cast, review):
    signed(cast, review, ENOUGH)
    seat = cast.board.memberships.get(person=cast.seat_security)
    leaving.revoke_membership(membership=seat, reason="Reorganised", by=cast.admin)


def _who_left(cast, review):
    signed(cast, review, ENOUGH)
    leaving.deactivate(person=cast.seat_security, reason="Left", by=cast.admin)


def _who_took_a_role(cast, review):
    signed(cast, review, ENOUGH)
    give_role(cast, review.initiative, "sponsor", cast.seat_security)


def _who_is_proposed_for_a_role(cast, review):
    signed(cast, review, ENOUGH)
    give_role(cast, review.initiative, "sponsor", cast.seat_security, accept=False)


def _who_never_sat_there(cast, review):
    signed(cast, review, MUST)
    signed_by(review, cast.outsider, SECURITY)


# By initiative: how the sign-offs come about, and whether they are enough.
QUORUM = {
    "three seats, both named ones among them": (_seats(*ENOUGH), True),
    "all seats that sign there": (_seats(*ENOUGH, ARCHITECTURE, ADOPTION), True),
    "nobody": (_seats(), False),
    "two seats": (_seats(*MUST), False),
    "three seats, a named one missing": (_seats(RISK, SECURITY, ARCHITECTURE), False),
    "all seats but a named one": (_seats(VALUE, SECURITY, ARCHITECTURE, ADOPTION), False),
    "a seat that does not sign at this gate": (_seats(*MUST, OPERATIONS), False),
    "an approval with a condition": (_conditions, True),
    "a seat that recused itself": (_recused, False),
    "a named seat that recused itself": (_one_of_a_missing_seat_recused, False),
    "a seat that signed twice": (_changed(), True),
    "a seat that withdrew its sign-off": (_changed(verdict="withdrawn"), False),
    "a seat that recused itself afterwards": (_changed(verdict="recuse", reason="My vendor."), False),
    "an objection to what blocks": (_objected(BLOCKING), False),
    "an objection to what is advised": (_objected(ADVISORY), True),
    "an objection of a seat that does not sign at this gate": (_objected(BLOCKING, OPERATIONS), False),
    "an objection from long ago": (_objected(BLOCKING, at=lambda: long_ago()), False),
    "two seats of one person": (_two_seats_of_one_person, False),
    "two seats of one person beside enough others": (_two_seats_of_one_person_beside_enough, True),
    "two accounts of one person": (_two_accounts_of_one_person, False),
    "a delegate": (_a_delegate, True),
    "a sign-off that is too old": (_too_old, False),
    "somebody whose seat ended": (_whose_seat_ended, False),
    "somebody who is no longer active": (_who_left, False),
    "somebody who took a role": (_who_took_a_role, False),
    "somebody who is proposed for a role": (_who_is_proposed_for_a_role, False),
    "somebody who never sat there": (_who_never_sat_there, False),
}
# Which the verifier takes for enough: it reads no pairs of accounts.
UNJUDGED = {"two accounts of one person"}


def test_judgement_database_and_verifier_agree_on_every_quorum(cast, review):
    for words, (arrange, enough) in QUORUM.items():
        with story.undone():
            arrange(cast, review)
            agrees(cast, review, words, enough)


def agrees(cast, review, words, enough):
    """The review is decidable or not, the database takes the decision or not, the verifier finds it or not.

    Of the verifier only what judges recorded changes is asked: all else is right in each of these.
    """
    assert story.snapshot(review).verdict.decidable == enough, f"{words}: {story.blockers(review)}"
    if enough:
        with story.undone():
            past_the_act(review, cast.chair)
    else:
        with pytest.raises(Refused):
            review_actions.decide(review=review, outcome="approved", reason="Go.", by=cast.chair)
        with pytest.raises(DatabaseError) as caught:
            pytest.fail(f"{words}: the database took {past_the_act(review, cast.chair)}")
        assert caught.value.__cause__.sqlstate == "PL013", words

    with an_hour_later():
        unguarded_writes.approve(review, by=cast.chair, sign_offs=review.sign_offs.all())
        with an_hour_later():
            judge = entry_judgement.judge("default")
            found = {(one.table, one.key, one.field) for one in entry_judgement.breaches(judge, 0)}
    judged = ("initiatives_review", str(review.pk), "outcome") not in found
    assert judged == (enough or words in UNJUDGED), f"{words}: {found}"
