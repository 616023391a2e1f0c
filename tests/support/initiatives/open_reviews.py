"""Initiatives before a gate, with an open review: what the tests of the board's pages start from."""

from adoption.demo import initiative_acts
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Review
from tests.support import factories
from tests.support.database import snapshots


def before_prototype(cast, **fields) -> Review:
    """An idea before its light gate, everything answered; one seat signs there."""

    def build() -> Review:
        initiative = factories.make_initiative(cast, **fields)
        initiative_acts.parts(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "prototype", cast.team)
        return review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)

    return _anew(snapshots.remembered(f"before prototype {fields}", build))


def before_mvp(cast) -> Review:
    """A prototype before the MVP gate, everything grounded, nobody has signed off."""

    def build() -> Review:
        initiative = factories.make_prototype(cast)
        initiative_acts.staff(initiative, cast.team)
        initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
        initiative_acts.plan_scope(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "mvp", cast.team)
        return review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)

    return _anew(snapshots.remembered("before mvp", build))


def signed_off(cast) -> Review:
    """The same with every seat's approval fresh: the chair can decide."""

    def build() -> Review:
        review = before_mvp(cast)
        initiative_acts.sign_offs(review, cast.team)
        return review

    return _anew(snapshots.remembered("signed_off", build))


def _anew(review: Review) -> Review:
    """The row as it stands now: what a snapshot keeps carries what somebody read of it then."""
    return Review.objects.get(pk=review.pk)
