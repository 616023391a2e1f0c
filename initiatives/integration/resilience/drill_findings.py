"""Findings of drills that failed or are overdue, and of links without a fallback.

Sources: rulebook, int.fallback ("per link: time-out, retry, fallback, message to the user"); docs/domain.md, "What
counts as evidence" (a failed drill holds at MVP until a later one passes); S0-24, S1-12.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from governance import clock
from governance.vocabulary import EvidenceKind
from initiatives.lifecycle.facts.finding_rules import Wanted, about
from initiatives.models import Drill, Evidence, Link

# Which requirements a drill of a kind speaks to; the first is the one that its failure is held against.
REQUIREMENT_OF_KIND = {
    "fallback": ("int.fallback", "prod.q10_outage"),
    "escalation": ("prod.q09_escalation",),
    "override": ("mvp.override", "adopt.recoverable"),
    "rollback": ("prod.q08_change_control", "prod.q10_outage"),
    "retrieval": ("int.audit_trail",),
}
FAILURE_SAYS = {
    "timeout_seconds": "after which time a call is given up",
    "retry": "whether it is tried again",
    "on_failure": "what is done instead",
    "told_users": "what people are told meanwhile",
}


@dataclass(frozen=True)
class Tried:
    """What the current drills of one kind on one link (None: on the initiative) come to, the newest first."""

    drills: tuple[Drill, ...]

    @property
    def newest(self) -> Drill:
        """The drill that was tried last."""
        return self.drills[0]

    @property
    def failed(self) -> Drill | None:
        """The failure that no later pass has made good. What was partial makes nothing good, and fails nothing."""
        decided = next((drill for drill in self.drills if drill.result != "partial"), None)
        return decided if decided is not None and decided.result == "fail" else None

    @property
    def next_due(self) -> date | None:
        """The day by which it is to be tried again: what the last pass promised, or what came after asks sooner."""
        passed = next((drill for drill in self.drills if drill.result == "pass"), None)
        days = {drill.next_due for drill in (self.newest, passed or self.newest) if drill.next_due}
        return min(days, default=None)


def tried(drills: Iterable[Drill]) -> dict[tuple[int, int | None, str], Tried]:
    """Drills by initiative, link and kind. What is on an ended link, or was withdrawn, is left out by the caller."""
    found: dict[tuple[int, int | None, str], list[Drill]] = {}
    for drill in sorted(drills, key=lambda drill: (drill.observed_on, drill.pk), reverse=True):
        found.setdefault((drill.initiative_id, drill.link_id, drill.kind), []).append(drill)
    return {place: Tried(tuple(rows)) for place, rows in found.items()}


def current_drills(initiatives: Iterable[int]):
    """The drills of these initiatives that count: not withdrawn, on the initiative itself or on a link that has not
    ended.
    """
    return (
        Drill.objects.current()
        .filter(initiative__in=initiatives, link__ended_at__isnull=True)
        .select_related("link__system")
    )


@about(Link.objects.current(), Drill.objects.current())
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Drills that failed, drills that are overdue, links that do not say what happens when their source is gone."""
    links = Link.objects.current().filter(initiative__in=initiatives).select_related("system")
    for link in links.order_by("initiative_id", "pk"):
        lacking = missing(link)
        if lacking:
            yield (
                link.initiative_id,
                Wanted(
                    "int.fallback",
                    f"link:{link.pk}:fallback",
                    f"The link to {link.system} does not say {', nor '.join(lacking)}.",
                    "Fill in what happens when the source is missing, slow or wrong.",
                    system_id=link.system_id,
                ),
            )
    for (initiative, _, kind), those in tried(current_drills(initiatives)).items():
        yield from _of(initiative, kind, those)


def failing_records():
    """Drill records that failed, stand, and came otherwise than by the form of drills: uploaded, or from elsewhere."""
    return Evidence.objects.filter(
        kind=EvidenceKind.DRILL_RECORD, result="fail", withdrawn_at__isnull=True, drill__isnull=True
    ).order_by()


@about(failing_records())
def records(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Failing drill records without a drill of the register, until a later record of the same requirement passes.

    The form by which a record came changes nothing of what it says. A drill recorded as one is judged by `says`.
    """
    rows = Evidence.objects.filter(
        initiative__in=initiatives, kind=EvidenceKind.DRILL_RECORD, withdrawn_at__isnull=True
    )
    rows = rows.exclude(result="partial").select_related("drill").prefetch_related("coverage")
    newest: dict[tuple[int, str], Evidence] = {}
    for row in sorted(rows, key=lambda row: (row.observed_on, row.added_at, row.pk)):
        for cover in row.coverage.all():
            newest[row.initiative_id, cover.requirement] = row
    for (initiative, requirement), row in newest.items():
        if row.result == "fail" and not hasattr(row, "drill"):
            yield (
                initiative,
                Wanted(
                    requirement,
                    f"record:{row.pk}:failed",
                    f"The drill of {row.observed_on:%-d %B %Y} failed: “{row.title}”.",
                    "Fix it, try it again, and add the drill record that passes.",
                    hold="failed_drill",
                ),
            )


def missing(link: Link) -> list[str]:
    """What a link does not say of the day on which its source is missing, slow or wrong, in words."""
    return [words for name, words in FAILURE_SAYS.items() if not getattr(link, name)]


def _of(initiative: int, kind: str, those: Tried) -> Iterable[tuple[int, Wanted]]:
    link = those.newest.link
    of = f" on {link.system}" if link else ""
    place = f"drill:{link.pk if link else 'initiative'}:{kind}"
    requirement = REQUIREMENT_OF_KIND[kind][0]
    system = link.system_id if link else None
    name = those.newest.get_kind_display().lower()
    if (failed := those.failed) is not None:
        yield (
            initiative,
            Wanted(
                requirement,
                f"{place}:failed",
                f"The {name} drill of {failed.observed_on:%-d %B %Y}{of} failed.",
                "Fix it, try it again, and record the drill that passes.",
                hold="failed_drill",
                system_id=system,
            ),
        )
    elif (due := those.next_due) is not None:
        yield (
            initiative,
            Wanted(
                requirement,
                f"{place}:due",
                f"The {name} drill{of} was due again by {due:%-d %B %Y}.",
                "Try it again and record what happened.",
                since=clock.midnight_after(due),
                system_id=system,
            ),
        )
