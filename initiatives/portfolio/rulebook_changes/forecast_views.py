"""Pages of forecasts: asked for, and read as totals, lists and a file."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from governance import clock
from governance.audit_log import csv_export
from governance.identity.proofs import demands
from governance.models import Rulebook
from governance.people import permissions as people_permissions
from governance.rulebook import parse
from governance.templatetags.plumbline import day, seat_word, stage_word
from governance.vocabulary import RUNNING_STAGES
from governance.vocabulary.form_errors import put_errors
from governance.web.charts.primitives import count
from governance.web.pages.rulebook_views import readable
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.initiative.initiative_frame import page_of, pick, sent
from initiatives.models import Forecast, Foreseen, Initiative, RulebookDraft
from initiatives.portfolio.rulebook_changes import forecast_actions
from initiatives.portfolio.rulebook_changes.forecast_actions import LOST
from initiatives.portfolio.rulebook_changes.forms import ForecastForm

PER_PAGE = 50
CHUNK = 500
KEPT = 20  # forecasts that a list shows
CHANGES = {
    "lose": "Loses its supported stage",
    "gain": "Gains a supported stage",
    "work": "Has more work",
    "less": "Has less work",
    "obligation": "An obligation is opened or resolved",
    "held": "A hold starts or ends",
}
NARROWED = {
    "lose": Q(falls__gt=0),
    "gain": Q(falls__lt=0),
    "work": ~Q(unmet=[]),
    "less": ~Q(met=[]),
    "obligation": ~Q(obligation=""),
    "held": ~Q(held=[]) | ~Q(freed=[]),
}
STALE, GONE = "goes stale if the review switches to this version", "did not count before"
HEADING = [
    "What", "Reference", "Title", "Unit", "Owner", "Supported now", "Supported after", "Requirement", "Question",
    "Responsible", "Becomes", "Due", "Seat", "Person", "Description",
]  # fmt: skip


def of_draft(request, pk):
    """Show the forecasts of a draft's text, and the forms for more."""
    people_permissions.may_forecast(request.user).or_refuse()
    row = get_object_or_404(RulebookDraft.objects.select_related("base", "by"), pk=pk)
    return _asked(request, row, reverse("rulebook-draft", args=[row.pk]))


def of_version(request, version):
    """Show the forecasts of a loaded version, and the forms for more."""
    people_permissions.may_forecast(request.user).or_refuse()
    row = readable(request, version)
    return _asked(request, row, reverse("rulebook-version", args=[row.version]))


def _asked(request, of, back: str):
    form = ForecastForm(sent(request))
    if form.is_bound and form.is_valid():
        try:
            made = forecast_actions.ask_forecast(of=of, by=request.user, **form.cleaned_data)
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            return redirect(made)
    rows = Forecast.objects.of(of.digest).select_related("by", "in_force").defer("source", "in_force__source")
    context = {
        "nav": "rulebook",
        "of": of,
        "back": back,
        "form": form,
        "rows": rows[:KEPT],
        "in_force": Rulebook.objects.current(),
        "same": Rulebook.objects.current().digest == of.digest,
    }
    return render(request, "initiatives/rulebook_changes/forecasts.html", context)


def forecast(request, pk):
    """Show a forecast with totals, effects and filtered rows. Posting asks for it again."""
    row = _forecast(request, pk)
    if request.method == "POST":
        made = _once_more(row, request.user)
        messages.success(request, _("The forecast is being computed again."))
        return redirect(made)
    if row.state != Forecast.DONE:
        return render(request, "initiatives/rulebook_changes/forecast_wait.html", _waiting(row))
    if csv_export.asked(request):
        return _file(request, row)
    rulebook = parse(row.source)
    what = pick(request.GET.get("what"), Foreseen.WHATS, "initiative")
    rows, chosen = _narrowed(request, row, what)
    page = page_of(request, rows, PER_PAGE)
    context = {
        "nav": "rulebook",
        "forecast": row,
        "happens": _happens(row),
        "signers": demands.who_could_not(rulebook.signatures),
        "outdated": outdated(row),
        "page": page,
        "rows": [_shown(one, rulebook, row.in_force.parsed) for one in page],
        "what": what,
        "chosen": chosen,
        "changes": CHANGES,
        "asked": [
            (key, rulebook.requirements[key].question, number)
            for key, number in row.totals.get("asked", ())
            if key in rulebook.requirements
        ],
        "hidden": row.rows.filter(what=what).count() - _visible(row, what, request.user).count(),
    }
    return render(request, "initiatives/rulebook_changes/forecast.html", context)


def progress(request, pk):
    """Show the progress of a forecast, a part of its page that is polled."""
    row = _forecast(request, pk)
    return render(request, "initiatives/rulebook_changes/_forecast_progress.html", _waiting(row))


def _file(request, row: Forecast):
    """Return a forecast as CSV, a line for each requirement, obligation and sign-off."""
    new, old = parse(row.source), row.in_force.parsed
    lines = (
        line
        for what in Foreseen.WHATS
        for one in _visible(row, what, request.user).iterator(chunk_size=CHUNK)
        for line in _lines(one, new, old)
    )
    return csv_export.stream(
        f"rulebook-{row.version}-effects", HEADING, lines, of=f"forecast {row.pk}", by=request.user
    )


def outdated(row: Forecast) -> list[str]:
    """Return the reasons why a forecast may no longer hold."""
    reasons = []
    in_force = Rulebook.objects.current()
    if in_force.digest == row.digest:
        return [
            f"Rulebook {in_force.version} is now in force. The forecast on this page was made before that."
        ]
    if in_force.pk != row.in_force_id:
        reasons.append(
            f"This forecast compares with {row.in_force.version}, but {in_force.version} is now in force."
        )
    if row.draft_id and row.draft.digest != row.digest:
        reasons.append(f"The draft was edited after the forecast: {row.draft.said}")
    acts = row.acts_since()
    done = acts.count()
    if done:
        initiatives = count(acts.values("initiative_ref").distinct().count(), "initiative")
        reasons.append(
            f"{count(done, 'act')} on {initiatives} happened after the forecast, so some results may "
            "differ now."
        )
    return reasons


def _once_more(row: Forecast, person) -> Forecast:
    """Ask the same again of the current text. A past day becomes today."""
    of = row.draft or Rulebook.objects.filter(digest=row.digest).first()
    return forecast_actions.ask_forecast(of=of, by=person)


def _forecast(request, pk: int) -> Forecast:
    people_permissions.may_forecast(request.user).or_refuse()
    return get_object_or_404(Forecast.objects.select_related("by", "in_force", "draft"), pk=pk)


def _waiting(row: Forecast) -> dict:
    stuck = row.state == Forecast.RUNNING and row.claimed_at < clock.now() - LOST
    return {
        "nav": "rulebook",
        "forecast": row,
        "running": row.under_way and not stuck,
        "stuck": stuck,
        "url": reverse("rulebook-forecast-progress", args=[row.pk]),
    }


def _visible(row: Forecast, what: str, person):
    """Return the rows of initiatives that the person may open. Totals count all."""
    initiatives = visibility.visible_to(person).order_by().values("pk")
    rows = row.rows.filter(what=what, initiative__in=initiatives)
    return rows.select_related("initiative__unit", "owner", "review").order_by(
        "-falls", "initiative_id", "pk"
    )


def _narrowed(request, row: Forecast, what: str):
    """Return the rows that the address asks for, and the chosen filters."""
    rows = _visible(row, what, request.user)
    change = pick(request.GET.get("change"), CHANGES)
    words = request.GET.get("q", "").replace("\0", "")[:120].strip()
    key = request.GET.get("key", "").replace("\0", "")[:60]
    if change and what == Foreseen.INITIATIVE:
        rows = rows.filter(NARROWED[change])
    if words:
        found = Q(initiative__title__icontains=words) | Q(owner__full_name__icontains=words)
        found |= Q(initiative__unit__name__icontains=words)
        number = words.upper().removeprefix("AI-")
        if number.isascii() and number.isdecimal() and len(number) < 10:
            found |= Q(initiative__number=int(number))
        rows = rows.filter(found)
    if key:
        # Requirements are kept as [key, who answers]: one whose first word is the key.
        rows = rows.filter(unmet__contains=[[key]])
    return rows, {"change": change, "q": words, "key": key}


def _shown(one: Foreseen, new, old) -> dict:
    """Return a row as the page shows it."""

    def asked(pairs, rulebook):
        return [
            {
                "key": key,
                "question": rulebook.requirements[key].question if key in rulebook.requirements else key,
                "who": who,
            }
            for key, who in pairs
        ]

    return {
        "row": one,
        "initiative": one.initiative,
        "tone": "bad" if one.falls > 0 else "ok",
        "unmet": asked(one.unmet, new),
        "met": asked(one.met, old),
        "because": asked(one.because, new if one.falls > 0 else old),
        "sign_offs": [
            {"seat": seat_word(seat), "person": person, "counts": counts, "stale": stale}
            for _sign_off, seat, person, counts, stale in one.sign_offs
        ],
    }


def _lines(one: Foreseen, new, old):
    """Yield the lines of the file for a row."""
    initiative: Initiative = one.initiative
    head = [
        one.get_what_display(),
        initiative.ref,
        initiative.title,
        initiative.unit.name,
        one.owner.full_name if one.owner else "",
    ]
    stages = [_stage(one.before), _stage(one.after)]

    def line(key="", question="", who="", becomes="", due=None, seat="", person="", words=""):
        return [*head, *stages, key, question, who, becomes, due, seat, person, words]

    for pairs, rulebook, becomes in ((one.unmet, new, "missing"), (one.met, old, "no longer missing")):
        for key, who in pairs:
            question = rulebook.requirements[key].question if key in rulebook.requirements else ""
            yield line(key, question, who, becomes, one.due if becomes == "missing" else None)
    for key, who in one.because:
        rulebook = new if one.falls > 0 else old
        question = rulebook.requirements[key].question if key in rulebook.requirements else ""
        yield line(key, question, who, "supported stage falls" if one.falls > 0 else "supported stage rises")
    for _sign_off, seat, person, counts, stale in one.sign_offs:
        state = (
            "goes stale if the review switches to this version"
            if counts and stale
            else "did not count before"
            if stale
            else "stays"
        )
        yield line(becomes=state, seat=seat_word(seat), person=person, words="; ".join(stale))
    for words in (*one.held, *one.freed):
        yield line(becomes="held" if words in one.held else "no longer held", words=words)
    if one.obligation:
        yield line(becomes=f"obligation {one.obligation}", due=one.due)
    for words in one.why:
        yield line(becomes="blocks", words=words)
    if not (
        one.unmet
        or one.met
        or one.because
        or one.sign_offs
        or one.held
        or one.freed
        or one.obligation
        or one.why
    ):
        yield line()


def _stage(stage: str) -> str:
    return stage_word(stage) if stage in RUNNING_STAGES else stage


def _happens(row: Forecast) -> list[str]:
    """Return the effects of publishing in sentences that hold for any totals."""
    return [
        "Plumbline computes the supported stage of every initiative again when the rulebook is "
        "published, with the facts of that time. Approved stages stay as they are.",
        "If an MVP or production loses its support, its owner must restore the support by "
        f"{_last_day(row)}. If not, the chair is asked to step back.",
        "Open reviews keep their version, and publishing makes no sign-off stale. If an owner switches a "
        "review to the new version, all approvals must be given again.",
    ]


def _last_day(row: Forecast) -> str:
    if row.grace_until:
        return day(row.grace_until)
    return day(row.day + timedelta(days=parse(row.source).freshness.grace_days))
