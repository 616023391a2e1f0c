"""The steps during an incident: agreed measures, drills, and open work."""

from dataclasses import dataclass

from django.urls import reverse

from adoption.edge_clauses import clause_drafts
from adoption.models import Incident
from adoption.models.incidents import CLOSED, OPEN, RESOLVED
from governance.models import User
from governance.vocabulary.phrases import joined, label, phrase
from initiatives.integration.resilience.drill_findings import current_drills, tried
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.models import Link


@dataclass(frozen=True)
class Step:
    """One step: what to do, why or how, and where."""

    words: str
    more: str = ""
    link: str = ""
    button: str = ""


def steps(incident: Incident, person: User) -> list[Step]:
    """Return the steps of this incident for this person, the most urgent first. A closed one has none."""
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
            Step(
                phrase("Name the person who leads the response."),
                "",
                reverse("row-act", args=["incidents", row, "parts"]),
                phrase("Take the lead"),
            )
        )
    if incident.affected_count is None and not incident.affected_words:
        found.append(
            Step(
                phrase("Record who is affected."),
                "",
                reverse("row-act", args=["incidents", row, "known"]),
                phrase("Add the facts"),
            )
        )
    if incident.serious and not incident.no_duty_because and not incident.deadlines.exists():
        found.append(
            Step(
                phrase("Judge whether the incident must be reported to an authority."),
                phrase("Some laws count the days from the day on which you learned of the incident."),
                reverse("row-act", args=["incidents", row, "clock"]),
                phrase("Start a deadline, or give a reason"),
            )
        )
    if incident.state == RESOLVED:
        found.append(
            Step(
                phrase("Close the incident."),
                "",
                reverse("row-act", args=["incidents", row, "close"]),
                "Close",
            )
        )
    else:
        found.append(
            Step(
                phrase("Record when the incident is contained, and when it is resolved."),
                "",
                reverse("row-act", args=["incidents", row, "state"]),
                phrase("Update the status"),
            )
        )
    return found


def _stop_it(incident: Incident, person: User) -> list[Step]:
    initiative = incident.initiative
    if initiative.closed:
        return []
    if initiative.kill_switches.filter(released_at__isnull=True).exists():
        return [Step(phrase("The kill switch is on. Plumbline denies every request from the systems."))]
    may = initiative_permissions.may_switch(initiative, person)
    more = phrase("Plumbline then denies every request from the systems, within a second.")
    if not may:
        more = joined(more, may)
    return [
        Step(
            phrase("If the system does harm, switch it off."),
            more,
            reverse("api-access", args=[initiative.ref]),
            phrase("Open the kill switch"),
        )
    ]


def _agreed(incident: Incident) -> list[Step]:
    clauses = clause_drafts.in_force(incident.initiative)
    if not clauses:
        return [
            Step(
                phrase(
                    "The contract in force has no clause for this failure. Decide what to do, and record your decision."
                )
            )
        ]
    likely = clause_drafts.failure_of(incident)
    first = sorted(clauses, key=lambda clause: clause.terms.get("failure") != likely)
    return [Step(phrase("Clause {}: {}", clause.number, clause.sentence)) for clause in first]


def _fallbacks(incident: Incident) -> list[Step]:
    """Return what each link does when its source fails, with the newest drill of it."""
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
        words = phrase("{}: {}.", link.system, link.on_failure or "no fallback is recorded")
        more = (
            phrase("Drill on {}: {}.", drill.observed_on, label(drill.get_result_display(), inside=True))
            if drill
            else phrase("No drill yet.")
        )
        found.append(Step(words.replace("..", "."), more))
    if None in last:
        drill = last[None]
        found.append(
            Step(
                phrase("Fallback of the whole initiative."),
                phrase(
                    "Drill on {}: {}. {}",
                    drill.observed_on,
                    label(drill.get_result_display(), inside=True),
                    drill.happened[:200],
                ),
            )
        )
    return found
