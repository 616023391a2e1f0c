"""Pages to hand over all that a person holds on initiatives, and to take over."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.identity.proofs import demands
from governance.identity.proofs.batch_forms import Row
from governance.models import Membership, User
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import sign_offs_lost
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.lifecycle.roles import handover_queries, handovers
from initiatives.lifecycle.roles import permissions as role_permissions
from initiatives.lifecycle.roles.actions import acceptance_words
from initiatives.lifecycle.roles.handover_forms import AnswerForm, HandoverForm
from initiatives.models import Handover, Obligation, RoleAssignment

TAKES = ["GET", "HEAD", "POST"]


@require_http_methods(TAKES)
def propose(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show all that the person holds, then the effects, then hand over."""
    # A person without the permission does not learn if this number exists, nor whose it is.
    seen = User.objects.all() if request.user.is_admin else User.objects.filter(pk=request.user.pk)
    person = get_object_or_404(seen, pk=pk)
    role_permissions.may_hand_over(person, request.user).or_refuse()
    if "withdraw" in request.POST:
        return _withdraw(request, person)
    parts = handover_queries.parts_of(person)
    people = list(User.objects.active().exclude(pk=person.pk).select_related("unit"))
    form = HandoverForm(sent(request), parts=parts, people=people)
    effects = None
    if request.method == "POST" and form.is_valid():
        chosen = form.chosen
        if not chosen:
            form.add_error(None, "Name a successor for at least one initiative.")
        elif request.POST.get("step") == "look":
            effects = handover_queries.keeps_from(chosen)
        else:
            try:
                rows = handovers.propose_handover(
                    person=person,
                    chosen={part.initiative: successor for part, successor in chosen},
                    reason=form.cleaned_data["reason"],
                    by=request.user,
                )
            except ValidationError as wrong:
                put_errors(form, wrong)
            else:
                asked = len({row.successor_id for row in rows})
                who = rows[0].successor if asked == 1 else f"{asked} people"
                messages.success(request, f"{who} {'is' if asked == 1 else 'are'} asked to take over.")
                return redirect("handover", person.pk)
    sign_offs = sign_offs_lost()
    context = {
        "nav": "away",
        "person": person,
        "own": person == request.user,
        "form": form,
        "people": [(one, sign_offs.get(one.pk, "")) for one in people],
        "effects": effects,
        "seats": Membership.objects.held_at(clock.now()).filter(person=person).select_related("board"),
        "obligations": Obligation.objects.open().filter(responsible=person).select_related("initiative"),
    }
    return render(request, "initiatives/roles/handover.html", context)


def _withdraw(request, person: User) -> HttpResponse:
    wanted = request.POST["withdraw"]
    key = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 else 0
    row = get_object_or_404(Handover, pk=key, person=person)
    handovers.withdraw_handover(handover=row, by=request.user)
    messages.success(
        request, phrase("{} is no longer asked for {}.", row.successor, row.initiative.ref).in_language()
    )
    return redirect("handover", person.pk)


@sensitive_post_parameters("password")
@require_http_methods(TAKES)
def offered(request: SignedInRequest) -> HttpResponse:
    """Show this person's handovers, and answer the ticked ones together."""
    rows = list(
        Handover.objects.waiting()
        .filter(successor=request.user)
        .select_related("person", "proposed_by", "initiative__unit")
        .order_by("person", "initiative")
    )
    shown = _with_words(rows)
    why_not = demands.why_not_by_tier(request.user, AnswerForm.act, [row.initiative.tier for row in rows])
    form = AnswerForm(
        sent(request),
        rows={one["row"].pk: _signed_row(one, why_not) for one in shown},
        all_ticked=True,
        request=request,
        purpose="take over initiatives",
    )
    if request.method == "POST" and form.is_valid():
        chosen = [row for row in rows if row.pk in form.cleaned_data["take"]]
        if request.POST.get("step") == "decline":
            handovers.decline_handovers(handovers=chosen, reason=form.cleaned_data["reason"], by=request.user)
            messages.success(request, _("You declined. The person who asked you is notified."))
        else:
            signed = [row for row in chosen if row.pk in form.proofs]
            handovers.accept_handovers(handovers=signed, proofs=form.proofs, by=request.user)
            count = len(signed)
            messages.success(request, f"You took over {count} initiative{'' if count == 1 else 's'}.")
        return redirect("handovers")
    rows_shown = [
        one | {"ticked": pk in form.ticked, "signed": form.rows[pk], "statement": form.statement_of(pk)}
        for one in shown
        for pk in [one["row"].pk]
    ]
    context = {"nav": "inbox", "form": form, "rows": rows_shown}
    return render(request, "initiatives/roles/handovers.html", context, status=form.status)


def _signed_row(one: dict, why_not: dict[str, str]) -> Row:
    """Return the signed facts of a handover."""
    row, part = one["row"], one["part"]
    initiative = row.initiative
    return Row(
        label=_("%(ref)s from %(person)s") % {"ref": initiative.ref, "person": row.person},
        purpose=f"take over {initiative.ref}",
        facts={
            "ref": initiative.ref,
            "stage": initiative.stage,
            "tier": initiative.tier,
            "handover": row.pk,
            "from": row.person_id,
            "asked by": row.proposed_by_id,
            "accepted": one["words"],
            "conditions": [[row.pk, row.text, row.due] for row in part.conditions] if part else [],
            "gaps": [[row.pk, row.text, row.due] for row in part.gaps] if part else [],
        },
        tier=initiative.tier,
        why_not=why_not[initiative.tier],
    )


def _with_words(rows: list[Handover]) -> list[dict]:
    """Return each handover with the words that it accepts, and its other parts."""
    initiatives = [row.initiative_id for row in rows]
    asked: dict[int, list[RoleAssignment]] = {}
    for role in RoleAssignment.objects.waiting().filter(handover__in=rows).order_by("role"):
        asked.setdefault(role.handover_id, []).append(role)
    parts = {
        (key, part.initiative.pk): part
        for key, person in {row.person_id: row.person for row in rows}.items()
        for part in handover_queries.parts_of(person, initiatives)
    }
    return [
        {
            "row": row,
            "words": [acceptance_words(row.initiative, role.role) for role in asked.get(row.pk, ())],
            "part": parts.get((row.person_id, row.initiative_id)),
        }
        for row in rows
    ]
