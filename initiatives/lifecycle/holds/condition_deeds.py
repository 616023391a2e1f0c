"""Deeds on the conditions of a decision: declare that a condition is met, or find that it is not."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.audit_log.deed import EntryOf
from governance.gates.separation_of_duties import said
from governance.models import User
from governance.people.boards import board_for, members_now
from governance.permission_result import Answer, ended, no, yes
from governance.vocabulary import Role
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import WordsField
from initiatives.lifecycle.access import roles_and_seats, signers
from initiatives.lifecycle.access.signers import accounts_of
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.page_steps import deed
from initiatives.lifecycle.reminders.telling import tell
from initiatives.models import Condition, SignOff

FIXED = EntryOf(
    EntryKind.CONDITION_FIXED,
    "fixed a condition for {owner}, due {due:day}: {text}",
    lambda condition: {
        "review": condition.review_id,
        "text": condition.text,
        "owner": condition.owner.full_name,
        "due": condition.due,
    },
)


def may_meet(condition: Condition, person: User) -> Answer:
    """Allow the owner of a condition, and of the initiative, to declare it met."""
    owns = condition.owner_id == person.pk
    return yes() if owns else initiative_permissions.may_manage(condition.review.initiative, person)


def seats_that_set(condition: Condition) -> tuple[str, ...]:
    """Return the seats whose condition this is: that of the signer who proposed it, or none if the chair set it."""
    row = (
        SignOff.objects.filter(
            review=condition.review_id, person=condition.proposed_by_id, condition__isnull=False
        )
        .order_by("-pk")
        .first()
    )
    return (row.seat,) if row is not None else ()


def may_judge(condition: Condition, person: User) -> Answer:
    """Allow the acting chair, or the seat that set a condition, to open it again. The team may not."""
    initiative = condition.review.initiative
    if condition.met_at is None:
        return no("This condition is open.", "Wait until the person responsible declares that it is met.")
    if initiative.closed:
        return no(phrase("This initiative is {} and can no longer change.", initiative.stage))
    if accounts_of(person) & {condition.owner_id, condition.met_by_id}:
        return no(
            "You had to meet this condition, so you cannot judge it.",
            "Ask the chair or the seat that set it.",
        )
    if reasons := signers.barred_from_signing(initiative, person):
        return no(said(reasons), "Ask the chair or the seat that set the condition.")
    if roles_and_seats.is_acting_chair(initiative, person) or roles_and_seats.memberships_on(
        initiative, person, seats_that_set(condition)
    ):
        return yes()
    return no(
        "Only the chair, or the seat that set the condition, can judge it.",
        "Ask the chair or the holder of that seat.",
    )


def _link(condition: Condition) -> str:
    return f"{condition.review.get_absolute_url()}#conditions"


def _tell_judges(condition: Condition, by: User) -> None:
    """Notify those who can judge the condition: the seat that set it, and who decides now."""
    initiative = condition.review.initiative
    members = members_now(board_for(initiative.unit))
    chair, _capacity = roles_and_seats.acting_chair(initiative, members)
    seats = seats_that_set(condition)
    judges = {member.person_id: member.person for member in members if member.seat in seats}
    if chair is not None:
        judges[chair.pk] = chair
    tell(
        initiative,
        [person for person in judges.values() if may_judge(condition, person)],
        "condition met",
        f"condition:{condition.pk}",
        "a condition is declared met",
        period=condition.met_at.isoformat(timespec="seconds"),
        text=(
            f"{condition.met_by} declares the condition “{condition.text}” met: {ended(condition.met_note)} If the "
            "condition is not met, give the reason on the page of the review."
        ),
        link=_link(condition),
    )


class NoteForm(forms.Form):
    """The evidence that a condition is met."""

    note = WordsField(
        label=_("How is the condition met?"), max_length=4000, help_text=_("Name the evidence.")
    )


CONDITION: dict = {
    "rows": Condition.objects.select_related("owner", "met_by", "review__initiative__unit"),
    "of": "review",
    "noun": "condition",
    "page": "review-open",
    "back": lambda row: row.review.get_absolute_url(),
    "supports": True,
}


@deed(
    "conditions/meet",
    **CONDITION,
    may=may_meet,
    ended=lambda condition: "This condition was already met." if condition.met_at else "",
    entry=EntryOf(
        EntryKind.CONDITION_MET,
        "met the condition “{text}”: {note}",
        lambda condition: {"text": condition.text, "note": condition.met_note},
    ),
    reason="note",
    then=_tell_judges,
    form=NoteForm,
    title=_("Meet a condition"),
    happens=(lambda row: f"“{row.text}” counts as met from now on and no longer blocks decisions.",),
    verb=_("Mark the condition as met"),
    done=_("The condition is met."),
)
def meet_condition(condition: Condition, *, note: str, by: User) -> None:
    """Record that a condition is met, with evidence, as its owner or the initiative's."""
    if not note.strip():
        raise ValidationError({"note": "Write what shows that the condition is met."})
    condition.met_at, condition.met_by, condition.met_note = clock.now(), by, note.strip()
    condition.save()


def _tell_who_meets(condition: Condition, declared: User | None, by: User) -> None:
    """Notify the person who declared the condition met, and those who have to meet it."""
    initiative = condition.review.initiative
    owner = roles_and_seats.accepted(initiative, Role.OWNER)
    tell(
        initiative,
        {
            person.pk: person
            for person in (condition.owner, declared, owner.person if owner else None)
            if person
        }.values(),
        "condition not met",
        f"condition:{condition.pk}",
        "a condition is not met",
        period=condition.not_met_at.isoformat(timespec="seconds"),
        text=(
            f"{by} finds that the condition “{condition.text}” is not met: {ended(condition.not_met_reason)} "
            f"The condition is open again, due on {condition.due:%-d %B %Y}."
        ),
        link=_link(condition),
        due_on=condition.due,
    )


@deed(
    "conditions/reopen",
    **CONDITION,
    may=may_judge,
    entry=EntryOf(
        EntryKind.CONDITION_NOT_MET,
        "found that the condition “{text}” is not met: {why}",
        lambda condition: {"text": condition.text, "why": condition.not_met_reason},
    ),
    title=_("A condition is not met"),
    happens=(
        lambda row: f"{row.met_by} wrote: {row.met_note}",
        lambda row: f"“{row.text}” is open again. If it is overdue, it blocks decisions.",
    ),
    verb=_("Record that the condition is not met"),
    done=lambda row: phrase("The condition is open again. {} was notified.", row.owner),
)
def reopen_condition(condition: Condition, *, reason: str, by: User) -> None:
    """Record that a condition is not met, as the chair or the seat that set it. The condition is open again."""
    if not reason.strip():
        raise ValidationError({"reason": "Write what is missing."})
    declared = condition.met_by
    condition.met_at, condition.met_by, condition.met_note = None, None, ""
    condition.not_met_at, condition.not_met_by, condition.not_met_reason = clock.now(), by, reason.strip()
    condition.save()
    _tell_who_meets(condition, declared, by)
