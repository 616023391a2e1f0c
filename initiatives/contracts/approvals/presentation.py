"""The part of a review's page about approvals."""

from governance import clock
from governance.vocabulary import Stage
from initiatives.contracts.approvals import queries
from initiatives.contracts.approvals.permissions import may_see_stamping
from initiatives.contributions import Part
from initiatives.models import Review


def given_unread(person, review: Review) -> Part | None:
    """Return signs of unread approvals, for the board of a production review."""
    gate = review.parsed_rulebook.gates[review.gate]
    if gate.to != Stage.PRODUCTION or not may_see_stamping(review.initiative, person):
        return None
    signs = [sign for sign in queries.signs_of(review.initiative, clock.now()) if sign.stands]
    if not signs:
        return None
    return Part("initiatives/approvals/_given_unread.html", {"initiative": review.initiative, "signs": signs})
