"""Changes that a sheet or another file proposes of an initiative: taken, or left."""

from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import ImportRow, Initiative
from initiatives.portfolio.imports.inventories import batch_rows
from initiatives.portfolio.imports.portfolio import portfolio_plan, queries
from initiatives.portfolio.imports.portfolio.portfolio_columns import FIELDS
from initiatives.portfolio.registration import actions as registration_actions


def take_changes(*, row: ImportRow, fields: list[str], by: User) -> Initiative:
    """Take some proposed changes of a row and leave the others, in one answer.

    Raises Refused if `by` may not describe the initiative. Raises Conflict if the row was answered or the value
    changed.
    """
    with act(
        "take changes of a sheet", by=by, initiative=row.initiative_id, reason="Changes of a portfolio"
    ) as initiative:
        row = ImportRow.objects.select_for_update(of=("self",)).select_related("batch").get(pk=row.pk)
        initiative_permissions.may_describe(initiative, by).or_refuse()
        batch_rows.still_current(row.batch)
        if not ImportRow.objects.proposing_changes().filter(pk=row.pk).exists():
            raise Conflict("These changes were already answered.")
        offered = {each["field"]: each for each in row.mapped["changes"]}
        taken = {name: offered[name]["after"] for name in fields if name in offered}
        now = portfolio_plan.values_of(queries.described(initiative))
        for name in taken:
            if portfolio_plan.text_of(now.get(name)) != offered[name]["before"]:
                raise Conflict(
                    phrase("{} of {} changed after the sheet was read.", FIELDS[name], initiative.ref),
                    "Upload the sheet again.",
                )
        _take(initiative, taken, by)
        row.mapped |= {"taken": sorted(taken), "proposed": False}
        row.done_at = clock.now()
        row.save()
        entries.record(
            EntryKind.IMPORTED_ROW_DECIDED,
            initiative=initiative,
            batch=row.batch_id,
            line=row.line,
            stage=None,
            decision="change",
            taken=sorted(taken),
        )
    return Initiative.objects.get(pk=initiative.pk)


def _take(initiative: Initiative, taken: dict[str, str], by: User) -> None:
    why = "Imported from a portfolio"
    if "title" in taken:
        detail_actions.rename(initiative=initiative, title=taken["title"], reason=why, by=by)
    if "problem" in taken:
        initiative = Initiative.objects.get(pk=initiative.pk)
        detail_actions.change_details(
            initiative=initiative,
            problem=taken["problem"],
            platform=initiative.platform,
            confidential=initiative.confidential,
            reason=why,
            by=by,
        )
    said = {
        name: portfolio_plan.value_of(name, text)
        for name, text in taken.items()
        if name not in ("title", "problem")
    }
    if said:
        registration_actions.state_business_case(initiative=initiative, said=said, reason=why, by=by)
