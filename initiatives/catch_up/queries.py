"""Catch-up plans read for many initiatives together, with what each lacks now: progress is worked out, never stored."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.database.request_memo import one_look
from governance.gates import criteria
from governance.gates.gate_inputs import Facts
from governance.models import Rulebook, Unit, User
from governance.rulebook import Book
from governance.vocabulary import Stage
from initiatives.access import permissions as case_permissions
from initiatives.catch_up.waves import Wave, outside, with_progress
from initiatives.facts import case_rows, supported_stage
from initiatives.models import CatchUpPlan, Initiative, Span

CLAIMED = (Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION)
STATES = {
    "none": _("no plan yet"),
    "dated": _("dated, not agreed"),
    "sent back": _("sent back"),
    "agreed": _("agreed"),
}
KEPT_SECONDS = 24 * 60 * 60
TOGETHER = 500  # initiatives whose rows are read at once: bounds memory, not what is found


@dataclass(frozen=True)
class Progress:
    """The plan of one initiative with its waves as they stand now; `plan` is None where nobody dated anything."""

    case: Initiative
    gaps: tuple[str, ...]
    plan: CatchUpPlan | None
    waves: tuple[Wave, ...]

    @property
    def state(self) -> str:
        """Where the plan stands: "agreed", "dated" (and not agreed), "sent back", or "none"."""
        return state_of(self.plan)

    @property
    def outside(self) -> list[str]:
        """What is missing and in no wave."""
        return outside(self.waves, self.gaps) if self.plan else list(self.gaps)

    @property
    def met(self) -> int:
        """How many requirements of the plan are met now."""
        return sum(wave.met for wave in self.waves)

    @property
    def planned(self) -> int:
        """How many requirements the plan names."""
        return sum(len(wave.keys) for wave in self.waves)

    def overdue(self, today: date) -> list[Wave]:
        """Waves whose day has passed with something missing."""
        return [wave for wave in self.waves if wave.overdue(today)]


def state_of(plan: CatchUpPlan | None) -> str:
    """Where a plan stands: "agreed", "dated" (and not agreed), "sent back", or "none" where there is no plan."""
    if plan is None:
        return "none"
    answer = getattr(plan, "answer", None)
    if answer is None:
        return "dated"
    return "agreed" if answer.agreed else "sent back"


def claiming(cases: QuerySet) -> QuerySet:
    """Of these, the initiatives of one's own whose running stage an import claims: what plans are for."""
    claimed = cases.filter(basis="import", stage__in=CLAIMED, withdrawn_at__isnull=True)
    return claimed.exclude(unit__in=Unit.objects.of_others().order_by().values("pk"))


def catching_up(person: User) -> QuerySet:
    """The initiatives that catch up, as far as the person may open them."""
    return claiming(case_permissions.visible_to(person))


def gaps_of(cases: Iterable[Initiative]) -> dict[int, tuple[str, ...]]:
    """By key of each case, what it lacks for the stage it claims: keys, in the order in which gates ask.

    Judged now. A number of questions that follows from how many are read together, not from the cases.
    """
    rows, found = list(cases), {}
    for start in range(0, len(rows), TOGETHER):
        part = rows[start : start + TOGETHER]
        with one_look():
            case_rows.read_together(part)
            for case in part:
                judged = supported_stage.judged(case)
                found[case.pk] = tuple(criteria.gaps_to(judged.rulebook.book, judged.states, case.stage))
    return found


def gaps_shown(cases: Iterable[Initiative]) -> dict[int, tuple[str, ...]]:
    """The same for pages over many: what was judged is said again while the standing that says how many is the same.

    Where the standing counts as many gaps as the gates can ask for, those are the gaps, and nothing is judged.
    """
    rows, today = list(cases), clock.today()
    newest = Rulebook.objects.in_force()
    if newest is None:
        return {case.pk: () for case in rows}
    spans = Span.objects.covering(clock.now()).filter(
        initiative__in=[case.pk for case in rows], initiative__standing__computed_at__gte=newest.published_at
    )
    told = {
        row[0]: row[1:]
        for row in spans.order_by().values_list("initiative", "pk", "gaps", "initiative__standing__rulebook")
    }
    found: dict[int, tuple[str, ...]] = {}
    places = {}
    for case in rows:
        if case.pk in told:
            span, counts, rulebook = told[case.pk]
            most = most_gaps(Rulebook.objects.kept(rulebook).book, case.tier, case.stage)
            if counts == most.counts:
                found[case.pk] = most.keys
            else:
                places[case.pk] = f"catch-up-gaps-{case.pk}-{span}-{newest.pk}-{today}"
    kept = cache.get_many(places.values()) if places else {}
    found |= {pk: kept[place] for pk, place in places.items() if place in kept}
    judged = gaps_of([case for case in rows if case.pk not in found])
    cache.set_many({places[pk]: keys for pk, keys in judged.items() if pk in places}, KEPT_SECONDS)
    return found | judged


@dataclass(frozen=True)
class MostGaps:
    """Everything that can be missing for a stage at a tier: keys in order, and how many of each layer."""

    keys: tuple[str, ...]
    counts: dict[str, int]


@lru_cache(maxsize=64)
def most_gaps(book: Book, tier: str, claimed: str) -> MostGaps:
    """What an initiative lacks of which nothing is known but the stage an import claims, and the tier."""
    blank = Facts(ref="", title="", claimed=claimed, imported=True, tier=tier)
    keys = criteria.gaps_to(book, criteria.states_at(blank, book, clock.now()), claimed)
    return MostGaps(tuple(keys), dict(Counter(book.requirements[key].layer for key in keys)))


def plans_of(cases: Iterable[Initiative]) -> dict[int, CatchUpPlan]:
    """By key of each case, the newest version of its plan with its waves and its answer: two questions."""
    rows = CatchUpPlan.objects.current().filter(initiative__in=[case.pk for case in cases])
    rows = rows.select_related("answer__by", "proposed_by").prefetch_related("waves")
    return {row.initiative_id: row for row in rows}


def progress_of(cases: Iterable[Initiative], *, shown: bool = False) -> list[Progress]:
    """How these initiatives catch up, in their order; `shown`: for a page over many (`gaps_shown`)."""
    rows = list(cases)
    gaps, plans = (gaps_shown if shown else gaps_of)(rows), plans_of(rows)
    return [_progress(case, gaps[case.pk], plans.get(case.pk)) for case in rows]


def _progress(case: Initiative, gaps: tuple[str, ...], plan: CatchUpPlan | None) -> Progress:
    found = with_progress(plan.waves.all(), gaps) if plan is not None else []
    return Progress(case, gaps, plan, tuple(found))


def overdue_of(cases: Iterable[Initiative]) -> list[Progress]:
    """Of these, those with a wave whose day has passed and that lacks something still.

    Only initiatives with a wave past its day are looked into.
    """
    today = clock.today()
    late = {
        plan.initiative_id
        for plan in CatchUpPlan.objects.current().filter(
            initiative__in=[case.pk for case in cases], waves__due__lt=today
        )
    }
    found = progress_of([case for case in cases if case.pk in late], shown=True)
    return [one for one in found if one.overdue(today)]
