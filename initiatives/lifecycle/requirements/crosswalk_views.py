"""Pages and a file of initiatives by paragraphs of outside frameworks."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance import clock
from governance.audit_log import csv_export
from governance.database.replica import reads_replica
from governance.models import Rulebook
from governance.people.permissions import may_audit
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Seat
from governance.vocabulary.frameworks import FRAMEWORKS, framework_words
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.initiative.initiative_frame import page_of, pick
from initiatives.lifecycle.requirements import crosswalk

PAGE = 4
CHUNK = 100
HEADING = [
    "Framework",
    "Reference",
    "Rulebook",
    "Key",
    "Question",
    "Initiative",
    "Title",
    "Stage",
    "Answer",
    "Words of the answer",
    "Answered by",
    "Answered at",
    "Evidence",
    "Signed",
]


@reads_replica
@require_safe
def frameworks(request: SignedInRequest) -> HttpResponse:
    """Show the paragraphs of a framework, or each initiative's rows for one."""
    may_audit(request.user).or_refuse()
    rulebook = Rulebook.objects.in_force()
    parsed = rulebook.parsed if rulebook else None
    framework, reference, wanted = _asked(request, parsed)
    listed = crosswalk.references(parsed, framework) if framework else {}
    if csv_export.asked(request):
        asked = listed[reference] if reference else [one for rows in listed.values() for one in rows]
        return _file(request, rulebook, framework, asked, (reference, wanted))
    context: dict[str, Any] = {
        "nav": "audit",
        "tab": "frameworks",
        "rulebook": rulebook,
        "frameworks": [(key, framework_words(key)) for key in _frameworks(parsed)],
        "framework": framework,
        "framework_words": framework_words(framework),
        "references": [(name, rows, len(rows)) for name, rows in listed.items()],
        "reference": reference,
        "initiative": wanted,
        "today": clock.today(),
    }
    if reference:
        page = page_of(request, _initiatives(request, wanted), PAGE)
        initiatives = list(page)
        by_initiative: dict[int, list] = {initiative.pk: [] for initiative in initiatives}
        for row in crosswalk.found(initiatives, listed[reference], parsed):
            by_initiative[row.initiative.pk].append(row)
        context |= {
            "page": page,
            "asked": listed[reference],
            "initiatives": [(initiative, by_initiative[initiative.pk]) for initiative in initiatives],
        }
    return render(request, "initiatives/requirements/crosswalk.html", context)


def _file(
    request: SignedInRequest, rulebook: Rulebook, framework: str, asked: list, of: tuple
) -> HttpResponse:
    """Return the same as CSV: a row for each reference, requirement, initiative."""
    rows = _lines(_initiatives(request, of[1]), asked, rulebook, framework_words(framework))
    name = f"crosswalk-{framework or 'none'}"
    return csv_export.stream(
        name, HEADING, rows, of=" ".join(filter(None, of)) or "every reference", by=request.user
    )


def _lines(initiatives, asked, rulebook, framework: str):
    keys = list(initiatives.values_list("pk", flat=True))
    for start in range(0, len(keys), CHUNK):
        some = list(initiatives.filter(pk__in=keys[start : start + CHUNK]))
        for row in crosswalk.found(some, asked, rulebook.parsed):
            answer = row.answer
            yield [
                framework,
                row.asked.reference,
                rulebook.version,
                row.asked.key,
                row.asked.question,
                row.initiative.ref,
                row.initiative.title,
                row.initiative.get_stage_display(),
                answer.get_kind_display() if answer else ("" if row.asked.criterion else "not answered"),
                answer.text if answer else "",
                answer.by.full_name if answer else "",
                answer.at if answer else None,
                "; ".join(_offered_words(offered) for offered in row.offered),
                "; ".join(_sign_off_words(sign_off) for sign_off in row.sign_offs),
            ]


def _offered_words(offered: crosswalk.OfferedEvidence) -> str:
    item = offered.evidence
    words = [f"{item.title} ({item.get_kind_display().lower()}, observed {item.observed_on.isoformat()}"]
    words += [f"result {item.result}"] if item.result else []
    words += [offered.state] if offered.state else []
    words += [f"current to {offered.last.isoformat()}"] if offered.last else []
    words += [f"sha-256 {item.sha256}"] if item.sha256 else []
    return ", ".join(words) + ")"


def _sign_off_words(sign_off) -> str:
    seat = Seat.word(sign_off.seat)
    return (
        f"{sign_off.get_verdict_display()} by {sign_off.person.full_name}, {seat}, gate {sign_off.review.gate}, "
        f"{clock.local_day(sign_off.at).isoformat()}, statement sha-256 {sign_off.digest}"
    )


def _frameworks(parsed) -> list[str]:
    known = list(FRAMEWORKS)
    present = parsed.crosswalk_frameworks() if parsed else ()
    return sorted(present, key=lambda key: known.index(key) if key in known else len(known))


def _asked(request: SignedInRequest, parsed) -> tuple[str, str, str]:
    """Return framework, reference and initiative of the address. Unknown values are ignored."""
    names = _frameworks(parsed)
    framework = pick(request.GET.get("framework"), names, names[0] if names else "")
    listed = crosswalk.references(parsed, framework) if framework else {}
    return (
        framework,
        pick(request.GET.get("reference"), listed),
        request.GET.get("initiative", "").strip().upper()[:12],
    )


def _initiatives(request: SignedInRequest, wanted: str):
    initiatives = (
        visibility.visible_to(request.user).own().filter(withdrawn_at__isnull=True).order_by("number")
    )
    if not wanted:
        return initiatives
    number = wanted.removeprefix("AI-")
    known = number.isascii() and number.isdecimal() and len(number) < 10
    return initiatives.filter(number=int(number)) if known else initiatives.none()
