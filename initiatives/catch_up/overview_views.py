"""How the portfolio catches up, for boards: by wave, by unit, as a file; many plans proposed and agreed to."""

from collections.abc import Mapping

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.ledger import csv_export
from governance.people.permissions import chairs
from governance.permission_result import no
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import stage_word
from initiatives.cases.case_frame import mend, page_of, sent
from initiatives.catch_up import actions, presentation, queries
from initiatives.catch_up.forms import ManyForm, OverviewFilter
from initiatives.catch_up.permissions import may_look
from initiatives.catch_up.waves import WAVES, default_days
from initiatives.models import CatchUpPlan, RoleAssignment

PAGE = 20
TO_AGREE = 100  # dated plans on a page, where they alone are asked for
HEADING = (
    *("Place", "Reference", "Title", "Unit", "Owner", "Risk tier", "Claimed stage", "Why in this place"),
    *("Missing now", "Plan", "Version", "Agreed by", "Missing and in no wave"),
    *(f"Wave {number}: {what}" for number in WAVES for what in ("by", "met", "open", "overdue")),
)


@require_safe
def overview(request: SignedInRequest) -> HttpResponse:
    """Initiatives whose stage an import claims, in the order in which they catch up; `?view=units`: by unit."""
    may_look(request.user).or_refuse()
    form, rows = _asked(request)
    units = request.GET.get("view") == "units"
    dated = form.cleaned_data.get("plan") == "dated"
    page = page_of(request, presentation.by_unit(rows) if units else rows, TO_AGREE if dated else PAGE)
    context = {
        "nav": "portfolio",
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "total": presentation.tally(rows),
        "view": "units" if units else "initiatives",
        "page": page,
        "first": page.start_index(),
        "query": _query(request),
        "agrees": chairs(request.user) and any(row.now.state == "dated" for row in rows),
        "ticked": request.GET.get("tick") == "all",
        "proposes": request.user.is_admin,
    }
    return render(request, "initiatives/catch_up/overview.html", context)


def _asked(request: SignedInRequest) -> tuple[OverviewFilter, list[presentation.Row]]:
    """The filter of the address, what is not understood ignored, and the initiatives that pass it."""
    form = OverviewFilter(request.GET)
    form.is_valid()
    return form, presentation.rows_of(queries.catching_up(request.user), form.cleaned_data)


def _query(request: SignedInRequest) -> str:
    """The filter that is on, as an address carries it."""
    kept = request.GET.copy()
    for name in ("page", "view", "tick"):
        kept.pop(name, None)
    return kept.urlencode()


@require_safe
def export(request: SignedInRequest) -> StreamingHttpResponse:
    """The same initiatives in the same order as a CSV file."""
    may_look(request.user).or_refuse()
    _form, rows = _asked(request)
    of = _query(request) or "all initiatives that an import brought"
    return csv_export.stream("catch-up", HEADING, map(_line, enumerate(rows, 1)), of=of, by=request.user)


def _line(numbered: tuple[int, presentation.Row]) -> list:
    place, row = numbered
    now, case = row.now, row.case
    answer = getattr(now.plan, "answer", None) if now.plan else None
    waves = {wave.number: wave for wave in now.waves}
    cells = []
    for number in WAVES:
        wave = waves.get(number)
        cells += [wave.due, wave.met, len(wave.open), wave.overdue(row.today)] if wave else [None] * 4
    return [
        *(place, case.ref, case.title, case.unit.name, row.owner or "no owner here yet"),
        *(case.get_tier_display() or "not confirmed", stage_word(case.stage), row.why),
        *(len(now.gaps), queries.STATES[now.state], now.plan.number if now.plan else None),
        *(answer.by.full_name if answer and answer.agreed else "", len(now.outside)),
        *cells,
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def propose_many(request: SignedInRequest) -> HttpResponse:
    """Propose the plans of all that the filter shows and that have none: how many, which not and why, then the days."""
    if not (request.user.is_active and (request.user.is_admin or _owns_some(request.user))):
        no(
            "Admins propose plans for many where nobody accepted ownership, and owners for their own.",
            "The plan of one initiative is proposed on its page.",
        ).or_refuse()
    asked, rows = _asked(request)
    preview = actions.preview_plans(cases=[row.now for row in rows], by=request.user)
    form = ManyForm(sent(request), days=default_days(clock.today()))
    if request.method == "POST" and form.is_valid():
        try:
            done = actions.propose_plans(cases=preview.takes, days=form.days(), by=request.user)
        except ValidationError as error:
            mend(form, error)
        else:
            _say(request, _proposed(done.done), done.left)
            return redirect(f"{reverse('catch-ups')}?{_query(request)}")
    context = {
        "nav": "portfolio",
        "form": form,
        "asked": asked,
        "preview": preview,
        "query": _query(request),
        "waves": WAVES,
    }
    return render(
        request, "initiatives/catch_up/propose_many.html", context, status=422 if form.errors else 200
    )


def _owns_some(person) -> bool:
    return RoleAssignment.objects.in_force().filter(person=person, role="owner").exists()


def _proposed(count: int) -> str:
    words = ngettext("%(count)d plan is proposed.", "%(count)d plans are proposed.", count) % {"count": count}
    return f"{words} " + _("Their dates count as agreed once the chair says so.")


@require_POST
def agree_many(request: SignedInRequest) -> HttpResponse:
    """Agree as chair to the plans that were ticked, as they were read; the act looks at each anew."""
    may_look(request.user).or_refuse()
    ticked = [int(key) for key in request.POST.getlist("plan") if key.isdecimal() and len(key) < 16]
    back = f"{reverse('catch-ups')}?{QueryDict(request.POST.get('query', '')[:2000]).urlencode()}"
    if not ticked:
        messages.error(request, _("Nothing is ticked: tick the plans whose dates you agree to."))
        return redirect(back)
    seen = CatchUpPlan.objects.filter(pk__in=ticked, initiative__in=queries.catching_up(request.user))
    done = actions.agree_plans(plans=seen.values_list("pk", flat=True), by=request.user)
    words = ngettext(
        "You agreed to the dates of %(count)d plan.", "You agreed to the dates of %(count)d plans.", done.done
    )
    _say(request, words % {"count": done.done}, done.left)
    return redirect(back)


def _say(request: SignedInRequest, words: str, left: Mapping[str, int]) -> None:
    messages.success(request, words)
    if left:
        why = "; ".join(f"{count} ({reason})" for reason, count in left.items())
        messages.warning(request, _("Left out: %(why)s.") % {"why": why})
