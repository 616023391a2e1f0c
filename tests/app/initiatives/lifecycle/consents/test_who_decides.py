"""Who worked on an initiative since its last decision does not decide it as chair: the deputy does."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from adoption.demo import initiative_acts
from governance import clock
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from governance.transparency_log import verification
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Review
from initiatives.portfolio.units import leaving
from tests.acceptance.walks import story
from tests.support import factories
from tests.support.attacks.unguarded_writes import an_hour_later, unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def review(cast):
    """The open review of an idea that everything is shown for."""
    initiative = initiative_acts.fresh(factories.make_initiative(cast))
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    return review_actions.open_review(initiative=initiative, by=cast.owner)


def _hand_over(cast, initiative):
    role = role_actions.propose_role(initiative=initiative, role="owner", person=cast.sponsor, by=cast.owner)
    role_actions.accept_role(assignment=role, by=cast.sponsor)


def _who_owned_it(cast, review):
    _hand_over(cast, review.initiative)
    return cast.owner


def _who_wrote_evidence(cast, review):
    role = role_actions.propose_role(
        initiative=review.initiative, role="technical_lead", person=cast.outsider, by=cast.owner
    )
    role_actions.accept_role(assignment=role, by=cast.outsider)
    requirement_actions.answer(
        initiative=story.fresh(review.initiative),
        requirement="proto.question",
        kind="answered",
        text="Whether a summary saves ten minutes.",
        by=cast.outsider,
    )
    role_actions.revoke_role(assignment=role, reason="Done", by=cast.owner)
    return cast.outsider


def _becomes_chair(cast, person):
    leaving.revoke_membership(
        membership=cast.board.memberships.get(person=cast.chair, seat="chair"), reason="Left", by=cast.admin
    )
    organisation_actions.appoint(board=cast.board, person=person, seat="chair", by=cast.admin)


def _decide(review, by):
    review_actions.decide(review=Review.objects.get(pk=review.pk), outcome="approved", reason="Go.", by=by)


@pytest.mark.parametrize(("arrange", "judged"), [(_who_owned_it, True), (_who_wrote_evidence, False)])
def test_who_worked_on_it_does_not_decide_and_the_deputy_does(cast, review, arrange, judged, monkeypatch):
    """The verifier finds former owners and who opened the review; it reads no authors of evidence."""
    person, initiative = arrange(cast, review), review.initiative
    _becomes_chair(cast, person)
    with clock.simulated(clock.now() + timedelta(days=2)):
        initiative_acts.sign_off(review, "business_value", cast.seat_value)
        assert roles_and_seats.acting_chair(story.fresh(initiative))[0] == cast.deputy_chair
        assert not initiative_permissions.may_raise(story.fresh(initiative), person)
        with pytest.raises(Refused, match="after its last decision"):
            _decide(review, person)
        with monkeypatch.context() as without, story.undone():
            for module in (initiative_permissions, roles_and_seats):
                without.setattr(module, "why_not_decide", lambda *given: "")
            with pytest.raises(DatabaseError, match="decided by the chair"), story.undone():
                _decide(review, person)
            with unguarded("initiatives_review"):
                _decide(review, person)
            with an_hour_later():
                found = {one.table for one in verification.verify().findings if one.place == "judged"}
            assert ("initiatives_review" in found) == judged
        _decide(review, cast.deputy_chair)
        initiative = story.fresh(initiative)
        assert initiative.stage == "prototype"
        assert roles_and_seats.acting_chair(initiative)[0] == person, "a decision later"


def test_a_former_owner_may_object_but_not_approve_until_the_next_decision(cast, review):
    _hand_over(cast, review.initiative)
    factories.make_seat(cast, cast.owner, "business_value")
    with clock.simulated(clock.now() + timedelta(days=2)):
        assert not initiative_permissions.may_sign(review, "business_value", cast.owner)
        assert initiative_permissions.may_sign(review, "business_value", cast.owner, verdict="object")
