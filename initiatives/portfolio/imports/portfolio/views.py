"""Pages of a sheet of one's own: upload, how it is read, what it brings; changes that it proposes of initiatives."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from governance.models import User
from governance.people.permissions import may_import
from governance.permission_result import Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import Stage
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import one_act, sent
from initiatives.models import ImportBatch, ImportRow
from initiatives.portfolio.imports.portfolio import actions, proposed_changes, queries
from initiatives.portfolio.imports.portfolio.forms import ChangesForm, PortfolioMappingForm
from initiatives.portfolio.imports.portfolio.portfolio_columns import FIELDS
from initiatives.portfolio.imports.portfolio.portfolio_plan import NEW_UNIT
from initiatives.portfolio.imports.step_page import ask_step


def mapping_of(request: SignedInRequest, batch: ImportBatch) -> PortfolioMappingForm | None:
    """Return the form that says how the sheet is read, while any row of it waits."""
    waits = batch.rows.filter(done_at__isnull=True).exists()
    current = batch.undone_at is None and batch.discarded_at is None
    return PortfolioMappingForm(batch, sent(request)) if waits and current else None


def map_sheet(request: SignedInRequest, batch: ImportBatch, form: PortfolioMappingForm) -> bool:
    """Read the sheet as the form says; False where something typed is wrong."""
    try:
        actions.map_portfolio(batch=batch, by=request.user, **form.chosen())
    except ValidationError as wrong:
        _fix(form, wrong)
        return False
    messages.success(request, "Mapped, and remembered for your next sheet.")
    return True


def preview_of(batch: ImportBatch, form: PortfolioMappingForm | None) -> dict:
    """Return what the page of a file shows of a sheet of one's own, beside what it shows of every file."""
    waiting = batch.rows.filter(done_at__isnull=True)
    return {
        "parts": _parts(form) if form else [],
        "logins": list(User.objects.active().values_list("login", "full_name")) if form else [],
        "waiting": waiting.exclude(decision__in=["triage", "change"]).count() if form else 0,
        "aside": 0,
        "proposed": waiting.filter(decision="change").count() if form else 0,
    }


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


def _fix(form: PortfolioMappingForm, wrong: ValidationError) -> None:
    """Each message at its field; columns go by the names that they have on the form."""
    if not hasattr(wrong, "error_dict"):
        form.add_error(None, wrong)
        return
    for name, errors in wrong.error_dict.items():
        field = f"column_{name}" if f"column_{name}" in form.fields else name
        form.add_error(field if field in form.fields else None, errors)


def shown(row: ImportRow, batch: ImportBatch) -> dict:
    """Return what the page shows of a row of the sheet: its unit, its owner, and what was read from which cell."""
    said = row.mapped
    asked = bool(said["owner"]) and bool((batch.reading["people"].get(said["contact"]) or {}).get("how", ""))
    owner = _("asked to own it") if asked else _("not asked")
    return {
        "where": said["bureau"] + (" (new)" if said["unit"] == NEW_UNIT else ""),
        "owner": said["contact"],
        "asked": _("invited when published") if said["invite"] else owner,
        "read": [each | {"words": FIELDS[each["field"]]} for each in said["read"]],
    }


def publish(request: SignedInRequest, batch: ImportBatch) -> HttpResponse:
    """What will happen; then it happens."""
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
    return ask_step(
        request,
        batch,
        title=_("Publish the import?"),
        verb=_("Publish and ask the owners"),
        happens=_happens(batch, rows),
    )


def _happens(batch: ImportBatch, rows) -> list[str]:
    rows = list(rows.values_list("mapped", flat=True))
    ideas = sum(row["stage"] == Stage.PROPOSED for row in rows)
    owners = {row["owner"] for row in rows if row["owner"]}
    invited = sorted({row["invite"] for row in rows if row["invite"]})
    new = sorted({row["bureau"] for row in rows if row["unit"] == NEW_UNIT})
    found = [
        f"{len(rows)} initiatives join the portfolio: {ideas} as ideas, {len(rows) - ideas} with the stage that the "
        "sheet reports. Nothing of it is evidenced yet.",
        f"{len(owners)} people are asked to accept what they own, each by one message; "
        f"{sum(not (row['owner'] or row['invite']) for row in rows)} initiatives wait for an owner.",
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
        found.append(f"{aside} rows wait until you say what their status means.")
    if unsure := batch.reading["two_amounts"]["count"]:
        found.append(f"Amounts left out because each can mean two values: {unsure}.")
    found.append(
        "Boards see them in the portfolio. Nobody becomes an owner without accepting; nothing is due."
    )
    return found


@require_POST
def take_all(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take every change that a file proposes of initiatives which an admin may describe; the others wait."""
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
    messages.success(request, f"Taken of {taken} rows; {waits} wait for whoever owns the initiative.")
    return redirect(batch)


@require_http_methods(["GET", "HEAD", "POST"])
def changes(request: SignedInRequest, ref: str) -> HttpResponse:
    """What a sheet proposes of one initiative: its owner takes some, and leaves the rest."""
    initiative = initiative_lookup.initiative_for(request.user, ref)
    initiative_permissions.may_describe(initiative, request.user).or_refuse()
    row = queries.changes_waiting().filter(initiative=initiative).select_related("batch").first()
    if row is None:
        messages.info(request, _("No sheet proposes anything of this initiative now."))
        return redirect(initiative)
    return one_act(
        request,
        initiative,
        ChangesForm(row.mapped["changes"], sent(request)),
        lambda said: proposed_changes.take_changes(row=row, fields=said["fields_taken"], by=request.user),
        _("Answered: what you took stands, the rest is left."),
        title=_("Changes that a sheet proposes"),
        lede=f"{row.batch.file_name}, line {row.line}, {row.batch.uploaded_at:%-d %B %Y}.",
        verb=_("Take what is ticked, leave the rest"),
    )
