"""Trace samples of an initiative: whether its outputs can be traced to governed sources."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from governance.vocabulary.form_errors import put_errors
from initiatives.integration.resilience import traces as resilience_traces
from initiatives.integration.resilience.forms import TraceForm
from initiatives.integration.resilience.traces import in_words, look_at_sample
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import ask, initiative_context, page_of
from initiatives.models import TraceSample

TAB, PAGE = "integration", "integration-traces"
PER_PAGE = 50


def traces(request, ref):
    """Every sample with its figures, the newest first."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, TAB)
    rows = (
        initiative.trace_samples.select_related("evidence", "by").defer("lines").order_by("-taken_on", "-pk")
    )
    page = page_of(request, rows, 20)
    for row in page:
        row.interval = f"{row.low:.0%} to {row.high:.0%}"
    context |= {"title": _("Traces to sources"), "page": page}
    return render(request, "initiatives/integration/resilience/traces.html", context)


def sample(request, pk):
    """One sample: its figures, the sources that are not governed, and each output with what it cites."""
    row = initiative_lookup.of_initiative(
        TraceSample.objects.select_related("initiative__unit", "initiative__contract", "evidence", "by"),
        request.user,
        pk,
    )
    context = initiative_context(request, row.initiative, TAB)
    context |= {
        "title": row.title,
        "sample": row,
        "figures": in_words(row),
        "page": page_of(request, row.lines, PER_PAGE),
    }
    return render(request, "initiatives/integration/resilience/trace.html", context)


def add(request, ref):
    """Check a sample against the register: first look at the figures, then keep it as evidence."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    form = TraceForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    checked = None
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        try:
            if request.POST.get("step") == "look" and fields["file"] is not None:
                checked = look_at_sample(initiative, fields["file"])
            else:
                row = resilience_traces.add_trace_sample(initiative=initiative, by=request.user, **fields)
                messages.success(request, _("The sample is kept as evidence."))
                return redirect("trace-sample", row.pk)
        except ValidationError as error:
            put_errors(form, error)
    return ask(
        request,
        initiative,
        TAB,
        form,
        template="initiatives/integration/resilience/trace_add.html",
        title=_("Check a sample of outputs"),
        checked=checked,
        figures=in_words(checked) if checked else "",
        back_url=reverse(PAGE, args=[initiative.ref]),
    )
