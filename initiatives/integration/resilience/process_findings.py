"""Findings of undocumented processes and of sign-on flows.

Sources: S1-4, S1-5, S1-26, and mvp.workflow and int.identity in the rulebook.
"""

from collections.abc import Iterable
from datetime import timedelta

from governance import clock
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts.finding_rules import Wanted, about
from initiatives.models import Link, ProcessRecord, SignOnFlow
from initiatives.models.integration.processes import DOCUMENTED, IN_HEAD

REVIEWED_EVERY_DAYS = 90  # rulebook, int.identity: "quarterly access review"


@about(ProcessRecord.objects.current(), Link.objects.current())
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield undocumented processes, and sign-on flows without explainer or review."""
    for row in current_processes(initiatives):
        yield from _process(row)
    linked = set(
        Link.objects.current()
        .filter(initiative__in=initiatives)
        .order_by()
        .values_list("initiative_id", flat=True)
        .distinct()
    )
    flows = {flow.initiative_id: flow for flow in current_flows(linked)}
    for initiative in sorted(linked):
        yield from _flow(initiative, flows.get(initiative))


def current_processes(initiatives: Iterable[int]) -> list[ProcessRecord]:
    """Return the newest record of each process, by initiative, without withdrawn ones."""
    rows = (
        ProcessRecord.objects.current()
        .filter(initiative__in=list(initiatives))
        .select_related("holder", "budget_holder")
    )
    newest = {(row.initiative_id, row.name.casefold()): row for row in rows.order_by("pk")}
    return [newest[place] for place in sorted(newest)]


def current_flows(initiatives: Iterable[int]) -> list[SignOnFlow]:
    """Return the newest sign-on flow of each initiative that no one withdrew."""
    rows = (
        SignOnFlow.objects.current()
        .filter(initiative__in=list(initiatives))
        .select_related("explainer", "diagram")
    )
    return list({row.initiative_id: row for row in rows.order_by("pk")}.values())


def _process(row: ProcessRecord) -> Iterable[tuple[int, Wanted]]:
    """Yield a process with a part in a head. The cost of a redesign blocks nothing (S1-27)."""
    # What counts for mvp.workflow is "steps, decision points and approvals, with the people whose heads it was in
    # named": where a part of them is still in a head, the answer to "is that workflow written down?" is no.
    gone = row.reopened_at is not None or (row.holder is not None and not row.holder.is_active)
    if row.status == DOCUMENTED and not gone:
        return
    name = f"“{row.name}”"
    if gone:
        words = phrase(
            "{} was the only person who knew {}, and has left. The process is not documented.",
            row.held_by,
            name,
        )
        fix = phrase("Ask the person who does the work now, and record the process again.")
    elif row.status == IN_HEAD:
        words = phrase("Only {} knows {}. The process is not documented.", row.held_by, name)
        fix = phrase("Ask for the steps, write them down, and record the process as documented.")
    else:
        words = phrase("{} is partly documented. Only {} knows the rest.", name, row.held_by)
        fix = phrase("Ask for the rest, write it down, and record the process as documented.")
    yield row.initiative_id, Wanted("mvp.workflow", f"process:{row.name.casefold()[:100]}", words, fix)


def _flow(initiative: int, flow: SignOnFlow | None) -> Iterable[tuple[int, Wanted]]:
    """Yield findings of a sign-on flow that is not documented, explained or reviewed."""
    if flow is None:
        yield (
            initiative,
            Wanted(
                "int.identity",
                "flow:none",
                phrase("The sign-on flow to the linked systems is not documented."),
                phrase("Write down the sign-on flow, and name a person who can explain it."),
            ),
        )
        return
    if flow.explainer is None:
        words = phrase("No person is named who can explain the sign-on flow.")
    elif not flow.explainer.is_active:
        words = phrase("{}, who could explain the sign-on flow, has left.", flow.explainer)
    else:
        words = ""
    if words:
        fix = phrase("Ask a person who can explain the flow to review the flow. Name that person.")
        yield initiative, Wanted("int.identity", "flow:explainer", words, fix)
    last = flow.reviewed_on + timedelta(days=REVIEWED_EVERY_DAYS)
    yield (
        initiative,
        Wanted(
            "int.identity",
            "flow:review",
            phrase("The last review of the sign-on flow was on {}.", flow.reviewed_on),
            phrase("Review the sign-on flow again and record the day."),
            who=flow.explainer.full_name if flow.explainer and flow.explainer.is_active else "",
            since=clock.midnight_after(last),
        ),
    )
