"""Pages of the system imports: upload, mapping, choice of rows and confirmation."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from governance.audit_log import csv_export
from governance.tables.encodings import CodePageUnsure
from governance.vocabulary.phrases import phrase
from governance.web.charts.primitives import count
from initiatives.integration.systems import import_permissions
from initiatives.lifecycle.initiative.initiative_frame import fix, page_of, pick, sent
from initiatives.models import SystemImport, SystemImportRow
from initiatives.models.imports import REGISTER_KINDS, ROW_STATES
from initiatives.portfolio.imports.step_page import ask_step
from initiatives.portfolio.imports.systems import actions
from initiatives.portfolio.imports.systems.actions import go_on
from initiatives.portfolio.imports.systems.column_guesses import export_of
from initiatives.portfolio.imports.systems.forms import ColumnsForm, SystemImportForm
from initiatives.portfolio.imports.systems.row_comparison import KEYS
from initiatives.portfolio.imports.systems.table_fields import FIELDS

ROWS_ON_A_PAGE = 50
AT_ONCE_SECONDS = 3.0  # what is entered while somebody waits; the worker does the rest
SAMPLES = 3  # rows shown beside the headers
LONGEST_SHOWN = 300  # characters of a cell; the export holds it whole
TONES = {"new": "lead", "differs": "warn", "wrong": "bad", "entered": "ok", "replaced": "ok"}


def system_imports(request):
    """Show the tables that were read, newest first, and the form for the next one."""
    import_permissions.may_bring_any(request.user).or_refuse()
    kinds = [kind for kind in REGISTER_KINDS if import_permissions.may_bring(request.user, kind)]
    initial = {"kind": pick(request.GET.get("kind"), kinds)}
    form = SystemImportForm(sent(request), request.FILES or None, kinds=kinds, initial=initial)
    unsure = None
    if request.method == "POST" and form.is_valid():
        try:
            return _read(request, form)
        except CodePageUnsure as question:
            unsure = question
            form = form.again(request.user, question)
        except ValidationError as wrong:
            fix(form, wrong)
    batches = (
        SystemImport.objects.current().filter(kind__in=REGISTER_KINDS).select_related("by", "confirmed_by")
    )
    if not import_permissions.may_see_all(request.user):
        batches = batches.filter(by=request.user)
    page = page_of(request, batches.annotate(size=Count("rows")).order_by("-pk"))
    context = {
        "nav": "systems",
        "form": form,
        "unsure": unsure,
        "page": page,
        "admin": request.user.is_admin,
    }
    return render(request, "initiatives/imports/systems/system_imports.html", context)


def _read(request, form):
    content, name = form.content(request.user)
    batch, again = actions.read_system_import(
        content=content,
        file_name=name,
        kind=form.cleaned_data["kind"],
        encoding=form.cleaned_data["encoding"],
        by=request.user,
    )
    form.throw_away()
    if again:
        messages.info(
            request,
            _(
                "This file was imported before, and nothing changed. The results of the first import are "
                "below."
            ),
        )
    else:
        messages.success(
            request,
            phrase(
                "{} read. The register changes only when you confirm.", count(batch.rows.count(), "row")
            ).in_language(),
        )
    return redirect("system-import", pk=batch.pk)


def _batch(request, pk: int) -> SystemImport:
    """Return the table, for its uploader and admins. Raises Http404 for everyone else."""
    import_permissions.may_bring_any(request.user).or_refuse()
    batch = (
        SystemImport.objects.current()
        .select_related("by", "confirmed_by")
        .filter(pk=pk, kind__in=REGISTER_KINDS)
        .first()
    )
    if batch is None or not (import_permissions.may_see_all(request.user) or batch.by_id == request.user.pk):
        raise Http404("This table does not exist.")
    return batch


def system_import(request, pk):
    """Show the rows of a table beside the register with results, and save choices."""
    batch = _batch(request, pk)
    if request.method == "POST":
        return _choose(request, batch)
    rows, chosen = _filtered(request, batch)
    if csv_export.asked(request):
        return _file(request, batch, rows, chosen)
    tally = dict(batch.rows.values_list("state").annotate(n=Count("pk")).order_by())
    total, waiting = sum(tally.values()), batch.rows.waiting().count()
    page = page_of(request, rows, ROWS_ON_A_PAGE)
    context = {
        "nav": "systems",
        "batch": batch,
        "tally": [(state, words, tally.get(state, 0)) for state, words in ROW_STATES.items()],
        "total": total,
        "open": batch.confirmed_at is None,
        "ready": bool(waiting),
        "progress": _progress(batch, total, waiting),
        "columns": _columns(batch) if batch.confirmed_at is None else [],
        "mapped": _mapped(batch),
        "unused": _unused(batch),
        "page": page,
        "rows": [_shown(batch.kind, row) for row in page],
        "chosen": chosen,
    }
    return render(request, "initiatives/imports/systems/system_import.html", context)


def _choose(request, batch: SystemImport):
    """Save a choice for rows, a column or omissions, or continue a confirmed table."""
    posted, do = request.POST, request.POST.get("do", "")
    back = f"{reverse('system-import', args=[batch.pk])}{_query(request)}#rows"
    if do == "rows":
        shown = [int(key) for key in posted.getlist("row") if key.isdecimal() and len(key) < 19][
            : 2 * ROWS_ON_A_PAGE
        ]
        takes: dict[int, list[str]] = {key: [] for key in shown}
        for word in posted.getlist("take"):
            key, _, name = word.partition(":")
            if key.isdecimal() and len(key) < 19 and int(key) in takes:
                takes[int(key)].append(name)
        out = {key for key in posted.getlist("out") if key.isdecimal()}
        left = {key: str(key) in out for key in shown}
        actions.choose_rows(batch=batch, takes=takes, left_out=left, by=request.user)
        messages.success(request, "Your choice is saved. The register changes only when you confirm.")
    elif do in ("take", "keep"):
        rows = actions.take_column(
            batch=batch, field=posted.get("field", "")[:40], take=do == "take", by=request.user
        )
        whose = "the values of the table" if do == "take" else "the values of the register"
        messages.success(
            request, phrase("{} will have {} when you confirm.", count(rows, "row"), whose).in_language()
        )
    elif do == "leave":
        rows = actions.leave_rows(
            batch=batch, state=posted.get("state", ""), words=posted.get("q", "")[:200], by=request.user
        )
        messages.success(request, phrase("{} left out.", count(rows, "row is", "rows are")).in_language())
    elif do == "on":
        import_permissions.may_work_on(batch, request.user).or_refuse()
        left = actions.enter_rows(batch, seconds=AT_ONCE_SECONDS) if batch.confirmed_at else 0
        messages.success(
            request,
            f"{count(left, 'row is not imported yet.', 'rows are not imported yet.')}"
            if left
            else "All rows are decided.",
        )
    return redirect(back)


def _query(request) -> str:
    return f"?{request.GET.urlencode()}" if request.GET else ""


def _filtered(request, batch: SystemImport):
    rows = batch.rows.order_by("line")
    chosen = {
        "state": pick(request.GET.get("state", ""), ROW_STATES),
        "field": pick(request.GET.get("field", ""), {field.name for field in FIELDS[batch.kind]}),
        "q": request.GET.get("q", "")[:200],
    }
    if chosen["state"]:
        rows = rows.filter(state=chosen["state"])
    if chosen["field"]:
        rows = rows.filter(mapped__differs__has_key=chosen["field"])
    if chosen["q"]:
        rows = rows.filter(mapped__label__icontains=chosen["q"])
    return rows, chosen


def _columns(batch: SystemImport) -> list[dict]:
    """Return the differing fields with the number of rows, and of those taken."""
    differs: dict[str, list[int]] = {}
    rows = batch.rows.filter(state="differs").values_list("mapped__differs", "takes")
    for fields, takes in rows:
        for name in fields:
            count = differs.setdefault(name, [0, 0])
            count[0] += 1
            count[1] += name in takes
    return [
        {
            "name": field.name,
            "words": field.words,
            "rows": differs[field.name][0],
            "taken": differs[field.name][1],
        }
        for field in FIELDS[batch.kind]
        if field.name in differs
    ]


def _mapped(batch: SystemImport) -> list[tuple[str, str]]:
    """Return each field with its source in words."""
    found = []
    for field in FIELDS[batch.kind]:
        how = batch.columns.get("fields", {}).get(field.name, {})
        said = [f"“{name}”" for name in how.get("columns", ())]
        if value := how.get("value"):
            value = (field.choices or {}).get(value, value)
            said.append(f"{value} for rows without a value" if said else f"{value} for all rows")
        if said:
            found.append((field.words, ", else ".join(said)))
    return found


def _unused(batch: SystemImport) -> list[str]:
    """Return the columns of the table that no field reads."""
    used = {name for how in batch.columns.get("fields", {}).values() for name in how.get("columns", ())}
    export = export_of(batch.kind, batch.headers)
    return [name for name in batch.headers if name not in used | set(export.ended if export else ())]


def _thing(kind: str, row: SystemImportRow) -> str:
    """Return the page of the system or term that a row entered as or matches, or ""."""
    values, key = row.mapped.get("values", {}), row.entered or row.mapped.get("target")
    if not key:
        return ""
    if kind == "systems":
        return reverse("system", args=[key])
    return (
        reverse("system", args=[values["system"]])
        if "system" in values
        else reverse("glossary-term", args=[key])
    )


def _shown(kind: str, row: SystemImportRow) -> dict:
    words, names = row.mapped.get("words", {}), {field.name: field.words for field in FIELDS[kind]}
    differs = row.mapped.get("differs", {})
    return {
        "row": row,
        "label": row.mapped.get("label") or "no name",
        "url": _thing(kind, row),
        "tone": TONES.get(row.state, ""),
        "state": ROW_STATES[row.state],
        "out": row.state == "skipped" and bool(row.mapped.get("was")),
        "choosable": row.state in ("new", "differs") or bool(row.mapped.get("was")),
        "differs": [
            {
                "name": name,
                "words": names.get(name, name),
                "register": str(differs[name].get("words") or "")[:LONGEST_SHOWN],
                "table": str(words.get(name, ""))[:LONGEST_SHOWN],
                "taken": name in row.takes,
            }
            for name in differs
        ],
        "said": [
            (names.get(name, name), str(text)[:LONGEST_SHOWN])
            for name, text in words.items()
            if row.state in ("new", "wrong", "skipped") and name not in KEYS[kind]
        ][:8],
    }


def mapping(request, pk):
    """Show which column gives which field. The mapping can change until confirmation."""
    batch = _batch(request, pk)
    import_permissions.may_work_on(batch, request.user).or_refuse()
    form = ColumnsForm(batch, sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            actions.map_system_import(batch=batch, columns=form.chosen(), by=request.user)
        except ValidationError as wrong:
            form.put(wrong)
        else:
            messages.success(request, _("The mapping is saved, and used for tables with these headers."))
            return redirect("system-import", pk=pk)
    rows = list(batch.rows.order_by("line")[:SAMPLES])
    samples = [(name, [row.raw.get(name, "")[:80] for row in rows]) for name in batch.headers]
    context = {"nav": "systems", "batch": batch, "form": form, "samples": samples}
    return render(request, "initiatives/imports/systems/system_import_mapping.html", context)


def confirm(request, pk):
    """Show what the confirmation does, and confirm. The first rows enter at once."""
    batch = _batch(request, pk)
    import_permissions.may_work_on(batch, request.user).or_refuse()
    if batch.confirmed_at:
        messages.info(request, _("This table is already confirmed."))
        return redirect("system-import", pk=pk)
    if request.method == "POST":
        batch = actions.confirm_system_import(batch=batch, by=request.user)
        left = actions.enter_rows(batch, seconds=AT_ONCE_SECONDS)
        if left:
            go_on()
            messages.success(
                request,
                phrase(
                    "The table is confirmed. {} being imported into the register.",
                    count(left, "row is", "rows are"),
                ).in_language(),
            )
        else:
            messages.success(request, _("The table is confirmed, and its rows are in the register."))
        return redirect("system-import", pk=pk)
    tally = dict(batch.rows.values_list("state").annotate(n=Count("pk")).order_by())
    replaced = batch.rows.waiting().filter(state="differs")
    fields = sum(len(takes) for takes in replaced.values_list("takes", flat=True))
    new, taken = tally.get("new", 0), replaced.count()
    stay, out = tally.get("differs", 0) - taken, tally.get("wrong", 0) + tally.get("skipped", 0)
    ticked = count(fields, "field that you selected", "fields that you selected")
    told = (
        (new, count(new, "row is added to the register.", "rows are added to the register.")),
        (taken, f"The table replaces values of {count(taken, 'row')} in the register, in {ticked}."),
        (
            stay,
            count(
                stay,
                "row that differs keeps the values of the register.",
                "rows that differ keep the values of the register.",
            ),
        ),
        (
            out,
            count(out, "row is", "rows are") + " left out or cannot be read. Such rows are not imported.",
        ),
    )
    happens = [words for number, words in told if number]
    happens.append(
        "If a source moves or is frozen, or a definition changes, evidence that depends on it no longer "
        "counts."
    )
    title = _("Import the table into the register?")
    return ask_step(request, batch, title=title, verb=_("Import the table"), happens=happens)


def drop(request, pk):
    """Discard a table that is not confirmed."""
    batch = _batch(request, pk)
    import_permissions.may_work_on(batch, request.user).or_refuse()
    if request.method == "POST":
        actions.drop_system_import(batch=batch, by=request.user)
        messages.success(
            request,
            phrase("{} is discarded. No row of the file was imported.", batch.file_name).in_language(),
        )
        return redirect("system-imports")
    happens = [
        "The rows of the file are discarded. The register does not change.",
        "The audit log records the upload and the removal of the file.",
    ]
    title = _("Discard the file?")
    return ask_step(request, batch, title=title, verb=_("Discard the file"), happens=happens, danger=True)


def progress(request, pk):
    """Show the progress of a confirmed table, polled every few seconds. Raises Http404 before."""
    batch = _batch(request, pk)
    found = _progress(batch, batch.rows.count(), batch.rows.waiting().count())
    if not found:
        raise Http404("This table was not confirmed.")
    return render(request, "initiatives/imports/systems/_system_import_progress.html", {"progress": found})


def _progress(batch: SystemImport, total: int, waiting: int) -> dict:
    """Return the progress of a confirmed table, or an empty dict before confirmation."""
    if batch.confirmed_at is None:
        return {}
    return {
        "done": total - waiting,
        "total": total,
        "running": waiting > 0,
        "url": reverse("system-import-progress", args=[batch.pk]),
    }


def _file(request, batch: SystemImport, rows: QuerySet, chosen: dict):
    """Return the rows of a table as CSV, with result and reason. Formulas are quoted."""
    heading = ["Line", "State", "Why", *batch.headers]
    lines = (
        [
            row.line,
            ROW_STATES[row.state],
            " ".join(one["text"] for one in row.problems),
            *(row.raw.get(name, "") for name in batch.headers),
        ]
        for row in rows.iterator(chunk_size=500)
    )
    of = ", ".join(f"{name} {value}" for name, value in chosen.items() if value)
    return csv_export.stream(
        "system-import-rows", heading, lines, of=f"{batch.file_name} {of}".strip(), by=request.user
    )
