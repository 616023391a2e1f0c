"""Pages of the imports, for admins: upload, preview, mapping, confirmation, rows set aside."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from governance.people.permissions import may_import
from governance.permission_result import Conflict
from governance.tables.encodings import CodePageUnsure
from governance.vocabulary import Stage
from initiatives.imports.assertions.asserted_moves import BY_NAME
from initiatives.imports.assertions.row_forms import MoveForm, PairForm
from initiatives.imports.inventories import actions
from initiatives.imports.inventories.forms import ConfirmForm, MappingForm, RowForm, UploadForm
from initiatives.imports.inventories.import_batch import COUNTED
from initiatives.imports.inventories.inventory_columns import PROBLEMS
from initiatives.imports.inventories.inventory_sources import FIELDS, KNOWN
from initiatives.models import ImportBatch, ImportRow, Initiative
from initiatives.templatetags.imported import source_words

ROWS_ON_A_PAGE = 50


def imports(request):
    """The files that were uploaded, newest first, and the form for the next one."""
    may_import(request.user).or_refuse()
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    unsure = None
    if request.method == "POST" and form.is_valid():
        try:
            return _upload(request, form)
        except CodePageUnsure as question:
            unsure = question
            form = form.again(request.user, question)
        except ValidationError as wrong:
            _put_on(form, wrong)
        except Conflict as other:
            form.add_error(None, str(other))
    batches = ImportBatch.objects.select_related("uploaded_by", "confirmed_by", "repeats")
    page = Paginator(batches, 20).get_page(request.GET.get("page"))
    context = {"nav": "imports", "form": form, "unsure": unsure, "page": page}
    return render(request, "initiatives/imports/inventories/imports.html", context)


def _upload(request, form):
    cleaned = form.cleaned_data
    content, name = form.content(request.user)
    batch = actions.upload_batch(
        content=content,
        file_name=name,
        source=form.source_key,
        encoding=cleaned["encoding"],
        organisation=cleaned["organisation"],
        published_on=cleaned["published_on"],
        backfill=cleaned["backfill"],
        own=cleaned["own"],
        by=request.user,
    )
    form.throw_away()
    if batch.repeats_id:
        messages.info(
            request, _("This very file was uploaded before: nothing changed. Here is what it brought then.")
        )
        return redirect("import", pk=batch.repeats_id)
    messages.success(request, f"Read {batch.counts['rows']} rows. Nothing is live until you confirm.")
    return redirect("import", pk=batch.pk)


def _where_it_lands(batch: ImportBatch) -> list[str]:
    """Where the rows are found afterwards, and who sees them."""
    if batch.own:
        return [
            "It is your own organisation's list: its initiatives lie in units of their names, in the portfolio, and "
            "are counted with yours. The boards of these units, admins and auditors open them.",
        ]
    return [
        "It is a list of others: its initiatives lie in units below \u201cImported\u201d, apart from your own: in no "
        "menu, count or reminder of yours.",
        "Who sits on a board reads the list under \u201cLists of others\u201d, with its moves and answers; admins and "
        "auditors open each initiative too. An admin who takes a unit over makes its initiatives your own.",
    ]


def _put_on(form, wrong: ValidationError) -> None:
    """Each message beside its field; what no field of the form holds goes above it."""
    if not hasattr(wrong, "error_dict"):
        form.add_error(None, wrong)
        return
    for name, errors in wrong.error_dict.items():
        form.add_error(name if name in form.fields else None, errors)


def batch(request, pk):
    """The preview: what would become of every row and why; for new sources also the mapping."""
    may_import(request.user).or_refuse()
    row = get_object_or_404(
        ImportBatch.objects.select_related("uploaded_by", "confirmed_by", "repeats"), pk=pk
    )
    if row.repeats_id and not row.rows.exists():
        return redirect("import", pk=row.repeats_id)
    mapping = _mapping(request, row)
    if request.method == "POST":
        if mapping is None:
            raise Http404("This file has no mapping to choose.")
        if mapping.is_valid():
            try:
                actions.map_batch(batch=row, by=request.user, **mapping.chosen())
            except ValidationError as wrong:
                _put_on(mapping, wrong)
            else:
                messages.success(request, "Mapped, and remembered for the next file of this source.")
                return redirect("import", pk=pk)
    rows, chosen = _filtered(request, row)
    page = Paginator(rows, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    tally = dict(row.rows.values_list("decision").annotate(n=Count("pk")).order_by())
    context = {
        "nav": "imports",
        "batch": row,
        "source": source_words(row.source),
        "mapping": mapping,
        "tally": [(name, words, tally.get(name, 0)) for name, words in ImportRow.DECISIONS.items()],
        "total": sum(tally.values()),
        "problems": _problem_tally(row),
        "groups": _groups(row),
        "waiting": row.rows.filter(done_at__isnull=True).count(),
        "organisations": [name for name, _ in _organisations(row.rows)],
        "page": page,
        "rows": [_shown(each) for each in page],
        "chosen": chosen,
        "repeats": row.repeated_by.count(),
    }
    return render(request, "initiatives/imports/inventories/import_batch.html", context)


def _mapping(request, row: ImportBatch) -> MappingForm | None:
    """The mapping of a source that is not one of ours, while nothing of the file is live."""
    if row.source in KNOWN or row.rows.filter(done_at__isnull=False).exists():
        return None
    return MappingForm(row, request.POST if request.method == "POST" else None)


def _filtered(request, row: ImportBatch):
    rows = row.rows.select_related("initiative")
    chosen = {
        name: request.GET.get(name, "") for name in ("decision", "problem", "organisation", "group", "q")
    }
    if chosen["decision"] in ImportRow.DECISIONS:
        rows = rows.filter(decision=chosen["decision"])
    if chosen["problem"] in PROBLEMS:
        rows = rows.filter(problems__contains=[{"kind": chosen["problem"]}])
    if chosen["organisation"]:
        rows = rows.filter(mapped__organisation=chosen["organisation"])
    if chosen["group"]:
        rows = rows.filter(group=chosen["group"])
    if chosen["q"]:
        rows = rows.filter(mapped__title__icontains=chosen["q"][:200])
    return rows.order_by("line"), chosen


def _problem_tally(row: ImportBatch) -> list[tuple[str, str, int]]:
    found: dict[str, int] = {}
    for problems in row.rows.exclude(problems=[]).values_list("problems", flat=True):
        for kind in {each["kind"] for each in problems}:
            found[kind] = found.get(kind, 0) + 1
    return [(kind, words, found[kind]) for kind, words in PROBLEMS.items() if kind in found]


def _groups(row: ImportBatch) -> list[dict]:
    """Repeated organisation and id, with what becomes of each row."""
    groups: dict[str, list[ImportRow]] = {}
    for each in row.rows.exclude(group="").order_by("group", "line"):
        groups.setdefault(each.group, []).append(each)
    found = []
    for name, rows in groups.items():
        same = len({each.raw_digest for each in rows}) == 1
        words = "one system, the same line twice" if same else f"{len(rows)} lines kept as different systems"
        found.append({"name": name, "rows": rows, "words": words})
    return found


def _organisations(rows) -> list[tuple[str, int]]:
    named = rows.annotate(named=KeyTextTransform("organisation", "mapped"))
    return list(named.values_list("named").annotate(n=Count("pk")).order_by("named"))


def _shown(row: ImportRow) -> dict:
    return {"row": row, "stage": Stage.word(row.mapped.get("stage", "")), "case": row.initiative}


def confirm(request, pk):
    """What will happen, for which organisations; then it happens."""
    may_import(request.user).or_refuse()
    row = get_object_or_404(ImportBatch, pk=pk)
    waiting = row.rows.filter(done_at__isnull=True)
    organisations = _organisations(waiting)
    if not organisations:
        messages.info(request, _("Every row of this file is dealt with already."))
        return redirect("import", pk=pk)
    form = ConfirmForm(organisations, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            counts = actions.confirm_batch(
                batch=row, organisations=form.cleaned_data["organisations"], by=request.user
            )
        except Conflict as other:
            form.add_error(None, str(other))
        else:
            words = ", ".join(f"{counts[word]} {word}" for word in COUNTED.values() if counts[word])
            messages.success(request, f"Of {counts['rows']} rows: {words}.")
            return redirect("import", pk=pk)
    tally = dict(waiting.values_list("decision").annotate(n=Count("pk")).order_by())
    happens = [
        f"{tally.get('import', 0)} initiatives arrive with the stage their source claims, on the basis of an import.",
        "Their supported stage is worked out at once: nothing is evidenced here yet.",
    ]
    if tally.get("merge"):
        happens.append(f"{tally['merge']} repeated lines join the initiative of the line they repeat.")
    if tally.get("triage"):
        happens.append(f"{tally['triage']} rows stay set aside until somebody decides them by hand.")
    happens += _where_it_lands(row)
    happens.append("Nobody becomes an owner, nothing is signed or decided, nothing is due.")
    context = {"nav": "imports", "batch": row, "form": form, "happens": happens}
    return render(request, "initiatives/imports/inventories/import_confirm.html", context)


def _row_form(row: ImportRow, posted):
    """What is to be said of a row set aside: which case it speaks of, whether its move is taken, or its stage."""
    if row.paired_by == BY_NAME:
        cases = Initiative.objects.filter(pk__in=row.mapped.get("candidates", ())).order_by("number")
        return PairForm(cases, posted)
    if row.initiative_id is not None:
        return MoveForm(row, posted)
    return RowForm(posted)


def decide_row(request, pk):
    """One row as it came, how it was read, what is wrong; and its decision where it was set aside."""
    may_import(request.user).or_refuse()
    row = get_object_or_404(ImportRow.objects.select_related("batch", "initiative"), pk=pk)
    posted = request.POST if request.method == "POST" else None
    form = _row_form(row, posted) if row.decision == "triage" else None
    if request.method == "POST":
        if form is None:
            messages.info(request, f"This row is decided already: {row.get_decision_display().lower()}.")
            return redirect("import-row", pk=pk)
        if form.is_valid():
            try:
                row = form.decide(row, by=request.user)
            except ValidationError as wrong:
                _put_on(form, wrong)
            except Conflict as other:
                form.add_error(None, str(other))
            else:
                messages.success(request, f"Line {row.line}: {row.get_decision_display().lower()}.")
                # A confirmed pair leaves its move to be decided, on the same page.
                again = row.decision == "triage"
                return redirect("import-row", pk=pk) if again else redirect("import", pk=row.batch_id)
    columns = row.batch.columns or list(row.raw)
    read = row.mapped | {"stage": Stage.word(row.mapped.get("stage", ""))}
    context = {
        "nav": "imports",
        "row": row,
        "form": form,
        "raw": [(name, row.raw.get(name, "")) for name in columns],
        "read": [(words, read.get(name) or "") for name, words in FIELDS.items()],
        "problem_words": PROBLEMS,
    }
    return render(request, "initiatives/imports/inventories/import_row.html", context)
