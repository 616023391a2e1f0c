"""Findings of drills that failed or are overdue, and of links without a fallback.

The sources are int.fallback of the rulebook ("per link: time-out, retry, fallback, message to the user"), "What
counts as evidence" in docs/domain.md (a failed drill holds at MVP until a later one passes), S0-24 and S1-12.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef

from governance import clock
from governance.models import Rulebook
from governance.rulebook import ParsedRulebook
from governance.vocabulary import EvidenceKind, Stage
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.facts.finding_rules import EVER, Wanted, about
from initiatives.models import Coverage, Drill, Evidence, Link

FALLBACK = "int.fallback"
# The end of a finding's source for a link without a separate fallback drill.
UNDRILLED = ":fallback:none"
# The requirement that a failed or overdue drill of a kind is held against.
REQUIREMENT_OF_KIND = {
    "fallback": FALLBACK,
    "escalation": "prod.q09_escalation",
    "override": "mvp.override",
    "rollback": "prod.q08_change_control",
    "retrieval": "int.audit_trail",
}
FAILURE_SAYS = {
    "timeout_seconds": "the time-out of a call",
    "retry": "the retries",
    "on_failure": "the fallback",
    "told_users": "the message to users",
}


@dataclass(frozen=True)
class Tried:
    """The current drills of one kind on a link (None: the initiative), newest first."""

    drills: tuple[Drill, ...]

    @property
    def newest(self) -> Drill:
        """Return the newest drill."""
        return self.drills[0]

    @property
    def failed(self) -> Drill | None:
        """Return the failure that no later pass cleared. A partial result neither clears nor fails."""
        decided = next((drill for drill in self.drills if drill.result != "partial"), None)
        return decided if decided is not None and decided.result == "fail" else None

    @property
    def next_due(self) -> date | None:
        """Return the day of the next drill, the earlier of the last pass and the newest."""
        passed = next((drill for drill in self.drills if drill.result == "pass"), None)
        days = {drill.next_due for drill in (self.newest, passed or self.newest) if drill.next_due}
        return min(days, default=None)


def tried(drills: Iterable[Drill]) -> dict[tuple[int, int | None, str], Tried]:
    """Group drills by initiative, link and kind. The caller leaves out ended links and withdrawn drills."""
    found: dict[tuple[int, int | None, str], list[Drill]] = {}
    for drill in sorted(drills, key=lambda drill: (drill.observed_on, drill.pk), reverse=True):
        found.setdefault((drill.initiative_id, drill.link_id, drill.kind), []).append(drill)
    return {place: Tried(tuple(rows)) for place, rows in found.items()}


def current_drills(initiatives: Iterable[int]):
    """Return the drills that count: not withdrawn, and not on a link that has ended."""
    return (
        Drill.objects.current()
        .filter(initiative__in=initiatives, link__ended_at__isnull=True)
        .select_related("link__system")
    )


@about(Link.objects.current(), Drill.objects.current())
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield failed drills, overdue drills, and links without a fallback."""
    links = Link.objects.current().filter(initiative__in=initiatives).select_related("system", "initiative")
    in_force = Rulebook.objects.in_force()
    asked = Coverage.objects.filter(evidence=OuterRef("evidence"), requirement=FALLBACK)
    drills = current_drills(initiatives).annotate(answers_fallback=Exists(asked))
    return against(list(links.order_by("initiative_id", "pk")), drills, in_force.parsed if in_force else None)


def against(
    links: Iterable[Link], drills: Iterable[Drill], rulebook: ParsedRulebook | None
) -> Iterable[tuple[int, Wanted]]:
    """Yield findings from these current drills and links, under this rulebook.

    `answers_fallback` of a drill is True if its record is offered for FALLBACK.
    """
    for link in links:
        lacking = missing(link)
        if lacking:
            yield (
                link.initiative_id,
                Wanted(
                    FALLBACK,
                    f"link:{link.pk}:fallback",
                    phrase("The link to {} does not contain {}.", link.system, ", nor ".join(lacking)),
                    phrase("Describe what happens if the source is missing, slow or wrong."),
                    system_id=link.system_id,
                ),
            )
    found = tried(drills)
    asked = rulebook.requirements.get(FALLBACK) if rulebook else None
    if rulebook is not None and asked is not None and asked.each == "link":
        yield from _undrilled(links, found, rulebook)
    for (initiative, _, kind), those in found.items():
        yield from _of(initiative, kind, those)


def _undrilled(
    links: Iterable[Link], found: dict[tuple[int, int | None, str], Tried], rulebook: ParsedRulebook
) -> Iterable[tuple[int, Wanted]]:
    """Yield links without a fallback drill: at once, in production after grace."""
    for link in links:
        own = found.get((link.initiative_id, link.pk, "fallback"))
        if own is not None and any(drill.answers_fallback for drill in own.drills):
            continue
        words = phrase("The link to {} has no separate fallback drill.", link.system)
        if own is not None:
            words = phrase("The fallback drill on {} does not cover this requirement.", link.system)
        due = drill_due(link, rulebook)
        yield (
            link.initiative_id,
            Wanted(
                FALLBACK,
                f"drill:{link.pk}{UNDRILLED}",
                words,
                phrase("Drill the fallback of {} and record what happened.", link.system),
                since=EVER if due is None else clock.midnight_after(due),
                system_id=link.system_id,
            ),
        )


def drill_due(link: Link, rulebook: ParsedRulebook) -> date | None:
    """Return the last day for a link's first fallback drill, or None for at once."""
    if link.initiative.stage != Stage.PRODUCTION:
        return None
    return clock.local_day(link.at) + timedelta(days=rulebook.freshness.grace_days)


def failing_records():
    """Return failed drill records in force that did not come from the form of drills."""
    return Evidence.objects.filter(
        kind=EvidenceKind.DRILL_RECORD, result="fail", withdrawn_at__isnull=True, drill__isnull=True
    ).order_by()


@about(failing_records())
def records(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield failing drill records without a registered drill until a later one passes.

    The origin of a record does not change its result. A drill of the register is judged by `says`.
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
                    phrase("The drill of {} failed: “{}”.", row.observed_on, row.title),
                    phrase("Fix the cause, repeat the drill, and add the drill record that passes."),
                    hold="failed_drill",
                ),
            )


def missing(link: Link) -> list[str]:
    """Return, in words, what a link lacks for a missing, slow or wrong source."""
    return [words for name, words in FAILURE_SAYS.items() if not getattr(link, name)]


def _of(initiative: int, kind: str, those: Tried) -> Iterable[tuple[int, Wanted]]:
    link = those.newest.link
    of = phrase(" on {}", link.system) if link else ""
    place = f"drill:{link.pk if link else 'initiative'}:{kind}"
    requirement = REQUIREMENT_OF_KIND[kind]
    system = link.system_id if link else None
    name = those.newest.get_kind_display().lower()
    if (failed := those.failed) is not None:
        yield (
            initiative,
            Wanted(
                requirement,
                f"{place}:failed",
                phrase("The {} drill of {}{} failed.", name, failed.observed_on, of),
                phrase("Fix the cause, repeat the drill, and record the passed drill."),
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
                phrase("The {} drill{} was due again by {}.", name, of, due),
                phrase("Repeat the drill and record what happened."),
                since=clock.midnight_after(due),
                system_id=system,
            ),
        )
