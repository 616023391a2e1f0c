"""Cases before a gate, with an open review: what the tests of the board's pages start from."""

from adoption.demo import life
from initiatives import actions
from initiatives.models import Review
from tests import factories


def before_prototype(cast, **fields) -> Review:
    """An idea before its light gate, everything answered; one seat signs there."""
    case = factories.make_case(cast, **fields)
    life.parts(case, cast.team)
    life.ground_gate(case, "prototype", cast.team)
    return actions.open_review(case=life.fresh(case), by=cast.owner)


def before_mvp(cast) -> Review:
    """A prototype before the MVP gate, everything grounded, nobody has voted."""
    case = factories.make_prototype(cast)
    life.staff(case, cast.team)
    life.contract(life.fresh(case), cast.team)
    life.plan_scope(case, cast.team)
    life.ground_gate(case, "mvp", cast.team)
    return actions.open_review(case=life.fresh(case), by=cast.owner)


def voted(cast) -> Review:
    """The same with every seat's approval fresh: the chair can decide."""
    review = before_mvp(cast)
    life.votes(review, cast.team)
    return review
