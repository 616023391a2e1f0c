"""The page of all roles that wait for the reader, signed together."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.identity.proofs import demands
from governance.identity.proofs.batch_forms import Row
from governance.models import User
from governance.people import cooling_off
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.lifecycle.roles import actions
from initiatives.lifecycle.roles.forms import AcceptSeveralForm
from initiatives.models import Handover, RoleAssignment


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def waiting(request: SignedInRequest) -> HttpResponse:
    """Show the roles that wait for this person. Ticked ones are all accepted, or none."""
    person = request.user
    may = cooling_off.may_lift(person)
    roles = list(RoleAssignment.objects.to_accept(person))
    holders = _holders(roles)
    form = AcceptSeveralForm(
        sent(request),
        rows=_rows(roles, holders, person),
        all_ticked=request.GET.get("tick") == "all",
        request=request,
        purpose="accept roles",
    )
    if request.method == "POST":
        may.or_refuse()
        if form.is_valid():
            chosen = [row for row in roles if row.pk in form.proofs]
            actions.accept_roles(assignments=chosen, proofs=form.proofs, by=person)
            words = ngettext("You accepted %(count)s role.", "You accepted %(count)s roles.", len(chosen))
            messages.success(request, words % {"count": len(chosen)})
            return redirect("roles-to-accept" if len(chosen) < len(roles) else "inbox")
    context = {
        "nav": "inbox",
        "form": form,
        "may": may,
        "rows": [
            {
                "row": row,
                "duty": actions.ROLE_DUTIES[row.role],
                "holder": holders.get((row.initiative_id, row.role)),
                "ticked": row.pk in form.ticked,
                "why_not": form.rows[row.pk].why_not,
                "statement": form.statement_of(row.pk),
            }
            for row in roles
        ],
        "handovers": Handover.objects.waiting().filter(successor=person).exists(),
    }
    return render(request, "initiatives/roles/roles_to_accept.html", context, status=form.status)


def _holders(roles: list[RoleAssignment]) -> dict[tuple[int, str], User]:
    """Return the present holder of each of these roles."""
    held = RoleAssignment.objects.in_force().filter(initiative__in={row.initiative_id for row in roles})
    return {(row.initiative_id, row.role): row.person for row in held.select_related("person")}


def _rows(roles: list[RoleAssignment], holders: dict, person: User) -> dict[int, Row]:
    """Return by key the signed content of each role, in the order of the page."""
    why_not = demands.why_not_by_tier(person, AcceptSeveralForm.act, [row.initiative.tier for row in roles])
    found = {}
    for row in roles:
        initiative, holder = row.initiative, holders.get((row.initiative_id, row.role))
        role = row.get_role_display().lower()
        found[row.pk] = Row(
            label=_("%(role)s of %(ref)s") % {"role": row.get_role_display(), "ref": initiative.ref},
            purpose=f"accept the role {role} on {initiative.ref}",
            facts=actions.acceptance_facts(row, holder.pk if holder else None),
            tier=initiative.tier,
            why_not=why_not[initiative.tier],
        )
    return found
