"""Pages of people on an initiative: propose, accept, decline, accept again, end."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Subquery
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from governance import clock
from governance.models import Absence, User
from governance.permission_result import Answer, Conflict, no, yes
from governance.vocabulary import Role
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import label, phrase
from governance.web.middleware import on_any_day
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.initiative_frame import (
    acted,
    ask,
    initiative_context,
    page_of,
    sent,
)
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, RowAct
from initiatives.lifecycle.roles import actions
from initiatives.lifecycle.roles.actions import ROLE_DUTIES, acceptance_facts, acceptance_words
from initiatives.lifecycle.roles.forms import AcceptForm, DeclineForm, ProposeForm
from initiatives.models import RoleAssignment


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


@sensitive_post_parameters("password")
def propose(request, ref):
    """Propose a person for a role. The person answers for themselves."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_propose_role(initiative, request.user).or_refuse()
    wanted = request.GET.get("role", "")
    held = {row.role for row in initiative.roles.open()}
    vacant = [role for role in Role if role not in held or role in request.POST]
    form: ProposeForm = ProposeForm(
        sent(request),
        initiative=initiative,
        roles={role: ROLE_DUTIES[role] for role in ([wanted] if wanted in Role else vacant or Role)},
        request=request,
        purpose=f"accept a role on {initiative.ref}",
        facts=lambda: {
            "accepted": [
                acceptance_words(initiative, role)
                for role, person in form.chosen.items()
                if person == request.user
            ]
        },
    )
    if acted(
        request,
        form,
        lambda: actions.propose_roles(initiative=initiative, people=form.chosen, by=request.user),
    ):
        asked = [str(person) for person in form.chosen.values() if person != request.user]
        words = ["You accepted the role with this signature."] if len(asked) < len(form.chosen) else []
        if asked:
            verb = "is" if len({*asked}) == 1 else "are"
            words = [f"{' and '.join(dict.fromkeys(asked))} {verb} asked to accept.", *words]
        messages.success(request, " ".join(words))
        return redirect("people", initiative.ref)
    return ask(
        request,
        initiative,
        "people",
        form,
        title=_("Propose people") if len(form.roles) > 1 else _("Propose a person"),
        lede=_(
            "A role takes effect after the person has accepted it. After the proposal, approvals of this "
            "person no longer count."
        ),
        verb=_("Propose"),
        back_url=reverse("people", args=[initiative.ref]),
    )


ASSIGNMENTS = RoleAssignment.objects.select_related("initiative__unit", "initiative__contract", "person")


def _assignment(request, pk: int) -> RoleAssignment:
    """Return the role on a visible initiative. The proposed person sees the initiative."""
    return initiative_lookup.of_initiative(ASSIGNMENTS, request.user, pk)


def holder_of(row: RoleAssignment) -> int | None:
    """Return the key of the present holder of the role, or None."""
    held = initiative_permissions.accepted(row.initiative, row.role)
    return held.person_id if held is not None else None


def _acceptance(request, row: RoleAssignment) -> AcceptForm:
    """Return the form that accepts a role."""
    purpose = f"accept the role {row.get_role_display().lower()} on {row.initiative.ref}"
    return AcceptForm(
        sent(request),
        request=request,
        purpose=purpose,
        facts=lambda: acceptance_facts(row, holder_of(row)),
    )


@sensitive_post_parameters("password")
def role(request, pk):
    """Show the words that a role's acceptance covers, and accept it in person."""
    row = _assignment(request, pk)
    initiative = row.initiative
    words = acceptance_words(initiative, row.role)
    mine = row.person_id == request.user.pk
    open_ = not (row.accepted_at or row.declined_at or row.ended_at)
    answer = initiative_permissions.may_accept_role(row, request.user)
    if request.method == "POST" and not (answer and open_):
        with act("accept role", by=request.user, initiative=initiative):
            answer.or_refuse()
            raise Conflict("This proposal was already answered, or it has ended.")
    form = _acceptance(request, row)
    if request.method == "POST" and form.is_valid():
        try:
            actions.accept_role(assignment=row, words=form.cleaned_data["words"], by=request.user)
        except ValidationError as error:
            put_errors(form, error)
        else:
            messages.success(
                request,
                phrase(
                    "You are now {} of {}.", label(row.get_role_display(), inside=True), initiative.ref
                ).in_language(),
            )
            return redirect("people", initiative.ref)
    if answer and not open_:
        answer = no(
            "This proposal was already answered, or it has ended.", "Ask the owner to propose you again."
        )
    return ask(
        request,
        initiative,
        "people",
        form,
        template="initiatives/roles/role_accept.html",
        title=_("%(get_role_display)s: %(person)s")
        % {"get_role_display": row.get_role_display(), "person": row.person},
        role=row,
        words=words,
        mine=mine,
        may_answer=answer,
        waiting=RoleAssignment.objects.to_accept(request.user).count() if mine and open_ else 0,
        back_url=reverse("people", args=[initiative.ref]),
    )


def decline(request, pk):
    """Decline a role, in person."""
    row = _assignment(request, pk)
    initiative_permissions.may_answer_role(row, request.user).or_refuse()
    form = DeclineForm(sent(request))
    if request.method == "POST" and form.is_valid():
        actions.decline_role(assignment=row, reason=form.cleaned_data["reason"], by=request.user)
        messages.success(request, _("You declined the role. The person who asked you sees your answer."))
        return redirect("inbox")
    return ask(
        request,
        row.initiative,
        "people",
        form,
        title=_("Decline: %(get_role_display)s") % {"get_role_display": row.get_role_display()},
        happens=[f"{row.proposed_by} must find someone else as {row.get_role_display().lower()}."],
        verb=_("Decline the role"),
        back_url=reverse("role", args=[row.pk]),
    )


@sensitive_post_parameters("password")
def again(request, pk):
    """Accept a held role again, so that the acceptance is fresh."""
    row = _assignment(request, pk)
    initiative_permissions.may_accept_role(row, request.user).or_refuse()
    if not row.accepted_at or row.ended_at:
        raise Http404("Only a current role can be accepted again.")
    form = _acceptance(request, row)
    if request.method == "POST" and form.is_valid():
        actions.reaccept_role(assignment=row, words=form.cleaned_data["words"], by=request.user)
        messages.success(request, _("Accepted again, as of today."))
        return redirect("people", row.initiative.ref)
    return ask(
        request,
        row.initiative,
        "people",
        form,
        title=_("Accept again: %(get_role_display)s") % {"get_role_display": row.get_role_display()},
        lede=row.accepted_words or acceptance_words(row.initiative, row.role),
        happens=[
            _("Your acceptance counts as evidence from today. The earlier acceptance stays in the activity.")
        ],
        verb=_("Accept the role again"),
        back_url=reverse("people", args=[row.initiative.ref]),
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
