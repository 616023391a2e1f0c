"""Pages of an organisation's sheet: upload, mapping, preview and changes."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from governance.models import User
from governance.people.people_matching import name_key
from governance.people.permissions import may_import
from governance.permission_result import Answer, Conflict, no
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Stage
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.models import ImportBatch, ImportRow, Initiative
from initiatives.portfolio.imports.long_steps import long_run
from initiatives.portfolio.imports.portfolio import actions, proposed_changes, queries
from initiatives.portfolio.imports.portfolio.forms import ChangesForm, PortfolioMappingForm
from initiatives.portfolio.imports.portfolio.portfolio_columns import FIELDS
from initiatives.portfolio.imports.portfolio.portfolio_plan import NEW_UNIT


def mapping_of(request: SignedInRequest, batch: ImportBatch) -> PortfolioMappingForm | None:
    """Return the mapping form of the sheet, while a row of the sheet waits."""
    waits = batch.rows.filter(done_at__isnull=True).exists()
    current = batch.undone_at is None and batch.discarded_at is None
    return PortfolioMappingForm(batch, sent(request)) if waits and current else None


def map_sheet(request: SignedInRequest, batch: ImportBatch, form: PortfolioMappingForm) -> bool:
    """Read the sheet as the form describes. Return False if a typed value is wrong."""
    try:
        chosen = form.chosen()
        options = chosen | {name: chosen[name] and chosen[name].pk for name in ("unit", "parent")}
        if not long_run(request, batch, "map", batch.rows.count(), options):
            actions.map_portfolio(batch=batch, by=request.user, **chosen)
            messages.success(request, "The mapping is saved, and used for your next sheet.")
    except ValidationError as wrong:
        _fix(form, wrong)
        return False
    except Conflict as other:
        form.add_error(None, str(other))
        return False
    return True


def preview_of(batch: ImportBatch, form: PortfolioMappingForm | None) -> dict:
    """Return what the page of an organisation's sheet adds to that of every file."""
    waiting = batch.rows.filter(done_at__isnull=True)
    return {
        "parts": _parts(form) if form else [],
        "logins": list(User.objects.active().values_list("login", "full_name")) if form else [],
        "waiting": waiting.exclude(decision__in=["triage", "change"]).count() if form else 0,
        "aside": 0,
        "proposed": waiting.filter(decision="change").count() if form else 0,
    }


def _parts(form: PortfolioMappingForm) -> list[tuple[str, str, str, list]]:
    """Return the parts of the mapping with their fields: key, title and instruction."""
    return [
        (
            "repeated",
            _("Repeated initiatives"),
            _("These lines have the same title, ticket or reference."),
            form.part("repeated"),
        ),
        (
            "stage",
            _("Statuses"),
            _("If a word could mean two stages, choose the lower stage."),
            form.part("stage"),
        ),
        (
            "unit",
            _("Departments"),
            _("Each word is an existing unit, or becomes a new unit."),
            form.part("unit"),
        ),
        ("column", _("Columns"), _("The meaning of each column."), form.part("column")),
    ]


def _fix(form: PortfolioMappingForm, wrong: ValidationError) -> None:
    """Add each message to its field. Columns have the names of the form."""
    if not hasattr(wrong, "error_dict"):
        put_errors(form, wrong)
        return
    for name, errors in wrong.error_dict.items():
        field = f"column_{name}" if f"column_{name}" in form.fields else name
        form.add_error(field if field in form.fields else None, errors)


def shown(row: ImportRow, batch: ImportBatch) -> dict:
    """Return a row of the sheet for the page: its unit, owner, and the cells read."""
    said = row.mapped
    asked = bool(said["owner"]) and bool((batch.reading["people"].get(said["contact"]) or {}).get("how", ""))
    owner = _("asked to become the owner") if asked else _("not asked")
    return {
        "where": said["bureau"] + (" (new)" if said["unit"] == NEW_UNIT else ""),
        "owner": said["contact"],
        "asked": _("invited when published") if said["invite"] else owner,
        "read": [each | {"words": FIELDS[each["field"]]} for each in said["read"]],
    }


def publish(request: SignedInRequest, batch: ImportBatch) -> HttpResponse:
    """Show what the publication will do, and publish the sheet."""
    rows = batch.rows.filter(done_at__isnull=True, decision="import")
    if request.method == "POST":
        try:
            if long_run(request, batch, "confirm", batch.rows.filter(done_at__isnull=True).count(), {}):
                return redirect(batch)
            counts = actions.confirm_portfolio(batch=batch, by=request.user)
        except ValidationError as wrong:
            messages.error(request, " ".join(wrong.messages))
            return redirect(batch)
        except Conflict as other:
            messages.info(request, str(other))
            return redirect(batch)
        messages.success(
            request,
            phrase(
                "{} initiatives are in your portfolio. Owners are asked for {} of them.",
                counts["imported"],
                counts["asked"],
            ).in_language(),
        )
        return redirect(batch)
    context = {
        "nav": "imports",
        "batch": batch,
        "title": _("Publish the import?"),
        "lede": "",
        "happens": _happens(batch, rows),
        "form": None,
        "verb": _("Publish and ask the owners to accept"),
        "danger": False,
    }
    return render(request, "initiatives/imports/import_step.html", context)


def _happens(batch: ImportBatch, rows) -> list[str]:
    rows = list(rows.values_list("mapped", flat=True))
    ideas = sum(row["stage"] == Stage.PROPOSED for row in rows)
    owners = {row["owner"] for row in rows if row["owner"]}
    invited = sorted({row["invite"] for row in rows if row["invite"]})
    new = sorted({name_key(row["bureau"]): row["bureau"] for row in rows if row["unit"] == NEW_UNIT}.values())
    found = [
        f"{len(rows)} initiatives are added to the portfolio: {ideas} as ideas, {len(rows) - ideas} "
        "with the stage that the sheet reports. These initiatives have no evidence yet.",
        f"{len(owners)} people are asked to accept ownership, with one message each. "
        f"{sum(not (row['owner'] or row['invite']) for row in rows)} initiatives still need an owner.",
    ]
    if invited:
        listed = f"{', '.join(invited[:12])}{' and more' if len(invited) > 12 else ''}"
        found.append(f"New accounts, each with an invitation by email: {listed}.")
    if new:
        found.append(
            f"{len(new)} units are new: {', '.join(new[:12])}{' and more' if len(new) > 12 else ''}."
        )
    aside = batch.rows.filter(done_at__isnull=True, decision="triage").count()
    if aside:
        found.append(f"{aside} rows are set aside. Answer the questions about them on the page of the file.")
    if unsure := batch.reading["two_readings"]["count"]:
        found.append(f"Amounts and days left out because each can mean two values: {unsure}.")
    found.append(
        "Boards can see the initiatives in the portfolio. Owners must accept their role. No obligations "
        "start."
    )
    return found


@require_POST
def take_all(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take all proposed changes of initiatives that an admin may describe. The others wait."""
    may_import(request.user).or_refuse()
    batch = get_object_or_404(ImportBatch, pk=pk)
    taken = waits = 0
    for row in ImportRow.objects.proposing_changes().filter(batch=batch).select_related("initiative"):
        if not initiative_permissions.may_describe(row.initiative, request.user):
            waits += 1
            continue
        fields = [each["field"] for each in row.mapped["changes"]]
        try:
            proposed_changes.take_changes(row=row, fields=fields, by=request.user)
        except (Conflict, ValidationError):
            waits += 1  # changed meanwhile, or no longer fits: it stays on the page of its initiative
        else:
            taken += 1
    messages.success(
        request,
        phrase(
            "Changes of {} rows are accepted. {} rows wait for the owner of the initiative.", taken, waits
        ).in_language(),
    )
    return redirect(batch)


def _proposing(initiative: Initiative) -> ImportRow | None:
    return queries.changes_waiting().filter(initiative=initiative).select_related("batch").first()


def _may_take(initiative: Initiative, person: User) -> Answer:
    may = initiative_permissions.may_describe(initiative, person)
    if may and _proposing(initiative) is None:
        there = initiative.get_absolute_url()
        return no("No sheet proposes changes to this initiative now.", "Open the initiative.", there)
    return may


def _take(*, initiative: Initiative, fields_taken: list[str], by: User) -> Initiative:
    return proposed_changes.take_changes(row=_proposing(initiative), fields=fields_taken, by=by)


def _line(initiative: Initiative) -> str:
    row = _proposing(initiative)
    return f"{row.batch.file_name}, line {row.line}, {row.batch.uploaded_at:%-d %B %Y}."


INITIATIVE_ACTS["take-changes"] = PageStep(
    may=_may_take,
    act=_take,
    form=ChangesForm,
    given=lambda initiative, request: {"changes": _proposing(initiative).mapped["changes"]},
    title=gettext_lazy("Changes proposed by a sheet"),
    lede=_line,
    verb=gettext_lazy("Accept the selected changes"),
    done=gettext_lazy("The selected changes are accepted, and the others are declined."),
)
