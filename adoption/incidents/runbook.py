"""What to do now, while an incident runs: what was agreed for it, what was tried, and what nobody has done yet."""

from dataclasses import dataclass

from django.urls import reverse

from adoption.edge_clauses import clause_drafts
from adoption.models import Incident
from adoption.models.incidents import CLOSED, OPEN, RESOLVED
from governance.models import User
from initiatives.integration.resilience.drill_findings import current_drills, tried
from initiatives.lifecycle.access import kill_switch_permissions
from initiatives.models import Link


@dataclass(frozen=True)
class Step:
    """One thing to do: what, why or how, and where."""

    words: str
    more: str = ""
    link: str = ""
    button: str = ""


def steps(incident: Incident, person: User) -> list[Step]:
    """The steps of this incident for this person, the most urgent first; none once it is closed."""
    if incident.state == CLOSED:
        return []
    found = []
    if incident.state == OPEN:
        found += _stop_it(incident, person)
        found += _agreed(incident)
        found += _fallbacks(incident)
    row = incident.pk
    if incident.lead is None:
        found.append(
            Step("Say who leads it.", "", reverse("row-act", args=["incidents", row, "parts"]), "Take it")
        )
    if incident.affected_count is None and not incident.affected_words:
        found.append(
            Step("Say whom it touches.", "", reverse("row-act", args=["incidents", row, "known"]), "Add it")
        )
    if incident.serious and not incident.no_duty_because and not incident.deadlines.exists():
        found.append(
            Step(
                "Judge whether it has to be reported to an authority.",
                "Some laws count in days from the moment you became aware.",
                reverse("row-act", args=["incidents", row, "clock"]),
                "Start a deadline, or say why not",
            )
        )
    if incident.state == RESOLVED:
        found.append(Step("Close it.", "", reverse("row-act", args=["incidents", row, "close"]), "Close"))
    else:
        found.append(
            Step(
                "Say when it is contained, and when resolved.",
                "",
                reverse("row-act", args=["incidents", row, "state"]),
                "Update the status",
            )
        )
    return found


def _stop_it(incident: Incident, person: User) -> list[Step]:
    initiative = incident.initiative
    if initiative.closed:
        return []
    if initiative.kill_switches.filter(released_at__isnull=True).exists():
        return [Step("It is switched off: everything that its systems ask is denied.")]
    may = kill_switch_permissions.may_switch(initiative, person)
    more = "It then denies everything that its systems ask, within a second."
    if not may:
        more += f" {may}"
    return [
        Step(
            "Switch it off, if it does harm.",
            more,
            reverse("api-access", args=[initiative.ref]),
            "To the switch",
        )
    ]


def _agreed(incident: Incident) -> list[Step]:
    clauses = clause_drafts.in_force(incident.initiative)
    if not clauses:
        return [
            Step(
                "The contract in force says nothing for when something goes wrong: decide, and write it down."
            )
        ]
    likely = clause_drafts.failure_of(incident)
    first = sorted(clauses, key=lambda clause: clause.terms.get("failure") != likely)
    return [Step(f"Clause {clause.number}: {clause.sentence}") for clause in first]


def _fallbacks(incident: Incident) -> list[Step]:
    """What each link does when its source fails, and when that was last tried."""
    initiative = incident.initiative
    named = {row.system_id for row in incident.systems.all()}
    links = Link.objects.current().filter(initiative=initiative).select_related("system").order_by("pk")
    last = {
        link: those.newest
        for (_, link, kind), those in tried(current_drills([initiative.pk])).items()
        if kind == "fallback"
    }
    found = []
    for link in links:
        if named and link.system_id not in named:
            continue
        drill = last.get(link.pk)
        if not link.on_failure and drill is None:
            continue
        words = f"{link.system}: {link.on_failure or 'what it falls back to is not said'}."
        more = (
            f"Tried on {drill.observed_on:%-d %B %Y}: {drill.get_result_display().lower()}."
            if drill
            else "Never tried."
        )
        found.append(Step(words.replace("..", "."), more))
    if None in last:
        drill = last[None]
        found.append(
            Step(
                "Its fallback as a whole.",
                f"Tried on {drill.observed_on:%-d %B %Y}: {drill.get_result_display().lower()}. {drill.happened[:200]}",
            )
        )
    return found
