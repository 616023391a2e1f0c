"""Pages of samples of outputs: one is asked for, and judged output by output, each reading recorded."""

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
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, one_act, sent
from initiatives.models import OutputSample

NO_MASTER = gettext_lazy(
    "The master key of these outputs is not on this machine: an admin puts it back from its own backup."
)


@require_http_methods(["GET", "HEAD", "POST"])
def ask_for_sample(request: SignedInRequest, ref: str) -> HttpResponse:
    """Ask that outputs are drawn from the interaction log by the audit log."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    form = SampleForm(sent(request))
    return one_act(
        request,
        initiative,
        form,
        lambda _said: actions.ask_for_sample(initiative=initiative, by=request.user, **form.asked),
        _("Asked for. It is drawn within a few minutes, once the audit log has sealed this."),
        page="integration",
        back="integration-traces",
        title=_("Have a sample of outputs drawn"),
        lede=_(
            "Plumbline draws outputs from the interaction log, and somebody reads each with the sources it names."
        ),
        happens=[
            _("The next checkpoint of the audit log decides which outputs: nobody chooses them."),
            _(
                "Judged from outside the team, the sample measures the requirement; judged in the team, "
                "it is a document."
            ),
        ],
        verb=_("Ask for it"),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def output_sample(request: SignedInRequest, pk: int) -> HttpResponse:
    """One sample: how far it is judged, and the next output with its input, its sources and the form."""
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
                messages.success(request, _("Each output is judged: the sample is kept, and is evidence."))
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
