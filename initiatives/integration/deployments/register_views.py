"""Pages of the register of components: all versions, and one version with what replacing it would end."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.integration.components import permissions, queries
from initiatives.integration.components.evaluations.presentation import shown
from initiatives.integration.components.findings import end_of
from initiatives.integration.components.forms import RegisterForm, ReplaceForm
from initiatives.integration.components.register import actions
from initiatives.integration.deployments.preview import of_replacing
from initiatives.integration.residency.views import found_or_404, one_act
from initiatives.lifecycle.initiative.initiative_frame import page_of, sent
from initiatives.models import ComponentVersion

NAV = "systems"
LOOKED_AT = 10  # initiatives a page of what replacing would end: each is worked out by the act itself


@require_safe
def components(request: SignedInRequest) -> HttpResponse:
    """Every component version with its end of life and the initiatives that run it."""
    page = page_of(request, queries.seen_by(request.user), 50)
    runs = queries.deployments_of(page, request.user)
    context = {
        "nav": NAV,
        "page": page,
        "rows": [{"component": row, "end": end_of(row), "runs": runs[row.pk]} for row in page],
        "may_add": permissions.may_keep_components(request.user),
    }
    return render(request, "initiatives/components/components.html", context)


@require_safe
def component(request: SignedInRequest, pk: int) -> HttpResponse:
    """One component version: what is said of it, who runs it, how it did there, what replacing it would end."""
    row = _component(request, pk)
    runs, keeps = (
        queries.deployments_of([row], request.user)[row.pk],
        permissions.may_keep_components(request.user),
    )
    form = ReplaceForm(
        request.GET if "successor" in request.GET else None,
        listed=queries.seen_by(request.user).filter(layer=row.layer),
        initial={"successor": row.successor_id},
    )
    successor = form.cleaned_data["successor"] if form.is_valid() else None
    page = page_of(request, [use for use in runs.uses if use.runs_to is None], LOOKED_AT)
    context = {
        "nav": NAV,
        "component": row,
        "end": end_of(row),
        "runs": runs,
        "predecessors": list(queries.seen_by(request.user).filter(successor=row)),
        "evaluations": shown(queries.evaluations_of(row, request.user)),
        "may_change": keeps,
        # Who proposed it may be of a confidential initiative.
        "names_adder": keeps or row.confirmed_at is not None or row.added_by == request.user,
        "form": form,
        "successor": successor,
        "page": page,
        "found": [of_replacing(use, successor, by=request.user) for use in page] if form.is_valid() else [],
    }
    return render(request, "initiatives/components/component.html", context)


def keep(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """List a version of a component, or change what is said of one; one that was only proposed is confirmed by that."""
    row = _component(request, pk) if pk else None
    permissions.may_keep_components(request.user).or_refuse()
    form = RegisterForm(sent(request), component=row)
    waits = row is not None and row.confirmed_at is None
    return one_act(
        request,
        form,
        save=lambda: actions.keep_component(component=row, by=request.user, **form.cleaned_data),
        done="It is saved. Every initiative that runs it is asked what replaces it 90 days before its end of life.",
        to_made=True,
        back=row.get_absolute_url() if row else reverse("components"),
        parent=str(row or _("Components")),
        title=(f"Read and confirm {row}" if waits else f"Change {row}") if row else _("Add a component"),
        happens=[
            _("Past the end of life of a model, what it showed counts in no initiative that still runs it.")
        ],
        verb=_("Confirm it") if waits else _("Save"),
    )


def _component(request, pk: int) -> ComponentVersion:
    """The component version with this key, as far as the person may read of it. Raises Http404."""
    return found_or_404(queries.seen_by(request.user).select_related("added_by", "confirmed_by"), pk)
