"""Pages of the component register: all versions, and one version with a preview."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from initiatives.integration.components import permissions, queries
from initiatives.integration.components.evaluations.presentation import shown
from initiatives.integration.components.findings import end_of, opens_days
from initiatives.integration.components.forms import RegisterForm, ReplaceForm
from initiatives.integration.components.register import actions
from initiatives.integration.deployments.what_if import of_replacing
from initiatives.integration.residency.views import found_or_404
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.lifecycle.initiative.page_steps import PLAIN_ACTS, ROW_ACTS, Frame, PageStep, RowAct
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


def _component(request, pk: int) -> ComponentVersion:
    """Return the component version, if the person may read it. Raises Http404."""
    return found_or_404(queries.seen_by(request.user).select_related("added_by", "confirmed_by"), pk)


ON_COMPONENTS = Frame(
    nav=NAV, seen=lambda rows, person: rows.filter(pk__in=queries.seen_by(person).values("pk"))
)
ENDING = (
    _(
        "After the end of life of a model, evidence that names the model no longer counts in "
        "initiatives that still run it."
    ),
)


def _waits(row: ComponentVersion) -> bool:
    return row.confirmed_at is None


def _saved(_: object) -> str:
    return phrase(
        "The component is saved. Initiatives that run it are asked for a replacement {} days before its end of life.",
        opens_days(),
    )


PLAIN_ACTS["add-component"] = PageStep(
    frame=ON_COMPONENTS,
    may=lambda _, person: permissions.may_keep_components(person),
    act=actions.keep_component,
    noun="by",
    form=RegisterForm,
    given=lambda _, request: {"row": None},
    title=_("Add a component"),
    happens=ENDING,
    back=lambda _: reverse("components"),
    after=lambda _, made, person: made.get_absolute_url(),
    context=lambda __, request: {"parent": _("Components")},
    verb=_("Save"),
    done=_saved,
)
ROW_ACTS["components/change"] = RowAct(
    rows=ComponentVersion.objects.all(),
    frame=ON_COMPONENTS,
    may=lambda row, person: permissions.may_keep_components(person),
    act=actions.keep_component,
    noun="component",
    form=RegisterForm,
    given=lambda row, request: {"component": row},
    title=lambda row: phrase("Read and confirm {}", row) if _waits(row) else phrase("Change {}", row),
    happens=ENDING,
    context=lambda row, request: {"parent": row},
    verb=lambda row: _("Confirm the component") if _waits(row) else _("Save"),
    done=_saved,
)
