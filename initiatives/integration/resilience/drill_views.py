"""Pages of the drills of an initiative: results, due days, recording, withdrawing."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from governance.models import Rulebook
from governance.runtime.signed_in_request import SignedInRequest
from initiatives.integration.resilience import drills as resilience_drills
from initiatives.integration.resilience.drill_findings import current_drills, missing, tried
from initiatives.integration.resilience.drills import suggested
from initiatives.integration.resilience.forms import DrillForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, page_of, pick
from initiatives.lifecycle.initiative.page_steps import (
    INITIATIVE_ACTS,
    ROW_ACTS,
    STRUCK_OUT,
    PageStep,
    RowAct,
    on_initiative,
    recorded,
)
from initiatives.models import Drill, Initiative, Link
from initiatives.models.integration.processes import DRILL_KINDS

TAB = "integration"
KIT = settings.BASE_DIR / "docs" / "examples" / "fault_proxy.py"
PER_PAGE = 20
TONES = {"pass": "ok", "partial": "warn", "fail": "bad"}


def drills(request, ref):
    """Show each link with its last drills, due days and gaps, then every drill."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    context = initiative_context(request, initiative, TAB)
    links = (
        Link.objects.current()
        .filter(initiative=initiative)
        .select_related("system")
        .order_by("system__name", "pk")
    )
    found: dict[int | None, list[dict]] = {}
    for (_system, link, kind), those in tried(current_drills([initiative.pk])).items():
        found.setdefault(link, []).append(_line(kind, those, context["today"]))
    rows = [{"link": link, "missing": missing(link), "drills": found.get(link.pk, [])} for link in links]
    every = initiative.drills.select_related("link__system", "by", "withdrawn_by").order_by(
        "-observed_on", "-pk"
    )
    page = page_of(request, every, PER_PAGE)
    for drill in page:
        drill.tone = "" if drill.withdrawn_at else TONES[drill.result]
    context |= {
        "title": _("Drills"),
        "rows": rows,
        "on_initiative": found.get(None, []),
        "page": page,
    }
    return render(request, "initiatives/integration/resilience/drills.html", context)


def _line(kind: str, those, today) -> dict:
    """Return one kind of drill on one link, as the page shows it."""
    return {
        "kind": DRILL_KINDS[kind],
        "newest": those.newest,
        "tone": TONES[those.newest.result],
        "failed": those.failed,
        "next_due": those.next_due,
        "overdue": those.next_due is not None and those.next_due < today,
    }


def _drill_form(initiative: Initiative, request: SignedInRequest) -> dict:
    rulebook = Rulebook.objects.current().parsed
    kind = pick(request.GET.get("kind"), DRILL_KINDS)
    initial = {
        "kind": request.GET.get("kind", ""),
        "link": request.GET.get("link"),
        "covers": suggested(rulebook, kind),
    }
    return {"initiative": initiative, "rulebook": rulebook, "initial": initial}


INITIATIVE_ACTS["record-drill"] = PageStep(
    may=initiative_permissions.may_collaborate,
    act=resilience_drills.add_drill,
    form=DrillForm,
    with_files=True,
    given=_drill_form,
    page=TAB,
    back="integration-drills",
    title=gettext_lazy("Record a drill"),
    lede=gettext_lazy(
        "Describe the planted fault, the expected result and the actual result, and add the trace."
    ),
    verb=gettext_lazy("Record the drill"),
    done=gettext_lazy("The drill is recorded. The trace is kept as evidence."),
)


ROW_ACTS["drills/withdraw"] = RowAct(
    rows=Drill.objects.select_related("initiative__unit", "by"),
    may=on_initiative(initiative_permissions.may_collaborate),
    act=resilience_drills.withdraw_drill,
    noun="drill",
    page=TAB,
    back="integration-drills",
    title=gettext_lazy("Withdraw a drill"),
    lede=recorded,
    happens=(
        STRUCK_OUT,
        gettext_lazy(
            "The evidence of the drill is withdrawn. Requirements that this drill answered are open again."
        ),
    ),
    verb=gettext_lazy("Withdraw the drill"),
    done=gettext_lazy("The drill is withdrawn."),
)


@require_safe
def kit(request: HttpRequest) -> HttpResponse:
    """Return the fault kit as one file, which runs in front of a source."""
    if not KIT.exists():  # an installation without its docs
        raise Http404(
            "The fault kit is not part of this installation. Download the fault kit from docs/examples of "
            "the source code."
        )
    response = HttpResponse(KIT.read_bytes(), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="fault_proxy.py"'
    return response
