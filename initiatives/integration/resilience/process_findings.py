"""Findings of undocumented processes and sign-on flows (mvp.workflow, int.identity).

Sources: S1-4, S1-5, S1-26; rulebook, mvp.workflow and int.identity.
"""

from collections.abc import Iterable
from datetime import timedelta

from governance import clock
from initiatives.lifecycle.facts.finding_rules import Wanted, about
from initiatives.models import Link, ProcessRecord, SignOnFlow
from initiatives.models.integration.processes import DOCUMENTED, IN_HEAD

REVIEWED_EVERY_DAYS = 90  # rulebook, int.identity: "quarterly access review"


@about(ProcessRecord.objects.current(), Link.objects.current())
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Processes that are not written down, and sign-on flows that nobody here understands, or looked at lately."""
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
    """The process record of each process that counts: the newest of its name that nobody withdrew, by initiative and
    name.
    """
    rows = (
        ProcessRecord.objects.current()
        .filter(initiative__in=list(initiatives))
        .select_related("holder", "budget_holder")
    )
    newest = {(row.initiative_id, row.name.casefold()): row for row in rows.order_by("pk")}
    return [newest[place] for place in sorted(newest)]


def current_flows(initiatives: Iterable[int]) -> list[SignOnFlow]:
    """The sign-on flow of each initiative that counts: the newest that nobody withdrew."""
    rows = (
        SignOnFlow.objects.current()
        .filter(initiative__in=list(initiatives))
        .select_related("explainer", "diagram")
    )
    return list({row.initiative_id: row for row in rows.order_by("pk")}.values())


def _process(row: ProcessRecord) -> Iterable[tuple[int, Wanted]]:
    """Partly documented is as short as in a head; what a redesign costs blocks nothing, and is shown (S1-27)."""
    # What counts for mvp.workflow is "steps, decision points and approvals, with the people whose heads it was in
    # named": where a part of them is still in a head, the answer to "is that workflow written down?" is no.
    gone = row.reopened_at is not None or (row.holder is not None and not row.holder.is_active)
    if row.status == DOCUMENTED and not gone:
        return
    name = f"“{row.name}”"
    if gone:
        words = f"{name} was in the head of {row.held_by}, who left: nobody here has said how it goes."
        fix = "Find out how it goes, from whoever does it now, and record it anew."
    elif row.status == IN_HEAD:
        words = f"{name} is in {_possessive(row.held_by)} head."
        fix = "Ask, write the steps down, and record the process as documented."
    else:
        words = f"{name} is written down in part; the rest is in {_possessive(row.held_by)} head."
        fix = "Ask for the rest, write it down, and record the process as documented."
    yield row.initiative_id, Wanted("mvp.workflow", f"process:{row.name.casefold()[:100]}", words, fix)


def _possessive(holder: str) -> str:
    return f"{holder}'" if holder.endswith("s") else f"{holder}'s"


def _flow(initiative: int, flow: SignOnFlow | None) -> Iterable[tuple[int, Wanted]]:
    """What is linked is signed on to: written down, explained by somebody who is here, gone through each quarter."""
    if flow is None:
        yield (
            initiative,
            Wanted(
                "int.identity",
                "flow:none",
                "How it signs on to the linked systems is not written down.",
                "Write the sign-on flow down, and name who can explain it.",
            ),
        )
        return
    if flow.explainer is None:
        words = "The sign-on flow is understood by nobody: no explainer is named."
    elif not flow.explainer.is_active:
        words = f"The sign-on flow is understood by nobody: {flow.explainer} could explain it, and left."
    else:
        words = ""
    if words:
        fix = "Have somebody go through it who can explain it afterwards, and name them."
        yield initiative, Wanted("int.identity", "flow:explainer", words, fix)
    last = flow.reviewed_on + timedelta(days=REVIEWED_EVERY_DAYS)
    yield (
        initiative,
        Wanted(
            "int.identity",
            "flow:review",
            f"The sign-on flow was last gone through on {flow.reviewed_on:%-d %B %Y}.",
            "Go through it again and record it with its day.",
            who=flow.explainer.full_name if flow.explainer and flow.explainer.is_active else "",
            since=clock.midnight_after(last),
        ),
    )
