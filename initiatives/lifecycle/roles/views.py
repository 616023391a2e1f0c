"""Pages of people on an initiative: propose, accept, decline, accept again, end."""

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import clock
from governance.models import Absence, User
from governance.permission_result import Answer, no, yes
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Role
from governance.vocabulary.phrases import label, phrase
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import initiative_lookup, roles_and_seats
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import (
    initiative_context,
    page_of,
)
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, ROW_ACTS, PageStep, RowAct
from initiatives.lifecycle.roles import actions
from initiatives.lifecycle.roles import permissions as role_permissions
from initiatives.lifecycle.roles.actions import ROLE_DUTIES, acceptance_facts, acceptance_words
from initiatives.lifecycle.roles.forms import AcceptForm, DeclineForm, ProposeForm
from initiatives.models import Initiative, RoleAssignment


@on_any_day(initiative_lookup.initiative_on_any_day)
def people(request, ref):
    """Show every role with its holder, proposed person and earlier holders."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    absent = Absence.objects.at(clock.now()).filter(person=OuterRef("person")).values("ends_at")[:1]
    rows = list(initiative.roles.select_related("person", "proposed_by").annotate(back_on=Subquery(absent)))
    live = [row for row in rows if not row.ended_at and not row.declined_at]
    past = sorted((row for row in rows if row not in live), key=lambda row: row.pk, reverse=True)
    context = initiative_context(request, initiative, "people")
    context |= {
        "title": _("People"),
        "roles": [
            (role, words, ROLE_DUTIES[role], [row for row in live if row.role == role])
            for role, words in Role.choices
        ],
        "page": page_of(request, past),
    }
    return render(request, "initiatives/roles/people.html", context)


def _to_propose(initiative: Initiative, request: SignedInRequest) -> dict:
    """Return the roles that the form asks for: the one of the address, else those without a holder."""
    wanted = request.GET.get("role", "")
    held = {row.role for row in initiative.roles.open()}
    vacant = [role for role in Role if role not in held or role in request.POST]
    asked = [wanted] if wanted in Role else vacant or Role
    return {
        "initiative": initiative,
        "roles": {role: ROLE_DUTIES[role] for role in asked},
        "request": request,
        "purpose": f"accept a role on {initiative.ref}",
    }


def _tell_asked(request: SignedInRequest, made: list[RoleAssignment]) -> None:
    asked = [str(row.person) for row in made if row.person_id != request.user.pk]
    words = ["You accepted the role with this signature."] if len(asked) < len(made) else []
    if asked:
        verb = "is" if len({*asked}) == 1 else "are"
        words = [f"{' and '.join(dict.fromkeys(asked))} {verb} asked to accept.", *words]
    messages.success(request, " ".join(words))


INITIATIVE_ACTS["role-propose"] = PageStep(
    may=initiative_permissions.may_propose_role,
    act=actions.propose_roles,
    form=ProposeForm,
    given=_to_propose,
    fields=lambda form: {"people": form.chosen},
    then=_tell_asked,
    page="people",
    title=gettext_lazy("Propose people"),
    lede=gettext_lazy(
        "A role takes effect after the person has accepted it. After the proposal, approvals of this "
        "person no longer count."
    ),
    verb=gettext_lazy("Propose"),
    done="",
)


ASSIGNMENTS = RoleAssignment.objects.select_related(
    "initiative__unit", "initiative__contract", "person", "proposed_by"
)


def holder_of(row: RoleAssignment) -> int | None:
    """Return the key of the present holder of the role, or None."""
    held = roles_and_seats.accepted(row.initiative, row.role)
    return held.person_id if held is not None else None


def _signed(row: RoleAssignment, request: SignedInRequest) -> dict:
    """Return what the signature on an acceptance covers."""
    return {
        "purpose": f"accept the role {row.get_role_display().lower()} on {row.initiative.ref}",
        "facts": lambda: acceptance_facts(row, holder_of(row)),
        "shows": None,
    }


def _accepting(row: RoleAssignment, request: SignedInRequest) -> dict:
    """Return what the page of a role shows besides its form."""
    mine = row.person_id == request.user.pk
    open_ = not (row.accepted_at or row.declined_at or row.ended_at)
    answer = role_permissions.may_accept_role(row, request.user)
    if answer and not open_:
        answer = no(
            "This proposal was already answered, or it has ended.", "Ask the owner to propose you again."
        )
    return {
        "role": row,
        "words": acceptance_words(row.initiative, row.role),
        "mine": mine,
        "may_answer": answer,
        "waiting": RoleAssignment.objects.to_accept(request.user).count() if mine and open_ else 0,
    }


ROW_ACTS["roles/accept"] = RowAct(
    rows=ASSIGNMENTS,
    may=role_permissions.may_accept_role,
    may_open=lambda row, person: yes(),
    act=actions.accept_role,
    noun="assignment",
    page="people",
    form=AcceptForm,
    given=_signed,
    signed=AcceptForm.act,
    template="initiatives/roles/role_accept.html",
    context=_accepting,
    title=lambda row: phrase("{}: {}", label(row.get_role_display()), row.person),
    verb=gettext_lazy("Accept the role"),
    done=lambda row: phrase(
        "You are now {} of {}.", label(row.get_role_display(), inside=True), row.initiative.ref
    ),
)
ROW_ACTS["roles/decline"] = RowAct(
    rows=ASSIGNMENTS,
    may=role_permissions.may_answer_role,
    act=actions.decline_role,
    noun="assignment",
    page="people",
    form=DeclineForm,
    back=lambda row: reverse("row-act", args=["roles", row.pk, "accept"]),
    after=lambda row, made, person: reverse("inbox"),
    title=lambda row: phrase("Decline: {}", label(row.get_role_display())),
    happens=(lambda row: f"{row.proposed_by} must find someone else as {row.get_role_display().lower()}.",),
    verb=gettext_lazy("Decline the role"),
    done=gettext_lazy("You declined the role. The person who asked you sees your answer."),
)


def _may_accept_again(row: RoleAssignment, person: User) -> Answer:
    may = role_permissions.may_accept_role(row, person)
    held = row.accepted_at and not row.ended_at
    return may if held or not may else no("Only a current role can be accepted again.")


ROW_ACTS["roles/accept-again"] = RowAct(
    rows=ASSIGNMENTS,
    may=_may_accept_again,
    act=actions.reaccept_role,
    noun="assignment",
    page="people",
    form=AcceptForm,
    given=_signed,
    signed=AcceptForm.act,
    title=lambda row: phrase("Accept again: {}", label(row.get_role_display())),
    lede=lambda row: row.accepted_words or acceptance_words(row.initiative, row.role),
    happens=(
        gettext_lazy(
            "Your acceptance counts as evidence from today. The earlier acceptance stays in the activity."
        ),
    ),
    verb=gettext_lazy("Accept the role again"),
    done=gettext_lazy("Accepted again, as of today."),
)


def _may_revoke(row: RoleAssignment, person: User) -> Answer:
    return (
        yes()
        if row.person_id == person.pk
        else initiative_permissions.may_propose_role(row.initiative, person)
    )


ROW_ACTS["roles/revoke"] = RowAct(
    rows=ASSIGNMENTS,
    may=_may_revoke,
    act=actions.revoke_role,
    noun="assignment",
    page="people",
    title=lambda row: f"Revoke the role: {row.get_role_display()}",
    happens=(
        lambda row: (
            f"{row.person} stops being {row.get_role_display().lower()} of {row.initiative.ref} at once."
        ),
        lambda row: (
            f"{row.person} can then read only what everyone in the unit can read, and the obligations that "
            "are still due from them."
        ),
    ),
    danger=True,
    verb=lambda row: _("Revoke the role") if row.accepted_at else _("Withdraw the proposal"),
    done=lambda row: f"{row.person} is no longer {row.get_role_display().lower()}.",
)
