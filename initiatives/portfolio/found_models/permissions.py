"""Permissions of found models: to read which were found, and to answer them."""

from django.db.models import QuerySet

from governance.models import User
from governance.people.boards import board_for, chair_now
from governance.permission_result import Answer, no, yes
from governance.vocabulary import FoundAnswer
from governance.vocabulary.phrases import phrase
from initiatives.models import FoundModel
from initiatives.portfolio.intake.permissions import may_look as may_look_at_intake
from initiatives.portfolio.intake.permissions import units_for


def may_look(person: User) -> Answer:
    """Read which models were found: admins and chairs."""
    if may_look_at_intake(person):
        return yes()
    return no("Only admins and chairs can see found models.", "Ask an admin or a chair.")


def found_for(person: User) -> QuerySet[FoundModel]:
    """Return the found models that the person reads. A chair reads those of the board's units."""
    return FoundModel.objects.filter(unit__in=units_for(person).order_by().values("pk"))


def may_answer(found: FoundModel, person: User) -> Answer:
    """Answer for a found model: the chair of its unit's board, or the deputy."""
    if found.answer != FoundAnswer.WAITING:
        return no(phrase("{} is already answered.", found), "Read the answer on the page of the model.")
    chair = chair_now(board_for(found.unit))
    if chair is not None and chair.pk == person.pk and person.is_active:
        return yes()
    return no(
        phrase("Only the chair of the board of {} can answer for {}.", found.unit, found),
        phrase("Ask {}.", chair) if chair else "Ask an admin to fill the seat of the chair.",
    )
