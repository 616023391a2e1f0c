"""Cases before a gate, with an open review: what the tests of the board's pages start from."""

from adoption.demo import case_acts
from initiatives.models import Review
from initiatives.reviews import actions as review_actions
from tests.support import factories
from tests.support.database import snapshots


def before_prototype(cast, **fields) -> Review:
    """An idea before its light gate, everything answered; one seat signs there."""

    def build() -> Review:
        case = factories.make_case(cast, **fields)
        case_acts.parts(case, cast.team)
        case_acts.ground_gate(case, "prototype", cast.team)
        return review_actions.open_review(case=case_acts.fresh(case), by=cast.owner)

    return _anew(snapshots.remembered(f"before prototype {fields}", build))


def before_mvp(cast) -> Review:
    """A prototype before the MVP gate, everything grounded, nobody has voted."""

    def build() -> Review:
        case = factories.make_prototype(cast)
        case_acts.staff(case, cast.team)
        case_acts.contract(case_acts.fresh(case), cast.team)
        case_acts.plan_scope(case, cast.team)
        case_acts.ground_gate(case, "mvp", cast.team)
        return review_actions.open_review(case=case_acts.fresh(case), by=cast.owner)

    return _anew(snapshots.remembered("before mvp", build))


def voted(cast) -> Review:
    """The same with every seat's approval fresh: the chair can decide."""

    def build() -> Review:
        review = before_mvp(cast)
        case_acts.votes(review, cast.team)
        return review

    return _anew(snapshots.remembered("voted", build))


def _anew(review: Review) -> Review:
    """The row as it stands now: what a snapshot keeps carries what somebody read of it then."""
    return Review.objects.get(pk=review.pk)
