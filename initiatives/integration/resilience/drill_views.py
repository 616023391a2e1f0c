"""Drills of an initiative: what was tried on each link, what is due, what to record; and taking one back."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from governance.models import Rulebook
from initiatives.integration.resilience import drills as resilience_drills
from initiatives.integration.resilience.drill_findings import current_drills, missing, tried
from initiatives.integration.resilience.drills import suggested
from initiatives.integration.resilience.forms import DrillForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import initiative_context, one_act, page_of, pick
from initiatives.lifecycle.initiative.row_acts import ROW_ACTS, STRUCK_OUT, RowAct, on_initiative, recorded
from initiatives.models import Drill, Link
from initiatives.models.integration.processes import DRILL_KINDS

TAB = "integration"
KIT = settings.BASE_DIR / "docs" / "examples" / "fault_proxy.py"
PER_PAGE = 20
TONES = {"pass": "ok", "partial": "warn", "fail": "bad"}


def drills(request, ref):
    """Per link: its last drill, the result, when it is due again, what the link does not say; then every drill."""
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
    """One kind of drill on one link, as the page shows it."""
    return {
        "kind": DRILL_KINDS[kind],
        "newest": those.newest,
        "tone": TONES[those.newest.result],
        "failed": those.failed,
        "next_due": those.next_due,
        "overdue": those.next_due is not None and those.next_due < today,
    }


def add(request, ref):
    """Record a drill, with its trace as evidence."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_collaborate(initiative, request.user).or_refuse()
    rulebook = Rulebook.objects.current().parsed
    kind = pick(request.GET.get("kind"), DRILL_KINDS, "fallback")
    typed = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    initial = {
        "kind": request.GET.get("kind", ""),
        "link": request.GET.get("link"),
        "covers": suggested(rulebook, kind),
    }
    form = DrillForm(*typed, initiative=initiative, rulebook=rulebook, initial=initial)
    return one_act(
        request,
        initiative,
        form,
        lambda fields: resilience_drills.add_drill(initiative=initiative, by=request.user, **fields),
        _("The drill is recorded, and its trace is evidence."),
        page=TAB,
        back="integration-drills",
        title=_("Record a drill"),
        lede=_(
            "Something was made to fail on purpose. What should have happened, what did, and what shows it."
        ),
        verb=_("Record it"),
    )


ROW_ACTS["drills/withdraw"] = RowAct(
    rows=Drill.objects.select_related("initiative__unit", "by"),
    may=on_initiative(initiative_permissions.may_collaborate),
    act=resilience_drills.withdraw_drill,
    noun="drill",
    page=TAB,
    back="integration-drills",
    title=gettext_lazy("Take a drill back"),
    lede=recorded,
    happens=(
        STRUCK_OUT,
        gettext_lazy("Its evidence is withdrawn, and what stood on it is open again."),
    ),
    verb=gettext_lazy("Withdraw it"),
    done=gettext_lazy("The drill is withdrawn."),
)


@require_safe
def kit(request: HttpRequest) -> HttpResponse:
    """The fault kit as the one file to start in front of a source."""
    if not KIT.exists():  # an installation without its docs
        raise Http404("The fault kit is not part of this installation; it is in docs/examples of the source.")
    response = HttpResponse(KIT.read_bytes(), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="fault_proxy.py"'
    return response
