"""Lists as they were imported: their moves, decided by admins; read by boards, auditors and admins."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from governance.ledger import csv_export
from governance.permission_result import Conflict, Refused
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Stage
from initiatives.access.visibility import visible_to
from initiatives.cases.case_frame import page_of
from initiatives.imports.assertions import queries
from initiatives.imports.assertions.actions import decide_move
from initiatives.imports.assertions.asserted_moves import PAIRED_BY
from initiatives.imports.assertions.forms import DecideMovesForm, MovesFilter
from initiatives.imports.assertions.pair_actions import answer_pairs
from initiatives.imports.assertions.permissions import may_decide_moves, may_read_lists
from initiatives.imports.inventories.inventory_sources import newcomer, source_for
from initiatives.models import ImportRow, Initiative

PAGE = 50
MOST = 100  # claims that one press decides: each is an act on its case, and the next press takes the rest
CHUNK = 500
HEADING = [
    *("List", "Published", "Line", "Organisation", "Part", "Id at the source", "Name"),
    *(
        "Reference",
        "Claimed stage",
        "Stage in the older list",
        "Stage in the newer list",
        "As the source wrote it",
    ),
    *("Asserted move", "Paired by", "Decision", "Reason", "Rests on"),
]
STATED = "stated by the source, not evidenced here"


@require_safe
def lists(request: SignedInRequest) -> HttpResponse:
    """Every confirmed list, and where what it asserts is read; with the stages of what others list."""
    may_read_lists(request.user).or_refuse()
    page = page_of(request, queries.lists().select_related("confirmed_by"), PAGE)
    told = Initiative.objects.told().others().order_by()
    stages = dict(told.values_list("stage").annotate(n=Count("pk")))
    waiting = queries.moves(request.user, queries.Wanted()).filter(state__in=("open", "proposed"))
    rows = [
        {"batch": batch, "source": (source_for(batch.source) or newcomer(batch.source)).words}
        for batch in page
    ]
    context = {
        "nav": "leaders",
        "page": page,
        "rows": rows,
        "stages": [(Stage(stage).label, stages[stage]) for stage in Stage if stages.get(stage)],
        "total": sum(stages.values()),
        "waiting": waiting.count(),
        "may_import": request.user.is_admin,
    }
    return render(request, "initiatives/imports/assertions/lists.html", context)


def moves(request: SignedInRequest) -> HttpResponse:
    """The moves that newer lists assert, tallied and row by row; an admin decides on those that were ticked."""
    may_read_lists(request.user).or_refuse()
    form = MovesFilter(request.GET, lists=queries.lists())
    found = queries.moves(request.user, form.wanted)
    deciding = None
    if may_decide_moves(request.user):
        deciding = DecideMovesForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        may_decide_moves(request.user).or_refuse()
        if deciding.is_valid() and _decide(request, deciding, found):
            return redirect(f"{reverse('asserted-moves')}?{request.GET.urlencode()}#rows")
    page = page_of(request, found, PAGE)
    ticked = set(request.POST.getlist("row"))
    context = {
        "nav": "leaders",
        "form": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "tally": queries.tally(queries.moves(request.user, queries.Wanted(batch=form.wanted.batch))),
        "states": list(queries.STATES.items()),
        "batch": form.wanted.batch or "",
        "page": page,
        "rows": _shown(request, page, ticked),
        "deciding": deciding,
    }
    return render(request, "initiatives/imports/assertions/moves.html", context)


def _shown(request, page, ticked) -> list[dict]:
    keys = {row.initiative_id for row in page} - {None}
    candidates = {pk for row in page for pk in row.mapped.get("candidates", ())}
    told = {case.pk: case for case in Initiative.objects.told().filter(pk__in=candidates)}
    opened = set(visible_to(request.user).filter(pk__in=keys | candidates).values_list("pk", flat=True))
    return [
        {
            "row": row,
            "before": Stage.word(row.stage_before) or _("not reported"),
            "after": Stage.word(row.mapped["stage"]) or _("not reported"),
            "move": queries.MOVE_WORDS[row.told],
            "state": queries.STATES[row.state],
            "paired": PAIRED_BY[row.paired_by],
            "cases": [
                (case, case.pk in opened)
                for case in (
                    [row.initiative] if row.initiative else map(told.get, row.mapped.get("candidates", ()))
                )
                if case is not None
            ],
            "decidable": row.state in ("open", "proposed"),
            "ticked": str(row.pk) in ticked,
        }
        for row in page
    ]


def _decide(request, form, found) -> bool:
    """Do what was said of the ticked rows; what could not be done is told row by row. False: nothing was ticked."""
    what, reason = form.cleaned_data["what"], form.cleaned_data["reason"]
    wanted = "proposed" if what in ("same", "other") else "open"
    rows = found.filter(state=wanted)
    if not form.cleaned_data["every"]:
        rows = rows.filter(pk__in=[key for key in request.POST.getlist("row") if key.isdecimal()])
    elif what == "same":
        rows = rows.exclude(
            move=""
        )  # of several initiatives of a name, one is chosen on the page of its line
    rows = list(rows if wanted == "proposed" else rows[:MOST])
    if not rows:
        form.add_error(None, _("Nothing that waits for this was ticked."))
        return False
    if wanted == "proposed":
        try:
            answer_pairs(rows=rows, same=what == "same", reason=reason, by=request.user)
        except (ValidationError, Conflict) as wrong:
            form.add_error(None, wrong if isinstance(wrong, Conflict) is False else str(wrong))
            return False
        messages.success(
            request,
            ngettext("%(n)s row is answered.", "%(n)s rows are answered.", len(rows)) % {"n": len(rows)},
        )
        return True
    return _decide_moves(request, rows, what, reason)


def _decide_moves(request, rows: list[ImportRow], what: str, reason: str) -> bool:
    done = 0
    for row in rows:
        stage = row.mapped["stage"] if what == "take" else ""
        if what == "take" and not stage:
            messages.error(request, f"Line {row.line}: its source reports no stage that could be taken.")
            continue
        try:
            decide_move(row=row, stage=stage, reason=reason, by=request.user)
        except (Refused, Conflict) as refused:
            messages.error(request, f"Line {row.line}: {refused}")
        else:
            done += 1
    messages.success(
        request, ngettext("%(n)s move is decided.", "%(n)s moves are decided.", done) % {"n": done}
    )
    return True


@require_safe
def moves_export(request: SignedInRequest) -> HttpResponse:
    """The same moves as a CSV file, all pages of them."""
    may_read_lists(request.user).or_refuse()
    found = queries.moves(request.user, MovesFilter(request.GET, lists=queries.lists()).wanted)
    lines = (
        [
            row.batch.file_name,
            row.batch.published_on,
            row.line,
            row.mapped["organisation"],
            row.mapped["bureau"],
            row.mapped["key"],
            row.mapped["title"],
            row.initiative.ref if row.initiative else "",
            Stage.word(row.initiative.stage) if row.initiative else "",
            Stage.word(row.stage_before),
            Stage.word(row.mapped["stage"]),
            row.mapped["stage_raw"],
            queries.MOVE_WORDS[row.told],
            PAIRED_BY[row.paired_by],
            queries.STATES[row.state],
            row.mapped.get("by_hand", ""),
            STATED,
        ]
        for row in found.iterator(chunk_size=CHUNK)
    )
    of = request.GET.urlencode() or "all"
    return csv_export.stream("asserted-moves", HEADING, lines, of=of, by=request.user)


def list_of(pk: int):
    """The confirmed list with this key. Raises Http404."""
    return get_object_or_404(queries.lists(), pk=pk)
