"""The page that sets one value for many imported initiatives, with a preview."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from governance.models import Unit
from governance.people.permissions import may_import
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import RUNNING_STAGES, Stage
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.initiative_frame import page_of, pick
from initiatives.models import ImportBatch, Initiative, RoleAssignment
from initiatives.portfolio.imports.portfolio.bulk import MOST, WHAT, open_to_many, preview, set_for_many
from initiatives.portfolio.imports.portfolio.forms import ManyForm

LISTED = 100
LACKING = {"owner": "no owner asked", "tier": "no tier proposed", "vendor": "no vendor"}


@require_http_methods(["GET", "HEAD", "POST"])
def several(request: SignedInRequest) -> HttpResponse:
    """Show filtered imported initiatives without an owner. Set one value for the chosen ones."""
    may_import(request.user).or_refuse()
    chosen, initiatives = _filtered(request)
    form = ManyForm(request.POST if request.method == "POST" else None)
    looked: list = []
    if request.method == "POST" and form.is_valid():
        wanted = _wanted(request, initiatives)
        what = form.cleaned_data["what"]
        value = form.cleaned_data[what]
        if len(wanted) > MOST:
            form.add_error(
                None,
                phrase(
                    "{} initiatives match, but you can change no more than {} at once. Use a narrower "
                    "filter.",
                    f"{len(wanted):,}",
                    MOST,
                ),
            )
        elif not wanted:
            form.add_error(None, "Select initiatives, or choose all that match the filter.")
        elif request.POST.get("step") != "apply":
            looked = preview(wanted, what, value, request.user)
        else:
            try:
                done = set_for_many(
                    initiatives=wanted,
                    what=what,
                    value=value,
                    worst_credible_harm=form.cleaned_data["worst_credible_harm"],
                    by=request.user,
                )
            except ValidationError as wrong:
                put_errors(form, wrong)
            except Conflict as other:
                form.add_error(None, str(other))
            else:
                messages.success(
                    request, phrase("{}: set for {} initiatives.", WHAT[what], len(done)).in_language()
                )
                return redirect(f"{reverse('imports-several')}?{request.GET.urlencode()}")
    page = page_of(request, initiatives.select_related("unit", "business_case"), LISTED)
    context = {
        "nav": "imports",
        "form": form,
        "chosen": chosen,
        "page": page,
        "fit": page.paginator.count,
        "most": MOST,
        "rows": _rows(page),
        "stages": [(stage, Stage.word(stage)) for stage in (*RUNNING_STAGES, Stage.STOPPED, Stage.RETIRED)],
        "units": Unit.objects.filter(initiatives__in=open_to_many(request.user)).distinct(),
        "batches": ImportBatch.objects.current().filter(confirmed_at__isnull=False),
        "lacking": LACKING.items(),
        "ticked": set(request.POST.getlist("initiative")),
        "all_that_fit": bool(request.POST.get("all")),
        "looked": looked,
        "changing": sum(not one.why for one in looked),
    }
    template = "many_preview" if looked else "many"
    return render(request, f"initiatives/imports/portfolio/{template}.html", context)


def _filtered(request: SignedInRequest):
    chosen = {name: request.GET.get(name, "")[:100] for name in ("q", "batch", "unit", "stage", "lacking")}
    initiatives = open_to_many(request.user).order_by("number")
    if chosen["q"]:
        initiatives = initiatives.filter(title__icontains=chosen["q"])
    if chosen["batch"].isdecimal():
        initiatives = initiatives.filter(pk__in=_of_batch(int(chosen["batch"])))
    if chosen["unit"].isdecimal():
        initiatives = initiatives.filter(unit=int(chosen["unit"]))
    if stage := pick(chosen["stage"], Stage):
        initiatives = initiatives.filter(stage=stage)
    lacking = pick(chosen["lacking"], LACKING)
    if lacking == "owner":
        initiatives = initiatives.exclude(
            pk__in=RoleAssignment.objects.open().filter(role="owner").values("initiative")
        )
    elif lacking == "tier":
        initiatives = initiatives.filter(proposed_tier="")
    elif lacking == "vendor":
        initiatives = initiatives.exclude(business_case__vendor__gt="")
    return chosen, initiatives


def _of_batch(pk: int):
    rows = ImportBatch.objects.filter(pk=pk).values("rows__initiative")
    return rows.filter(rows__initiative__isnull=False)


def _wanted(request: SignedInRequest, initiatives) -> list[Initiative]:
    """Return the ticked initiatives, or all that match, if they may be set."""
    if not request.POST.get("all"):
        numbers = [
            int(key) for key in request.POST.getlist("initiative") if key.isdecimal() and len(key) < 10
        ]
        initiatives = initiatives.filter(number__in=numbers)
    return list(initiatives.select_related("unit")[: MOST + 1])


def _rows(page) -> list[tuple[Initiative, str]]:
    """Return the initiatives of a page, each with the person asked to own it."""
    rows = RoleAssignment.objects.open().filter(initiative__in=page.object_list, role="owner")
    asked = dict(rows.values_list("initiative", "person__full_name"))
    return [(initiative, asked.get(initiative.pk, "")) for initiative in page]
