"""Pages of a sheet of one's own: upload, how it is read, what it brings; changes that it proposes of initiatives."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from governance.models import User
from governance.people.permissions import may_import
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.tables.encodings import CodePageUnsure
from governance.vocabulary import Stage
from initiatives.access import case_lookup
from initiatives.access import permissions as case_permissions
from initiatives.cases.case_frame import mend, one_act, pick, sent
from initiatives.imports.portfolio import actions, proposed_changes, queries
from initiatives.imports.portfolio.forms import ChangesForm, PortfolioForm, PortfolioMappingForm
from initiatives.imports.portfolio.portfolio_columns import FIELDS
from initiatives.imports.portfolio.portfolio_plan import NEW_UNIT
from initiatives.models import ImportBatch, ImportRow
from initiatives.models.imports import OWN_SHEET

ROWS_ON_A_PAGE = 50
SHOWN = 120  # letters of a change


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: SignedInRequest) -> HttpResponse:
    """Upload one's own portfolio."""
    may_import(request.user).or_refuse()
    form = PortfolioForm(request.POST, request.FILES) if request.method == "POST" else PortfolioForm()
    unsure = None
    if request.method == "POST" and form.is_valid():
        try:
            content, name = form.content(request.user)
            batch = actions.upload_portfolio(
                content=content, file_name=name, encoding=form.cleaned_data["encoding"], by=request.user
            )
        except CodePageUnsure as question:
            unsure, form = question, form.again(request.user, question)
        except ValidationError as wrong:
            mend(form, wrong)
        except Conflict as other:
            form.add_error(None, str(other))
        else:
            form.throw_away()
            messages.success(request, f"Read {batch.rows.count()} rows. Nothing is live until you publish.")
            return redirect(batch)
    context = {"nav": "imports", "form": form, "unsure": unsure}
    return render(request, "initiatives/imports/portfolio/portfolio_upload.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def sheet(request: SignedInRequest, pk: int) -> HttpResponse:
    """How the sheet is read, corrected on the page, and what becomes of each row."""
    may_import(request.user).or_refuse()
    batch = get_object_or_404(
        ImportBatch.objects.select_related("uploaded_by", "confirmed_by"), pk=pk, source=OWN_SHEET
    )
    waiting = batch.rows.filter(done_at__isnull=True)
    form = None
    if batch.undone_at is None and batch.discarded_at is None and waiting.exists():
        form = PortfolioMappingForm(batch, sent(request))
    if request.method == "POST":
        if form is None:
            raise Http404("Nothing of this sheet waits.")
        if form.is_valid():
            try:
                actions.map_portfolio(batch=batch, by=request.user, **form.chosen())
            except ValidationError as wrong:
                _mend(form, wrong)
            else:
                messages.success(request, "Read anew, and remembered for your next sheet.")
                return redirect(batch)
    chosen = pick(request.GET.get("decision"), ImportRow.DECISIONS)
    rows = batch.rows.select_related("initiative").order_by("line")
    page = Paginator(rows.filter(decision=chosen) if chosen else rows, ROWS_ON_A_PAGE).get_page(
        request.GET.get("page")
    )
    tally = dict(batch.rows.order_by().values_list("decision").annotate(count=Count("pk")))
    publish = waiting.exclude(decision__in=["triage", "change"]).exists()
    context = {
        "nav": "imports",
        "batch": batch,
        "form": form,
        "parts": _parts(form) if form else [],
        "logins": list(User.objects.active().values_list("login", "full_name")) if form else [],
        "tally": [(name, words, tally[name]) for name, words in ImportRow.DECISIONS.items() if name in tally],
        "total": sum(tally.values()),
        "publish": publish and form is not None,
        "changes": waiting.filter(decision="change").count() if form else 0,
        "chosen": chosen,
        "page": page,
        "rows": [_shown(row, batch) for row in page],
    }
    return render(request, "initiatives/imports/portfolio/portfolio_sheet.html", context)


def _parts(form: PortfolioMappingForm) -> list[tuple[str, str, str, list]]:
    """The parts of the mapping with their fields: key, title, what to look at."""
    return [
        (
            "stage",
            _("Statuses"),
            _("Where a word could mean two stages, take the weaker."),
            form.part("stage"),
        ),
        ("unit", _("Departments"), _("Each is a unit here, or becomes one."), form.part("unit")),
        ("column", _("Columns"), _("Which column holds what."), form.part("column")),
    ]


def _mend(form: PortfolioMappingForm, wrong: ValidationError) -> None:
    """Each message at its field; columns go by the names that they have on the form."""
    if not hasattr(wrong, "error_dict"):
        form.add_error(None, wrong)
        return
    for name, errors in wrong.error_dict.items():
        field = f"column_{name}" if f"column_{name}" in form.fields else name
        form.add_error(field if field in form.fields else None, errors)


def _shown(row: ImportRow, batch: ImportBatch) -> dict:
    said = row.mapped
    person = (batch.reading["people"].get(said["contact"]) or {}).get("how", "")
    return {
        "row": row,
        "case": row.initiative,
        "stage": Stage.word(said["stage"]) if said["stage"] else "",
        "unit": said["bureau"] + (" (new)" if said["unit"] == NEW_UNIT else ""),
        "owner": said["contact"],
        "asked": bool(said["owner"]) and bool(person),
        "changes": [
            {
                "words": FIELDS[each["field"]],
                "before": each["before"][:SHOWN] or "nothing",
                "after": each["after"][:SHOWN],
            }
            for each in said["changes"]
        ],
    }


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: SignedInRequest, pk: int) -> HttpResponse:
    """What will happen; then it happens."""
    may_import(request.user).or_refuse()
    batch = get_object_or_404(ImportBatch, pk=pk, source=OWN_SHEET)
    rows = batch.rows.filter(done_at__isnull=True, decision="import")
    if request.method == "POST":
        try:
            counts = actions.confirm_portfolio(batch=batch, by=request.user)
        except ValidationError as wrong:
            messages.error(request, " ".join(wrong.messages))
            return redirect(batch)
        except Conflict as other:
            messages.info(request, str(other))
            return redirect(batch)
        messages.success(
            request,
            f"{counts['imported']} initiatives are in your portfolio; {counts['asked']} times an owner is asked.",
        )
        return redirect(batch)
    context = {"nav": "imports", "batch": batch, "happens": _happens(batch, rows)}
    return render(request, "initiatives/imports/portfolio/portfolio_publish.html", context)


def _happens(batch: ImportBatch, rows) -> list[str]:
    rows = list(rows.values_list("mapped", flat=True))
    ideas = sum(row["stage"] == Stage.PROPOSED for row in rows)
    owners = {row["owner"] for row in rows if row["owner"]}
    new = sorted({row["bureau"] for row in rows if row["unit"] == NEW_UNIT})
    found = [
        f"{len(rows)} initiatives join the portfolio: {ideas} as ideas, {len(rows) - ideas} with the stage that the "
        "sheet claims. Nothing of it is evidenced yet.",
        f"{len(owners)} people are asked to accept what they own, each by one message; "
        f"{sum(not row['owner'] for row in rows)} initiatives wait for an owner.",
    ]
    if new:
        found.append(
            f"{len(new)} units are new: {', '.join(new[:12])}{' and more' if len(new) > 12 else ''}."
        )
    aside = batch.rows.filter(done_at__isnull=True, decision="triage").count()
    if aside:
        found.append(f"{aside} rows wait until you say what their status means.")
    found.append(
        "Boards see them in the portfolio. Nobody becomes an owner without accepting; nothing is due."
    )
    return found


@require_POST
def take_all(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take every change that the sheet proposes of initiatives which an admin may describe; the others wait."""
    may_import(request.user).or_refuse()
    batch = get_object_or_404(ImportBatch, pk=pk, source=OWN_SHEET)
    taken = waits = 0
    for row in batch.rows.filter(done_at__isnull=True, decision="change").select_related("initiative"):
        if not case_permissions.may_describe(row.initiative, request.user):
            waits += 1
            continue
        fields = [each["field"] for each in row.mapped["changes"]]
        try:
            proposed_changes.take_changes(row=row, fields=fields, by=request.user)
        except (Conflict, ValidationError):
            waits += 1  # changed meanwhile, or no longer fits: it stays on the page of its initiative
        else:
            taken += 1
    messages.success(request, f"Taken of {taken} rows; {waits} wait for whoever owns the initiative.")
    return redirect(batch)


@require_http_methods(["GET", "HEAD", "POST"])
def changes(request: SignedInRequest, ref: str) -> HttpResponse:
    """What a sheet proposes of one initiative: its owner takes some, and leaves the rest."""
    case = case_lookup.case_for(request.user, ref)
    case_permissions.may_describe(case, request.user).or_refuse()
    row = queries.changes_waiting().filter(initiative=case).select_related("batch").first()
    if row is None:
        messages.info(request, _("No sheet proposes anything of this initiative now."))
        return redirect(case)
    return one_act(
        request,
        case,
        ChangesForm(row.mapped["changes"], sent(request)),
        lambda said: proposed_changes.take_changes(row=row, fields=said["fields_taken"], by=request.user),
        _("Answered: what you took stands, the rest is left."),
        title=_("Changes that a sheet proposes"),
        lede=f"{row.batch.file_name}, line {row.line}, {row.batch.uploaded_at:%-d %B %Y}.",
        verb=_("Take what is ticked, leave the rest"),
    )
