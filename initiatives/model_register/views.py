"""Pages of the model register: all models, one model, what replacing it would end."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.runtime.signed_in_request import SignedInRequest
from initiatives.cases.case_frame import page_of, sent
from initiatives.integration.residency.views import found_or_404, one_act
from initiatives.model_register import actions, permissions, queries
from initiatives.model_register.evaluations.presentation import shown
from initiatives.model_register.findings import end_of
from initiatives.model_register.forms import ModelForm, ReplaceForm
from initiatives.model_register.preview import of_replacing
from initiatives.models import ModelVersion

NAV = "systems-all"
LOOKED_AT = 10  # cases a page of what replacing would end: each is worked out by the act itself


@require_safe
def models(request: SignedInRequest) -> HttpResponse:
    """Every model with its end of life and the cases that run it."""
    page = page_of(request, queries.seen_by(request.user), 50)
    runs = queries.running(page, request.user)
    context = {
        "nav": NAV,
        "page": page,
        "rows": [{"model": row, "end": end_of(row), "runs": runs[row.pk]} for row in page],
        "may_add": permissions.may_keep_models(request.user),
    }
    return render(request, "initiatives/model_register/models.html", context)


@require_safe
def model(request: SignedInRequest, pk: int) -> HttpResponse:
    """One model: what is said of it, who runs it, and how it did there."""
    row = _model(request, pk)
    context = {
        "nav": NAV,
        "model": row,
        "end": end_of(row),
        "runs": queries.running([row], request.user)[row.pk],
        "predecessors": list(row.predecessors.all()),
        "evaluations": shown(queries.evaluations_of(row, request.user)),
        "may_change": permissions.may_keep_models(request.user),
    }
    return render(request, "initiatives/model_register/model.html", context)


@require_safe
def replacing(request: SignedInRequest, pk: int) -> HttpResponse:
    """Which proof of which cases would end if another model ran in its place: looked at, never saved."""
    row = _model(request, pk)
    form = ReplaceForm(
        request.GET if "successor" in request.GET else {"successor": row.successor_id},
        models=queries.seen_by(request.user),
    )
    successor = form.cleaned_data["successor"] if form.is_valid() else None
    runs = queries.running([row], request.user)[row.pk]
    page = page_of(request, [use for use in runs.uses if use.runs_to is None], LOOKED_AT)
    context = {
        "nav": NAV,
        "model": row,
        "form": form,
        "successor": successor,
        "page": page,
        "found": [of_replacing(use, successor, by=request.user) for use in page],
        "others": len(runs.others),
    }
    return render(request, "initiatives/model_register/model_replace.html", context)


def add(request: SignedInRequest) -> HttpResponse:
    """List a model."""
    permissions.may_keep_models(request.user).or_refuse()
    form = ModelForm(sent(request))
    return one_act(
        request,
        form,
        save=lambda: actions.add_model(by=request.user, **form.cleaned_data),
        done="The model is in the register.",
        to_made=True,
        back=reverse("models"),
        parent="Models",
        title=_("Add a model"),
        lede=_("Once, for every initiative that runs it."),
        verb=_("Add it"),
    )


def change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change what is said of a model; one that was only proposed is confirmed by that."""
    row = _model(request, pk)
    permissions.may_keep_models(request.user).or_refuse()
    form = ModelForm(sent(request), model=row)
    return one_act(
        request,
        form,
        save=lambda: actions.change_model(model=row, by=request.user, **form.cleaned_data),
        done="It is saved. Every initiative that runs the model is asked what replaces it 90 days before its "
        "end of life.",
        back=row.get_absolute_url(),
        parent=str(row),
        title=f"Change {row}" if row.confirmed_at else f"Read and confirm {row}",
        happens=[_("Past its end of life, what it showed does not count in any case that still runs it.")],
        verb=_("Save") if row.confirmed_at else _("Confirm it"),
    )


def _model(request, pk: int) -> ModelVersion:
    """The model with this key, as far as the person may read of it. Raises Http404."""
    return found_or_404(queries.seen_by(request.user).select_related("added_by", "confirmed_by"), pk)
