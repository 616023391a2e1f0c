"""Pages of samples of outputs: ask for one, and judge its outputs. Readings are recorded."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from governance.interaction_log.keys import NoMaster
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.interactions.anchoring import actions
from initiatives.interactions.anchoring.forms import JudgementForm, SampleForm
from initiatives.interactions.permissions import may_judge_outputs
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.models import OutputSample

NO_MASTER = gettext_lazy(
    "The master key of these outputs is not on this machine. Ask an admin to restore the key from the backup."
)


INITIATIVE_ACTS["draw-sample"] = PageStep(
    may=initiative_permissions.may_collaborate,
    act=actions.ask_for_sample,
    form=SampleForm,
    page="integration",
    back="integration-traces",
    title=gettext_lazy("Draw a sample of outputs"),
    lede=gettext_lazy(
        "Plumbline draws outputs from the interaction log. A person reads each output together with its "
        "sources."
    ),
    happens=(
        gettext_lazy(
            "The next checkpoint of the audit log decides which outputs are drawn. A person cannot "
            "choose the outputs."
        ),
        gettext_lazy("A sample judged by someone outside the team measures the requirement."),
        gettext_lazy("A sample judged by the team documents the requirement, but does not measure it."),
    ),
    verb=gettext_lazy("Ask for a sample"),
    done=gettext_lazy(
        "The sample is requested. Plumbline draws it within a few minutes, after the next checkpoint."
    ),
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def output_sample(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one sample: its progress, and the next output with input, sources and form."""
    rows = OutputSample.objects.select_related(
        "initiative__unit", "initiative__contract", "trace", "by", "checkpoint"
    )
    sample = initiative_lookup.of_initiative(rows, request.user, pk)
    initiative = sample.initiative
    may = may_judge_outputs(initiative, request.user)
    if request.method == "POST":
        may.or_refuse()
    left = sample.outputs.filter(judgement__isnull=True)
    form = JudgementForm(sent(request))
    if request.method == "POST":
        chosen = get_object_or_404(sample.outputs, place=request.POST.get("place") or 0)
        if acted(
            request,
            form,
            lambda: actions.judge_output(output=chosen, by=request.user, **form.cleaned_data),
        ):
            if not left.exists():
                messages.success(request, _("All outputs are judged. The sample is kept as evidence."))
            return redirect("output-sample", sample.pk)
    output = left.first() if may else None
    opened, sources, wrong = None, [], ""
    if output is not None:
        try:
            opened, sources = actions.open_output(output=output, by=request.user)
        except NoMaster:
            wrong = str(NO_MASTER)
    total = sample.outputs.count()
    context = initiative_context(request, initiative, "integration") | {
        "title": _("Sample of outputs"),
        "sample": sample,
        "output": output,
        "report": opened.report if opened else None,
        "sources": sources,
        "wrong": wrong,
        "total": total,
        "judged": total - left.count(),
        "judges": may,
        "form": form,
    }
    return render(request, "initiatives/interactions/output_sample.html", context)
