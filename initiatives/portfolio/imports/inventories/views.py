"""Pages of the imports, for admins: upload, preview, mapping, confirmation, rows."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Count
from django.db.models.fields.json import KeyTextTransform
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _

from governance.people.permissions import may_import
from governance.permission_result import Conflict
from governance.tables.encodings import CodePageUnsure
from governance.tables.reader import SheetUnsure
from governance.vocabulary import Stage
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import label, phrase
from initiatives.models import ImportBatch, ImportRow, ImportRun
from initiatives.models.imports import OWN_SHEET
from initiatives.portfolio.imports.inventories import actions, import_runs
from initiatives.portfolio.imports.inventories.forms import (
    ConfirmForm,
    MappingForm,
    RowForm,
    UploadForm,
)
from initiatives.portfolio.imports.inventories.import_batch import COUNTED
from initiatives.portfolio.imports.inventories.inventory_columns import PROBLEMS
from initiatives.portfolio.imports.inventories.inventory_sources import (
    FIELDS,
    KNOWN,
    newcomer,
    source_for,
    source_words,
)
from initiatives.portfolio.imports.long_steps import long_run
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions
from initiatives.portfolio.imports.portfolio import views as portfolio_views
from initiatives.portfolio.imports.portfolio.portfolio_columns import FIELDS as PORTFOLIO_FIELDS

ROWS_ON_A_PAGE = 50
SHOWN = 120  # letters of a change


def imports(request):
    """Show the uploaded files, newest first, and the form for the next one."""
    may_import(request.user).or_refuse()
    if request.method == "POST" and "cancel" in request.POST:
        return _cancel(request)
    form = UploadForm(*((request.POST, request.FILES) if request.method == "POST" else ()))
    unsure = sheets = None
    if request.method == "POST" and form.is_valid():
        try:
            return _upload(request, form)
        except CodePageUnsure as question:
            unsure = question
            form = form.again(request.user, question)
        except SheetUnsure as question:
            sheets = question
            form = form.again(request.user, question)
        except ValidationError as wrong:
            put_errors(form, wrong)
        except Conflict as other:
            form.add_error(None, str(other))
    batches = ImportBatch.objects.select_related("uploaded_by", "confirmed_by", "repeats")
    page = Paginator(batches, 20).get_page(request.GET.get("page"))
    context = {
        "nav": "imports",
        "form": form,
        "unsure": unsure,
        "sheets": sheets,
        "page": page,
        "files": [(each, source_words(each.source)) for each in page],
        "runs": (runs := import_runs.told()),
        "busy": any(run.under_way for run in runs),
    }
    return render(request, "initiatives/imports/inventories/imports.html", context)


def _upload(request, form):
    cleaned = form.cleaned_data
    content, name = form.content(request.user)
    described = source_for(slugify(form.source_key)[:60]) or newcomer(slugify(form.source_key)[:60])
    opened = actions.open_inventory(content, described, cleaned["encoding"], cleaned["sheet"])
    titles = dict(opened.table.sheets)
    if described.guessed and len(titles) > 1 and not cleaned["sheet"] and described.sheet not in titles:
        raise SheetUnsure(opened.table.sheets, opened.table.sheet)
    own, read = cleaned["source"] == OWN_SHEET, {"encoding": cleaned["encoding"], "sheet": cleaned["sheet"]}
    if own:
        portfolio_actions.refuse_too_many(opened.rows)
    if own and opened.rows <= import_runs.LONG:
        batch = portfolio_actions.upload_portfolio(content=content, file_name=name, by=request.user, **read)
        form.throw_away()
        messages.success(
            request,
            phrase(
                "{} rows are read. They are imported when you publish them.", batch.rows.count()
            ).in_language(),
        )
        return redirect(batch)
    options = {"source": form.source_key, **read}
    if not own:
        options |= {name: cleaned[name] for name in ("organisation", "published_on", "own")}
    if opened.rows > import_runs.LONG:
        if day := options.get("published_on"):
            options["published_on"] = day.isoformat()
        import_runs.ask_run(
            kind="upload",
            rows=opened.rows,
            options=options,
            content=content,
            file_name=name,
            by=request.user,
        )
        form.throw_away()
        messages.success(
            request,
            phrase(
                "{} has {} rows, so it is read in the background. You can leave this page.",
                name,
                f"{opened.rows:,}",
            ).in_language(),
        )
        return redirect(f"{reverse('imports')}#under-way")
    del opened
    batch = actions.upload_batch(content=content, file_name=name, by=request.user, **options)
    form.throw_away()
    if batch.repeats_id:
        messages.info(
            request,
            _(
                "This file was uploaded before, and nothing changed. The results of the first upload are "
                "below."
            ),
        )
        return redirect("import", pk=batch.repeats_id)
    messages.success(
        request,
        phrase(
            "{} rows are read. They are imported when you confirm them.", batch.counts["rows"]
        ).in_language(),
    )
    return redirect("import", pk=batch.pk)


def _where_it_lands(batch: ImportBatch) -> list[str]:
    """Return the later place of the rows, and who can see them, in sentences."""
    if batch.own:
        return [
            "This file lists your own organisation. Its initiatives are placed in units with the names "
            "in the file, and are counted in your portfolio. The boards of these units, admins and "
            "auditors can open them.",
        ]
    return [
        "This file is an external inventory. Its initiatives are placed in units below “Imported”, apart "
        "from your own. Your menus, counts and reminders leave these initiatives out.",
        "Admins and auditors can open them under “External inventories”. An admin can take over a unit. "
        "Its initiatives are then your own.",
    ]


def _cancel(request):
    run = get_object_or_404(ImportRun, pk=request.POST["cancel"] if request.POST["cancel"].isdigit() else 0)
    if import_runs.cancel_run(run=run, by=request.user):
        messages.success(
            request, phrase("The import of {} is cancelled. No row was added.", run.file_name).in_language()
        )
    else:
        messages.info(
            request, phrase("The import of {} had already finished or stopped.", run.file_name).in_language()
        )
    return redirect("imports")


def batch(request, pk):
    """Show the preview: the result of each row with its reason, and the mapping."""
    may_import(request.user).or_refuse()
    row = get_object_or_404(
        ImportBatch.objects.select_related("uploaded_by", "confirmed_by", "repeats"), pk=pk
    )
    if row.repeats_id and not row.rows.exists():
        return redirect("import", pk=row.repeats_id)
    own = row.source == OWN_SHEET
    mapping = portfolio_views.mapping_of(request, row) if own else _mapping(request, row)
    rows, chosen = _filtered(request, row)
    if request.method == "POST":
        if mapping is None:
            raise Http404("This file has no mapping to choose.")
        if mapping.is_valid() and (portfolio_views.map_sheet if own else _map)(request, row, mapping):
            return redirect(row)
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
        "run": row.runs.under_way().first(),
        "nameless": not row.reading.get("columns", {}).get("title"),
        "waiting": row.rows.filter(done_at__isnull=True).count(),
        "organisations": [name for name, _ in _organisations(row.rows)],
        "page": page,
        "rows": [_shown(each, row) for each in page],
        "chosen": chosen,
        "repeats": row.repeated_by.count(),
        "proposed": ImportRow.objects.proposing_changes().filter(batch=row).count(),
        "own": own,
    }
    if own:
        context |= portfolio_views.preview_of(row, mapping)
    return render(request, "initiatives/imports/inventories/import_batch.html", context)


def _mapping(request, row: ImportBatch) -> MappingForm | None:
    """Return the mapping form of a source without a description, until rows are live."""
    live = row.rows.filter(done_at__isnull=False).exists()
    if live or row.source in KNOWN or row.discarded_at or row.undone_at:
        return None
    return MappingForm(row, request.POST if request.method == "POST" else None)


def _map(request, row: ImportBatch, mapping: MappingForm) -> bool:
    """Map at once, or in the background if long. Return False if a typed value is wrong."""
    try:
        if not long_run(request, row, "map", row.rows.count(), mapping.chosen()):
            actions.map_batch(batch=row, by=request.user, **mapping.chosen())
            messages.success(request, "The mapping is saved, and used for the next file of this source.")
    except ValidationError as wrong:
        put_errors(mapping, wrong)
        return False
    except Conflict as other:
        mapping.add_error(None, str(other))
        return False
    return True


def _filtered(request, row: ImportBatch):
    rows = row.rows.select_related("initiative")
    chosen = {name: request.GET.get(name, "") for name in ("decision", "problem", "organisation", "q")}
    if chosen["decision"] in ImportRow.DECISIONS:
        rows = rows.filter(decision=chosen["decision"])
    if chosen["problem"] in PROBLEMS:
        rows = rows.filter(problems__contains=[{"kind": chosen["problem"]}])
    if chosen["organisation"]:
        rows = rows.filter(mapped__organisation=chosen["organisation"])
    if chosen["q"]:
        rows = rows.filter(mapped__title__icontains=chosen["q"][:200])
    return rows.order_by("line"), chosen


def _problem_tally(row: ImportBatch) -> list[tuple[str, str, int]]:
    """Return the number of rows by kind of problem. The database counts, for large files."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT one ->> 'kind', count(DISTINCT r.id) FROM initiatives_importrow r,"
            " jsonb_array_elements(r.problems) one WHERE r.batch_id = %s GROUP BY 1",
            [row.pk],
        )
        found = dict(cursor.fetchall())
    return [(kind, words, found[kind]) for kind, words in PROBLEMS.items() if kind in found]


def _organisations(rows) -> list[tuple[str, int]]:
    named = rows.annotate(named=KeyTextTransform("organisation", "mapped"))
    return list(named.values_list("named").annotate(n=Count("pk")).order_by("named"))


def _shown(row: ImportRow, batch: ImportBatch) -> dict:
    said = row.mapped
    found = {
        "row": row,
        "stage": Stage.word(said.get("stage", "")),
        "initiative": row.initiative,
        "where": ", ".join(filter(None, (said["organisation"], said["bureau"]))),
        "changes": [
            {
                "words": PORTFOLIO_FIELDS[each["field"]],
                "before": each["before"][:SHOWN] or "nothing",
                "after": each["after"][:SHOWN],
            }
            for each in said.get("changes", ())
        ],
    }
    return found | portfolio_views.shown(row, batch) if batch.source == OWN_SHEET else found


def confirm(request, pk):
    """Show what the import does, for which organisations, and confirm it."""
    may_import(request.user).or_refuse()
    row = get_object_or_404(ImportBatch, pk=pk)
    if row.source == OWN_SHEET:
        return portfolio_views.publish(request, row)
    waiting = row.rows.filter(done_at__isnull=True)
    organisations = _organisations(waiting)
    if not organisations:
        messages.info(request, _("All rows of this file are already decided."))
        return redirect("import", pk=pk)
    form = ConfirmForm(organisations, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        chosen, rows = form.cleaned_data["organisations"], waiting.count()
        try:
            if long_run(request, row, "confirm", rows, {"organisations": chosen}):
                return redirect("import", pk=pk)
            counts = actions.confirm_batch(batch=row, organisations=chosen, by=request.user)
        except Conflict as other:
            form.add_error(None, str(other))
        except ValidationError as wrong:
            put_errors(form, wrong)
        else:
            words = ", ".join(f"{counts[word]} {word}" for word in COUNTED.values() if counts[word])
            messages.success(request, phrase("{} rows: {}.", counts["rows"], words).in_language())
            return redirect("import", pk=pk)
    tally = dict(waiting.values_list("decision").annotate(n=Count("pk")).order_by())
    happens = [
        f"{tally.get('import', 0)} initiatives are added with the stage that their source reports.",
        "Plumbline then computes their supported stage. No initiative has evidence yet.",
    ]
    if tally.get("change"):
        happens.append(
            f"{tally['change']} rows propose changes to existing initiatives. The owners decide on these "
            "changes."
        )
    if tally.get("merge"):
        happens.append(f"{tally['merge']} repeated lines are merged into the initiative of the first line.")
    if tally.get("triage"):
        happens.append(f"{tally['triage']} rows stay set aside until someone decides them by hand.")
    happens += _where_it_lands(row)
    happens.append("The import makes no one an owner, signs nothing and creates no obligations.")
    context = {
        "nav": "imports",
        "batch": row,
        "title": _("Publish the import?"),
        "lede": _("Import all rows, or one organisation now and the others later."),
        "happens": happens,
        "form": form,
        "verb": _("Import the chosen rows"),
        "danger": False,
    }
    return render(request, "initiatives/imports/import_step.html", context)


def decide_row(request, pk):
    """Show one row as it came, as read, and its problems, and decide it if set aside."""
    may_import(request.user).or_refuse()
    row = get_object_or_404(ImportRow.objects.select_related("batch", "initiative"), pk=pk)
    posted = request.POST if request.method == "POST" else None
    own = row.batch.source == OWN_SHEET  # what its words mean is said on the page of the file
    form = RowForm(posted) if row.decision == "triage" and not own else None
    if request.method == "POST":
        if form is None:
            messages.info(
                request,
                phrase(
                    "This row is already decided: {}.", label(row.get_decision_display(), inside=True)
                ).in_language(),
            )
            return redirect("import-row", pk=pk)
        if form.is_valid():
            try:
                row = form.decide(row, by=request.user)
            except ValidationError as wrong:
                put_errors(form, wrong)
            except Conflict as other:
                form.add_error(None, str(other))
            else:
                messages.success(
                    request,
                    phrase(
                        "Line {}: {}.", row.line, label(row.get_decision_display(), inside=True)
                    ).in_language(),
                )
                return redirect("import", pk=row.batch_id)
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
