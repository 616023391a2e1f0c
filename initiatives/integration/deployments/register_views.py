"""Pages of the component register: all versions, and one version with a preview."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.integration.components import permissions, queries
from initiatives.integration.components.evaluations.presentation import shown
from initiatives.integration.components.findings import end_of, opens_days
from initiatives.integration.components.forms import RegisterForm, ReplaceForm
from initiatives.integration.components.register import actions
from initiatives.integration.deployments.what_if import of_replacing
from initiatives.integration.residency.views import found_or_404, one_act
from initiatives.lifecycle.initiative.initiative_frame import page_of, sent
from initiatives.models import ComponentVersion

NAV = "systems"
LOOKED_AT = 10  # initiatives a page of what replacing would end: each is worked out by the act itself


@require_safe
def components(request: SignedInRequest) -> HttpResponse:
    """Show every component version with its end of life and who runs it."""
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
    """Show one component version: its row, its uses, evaluations, and a preview."""
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
    """List a version of a component, or change its row, which also confirms the row."""
    row = _component(request, pk) if pk else None
    permissions.may_keep_components(request.user).or_refuse()
    form = RegisterForm(sent(request), component=row)
    waits = row is not None and row.confirmed_at is None
    return one_act(
        request,
        form,
        save=lambda: actions.keep_component(component=row, by=request.user, **form.cleaned_data),
        done=(
            _(
                "The component is saved. Initiatives that run it are asked for a replacement %(days)s "
                "days before its end of life."
            )
            % {"days": opens_days()}
        ),
        to_made=True,
        back=row.get_absolute_url() if row else reverse("components"),
        parent=str(row or _("Components")),
        title=(f"Read and confirm {row}" if waits else f"Change {row}") if row else _("Add a component"),
        happens=[
            _(
                "After the end of life of a model, evidence that names the model no longer counts in "
                "initiatives that still run it."
            )
        ],
        verb=_("Confirm the component") if waits else _("Save"),
    )


def _component(request, pk: int) -> ComponentVersion:
    """Return the component version, if the person may read it. Raises Http404."""
    return found_or_404(queries.seen_by(request.user).select_related("added_by", "confirmed_by"), pk)
