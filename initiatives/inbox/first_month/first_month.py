"""The first month of a company with a portfolio: steps with their state from rows."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, Exists, OuterRef, QuerySet, Value, When
from django.urls import reverse

from governance import clock
from governance.database.request_memo import one_look
from governance.gates import criteria
from governance.gates.separation_of_duties import TeamMembers
from governance.models import Rulebook, Unit
from governance.people import boards
from governance.permission_result import Reason
from governance.rulebook import ParsedRulebook
from governance.vocabulary import ObligationKind, Role, Stage, Tier
from governance.vocabulary.phrases import label, phrase
from initiatives.inbox.first_month import first_steps, seat_time
from initiatives.inbox.first_month.first_steps import Step, number_of
from initiatives.lifecycle.initiative.review_state import EligibleSigners, seat_states
from initiatives.models import (
    ImportBatch,
    Initiative,
    Obligation,
    RoleAssignment,
    RulebookDraft,
    SupportedStagePeriod,
)

TIERS = (Tier.MINIMAL, Tier.LIMITED, Tier.HIGH)


@dataclass(frozen=True)
class Reach:
    """The gates that a board cannot decide at one tier, with reasons. Bars by initiative do not count."""

    board: str
    tier: str
    cannot: tuple[tuple[str, tuple[Reason, ...]], ...]


def with_reported_stage() -> QuerySet:
    """Return the own imported initiatives that run and have a reported stage."""
    reported = Initiative.objects.filter(
        basis="import", stage__in=(Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION), withdrawn_at__isnull=True
    )
    return reported.exclude(unit__in=Unit.objects.of_external_inventories().order_by().values("pk"))


def steps() -> list[Step]:
    """Return every step in its order."""
    board, seats = first_steps.board_steps()
    units = first_steps.units_step()
    return [
        Step(
            units.key,
            units.text,
            units.why,
            units.state,
            units.done,
            reverse("units-from-table"),
            phrase("Import a table"),
        ),
        first_steps.people_step(),
        board,
        seats,
        first_steps.rulebook_step(),
        _portfolio(),
        _owners(),
        _days(),
    ]


def _portfolio() -> Step:
    stages = Counter(with_reported_stage().order_by().values_list("stage", flat=True))
    ideas = Initiative.objects.live().filter(stage=Stage.PROPOSED).exclude(source_organisation="").count()
    waiting = ImportBatch.objects.filter(confirmed_at=None, repeats=None).count()
    said: list[str] = [
        phrase("{} reported as {}", count, label(Stage(stage).label))
        for stage, count in sorted(stages.items())
    ]
    said += [number_of(ideas, "idea")] if ideas else []
    state = ", ".join(said) or "nothing is imported"
    if waiting:
        state += phrase(", {} not confirmed", number_of(waiting, "file"))
    return Step(
        "portfolio",
        phrase("Import the portfolio"),
        phrase(
            "The stage in a list is a reported stage. No one has signed for a reported stage or decided it in "
            "Plumbline."
        ),
        state,
        bool(stages) and not waiting,
        reverse("imports"),
        phrase("Import your portfolio"),
    )


def owners() -> dict[str, int]:
    """Count each imported initiative once by its owner: accepted, asked or none."""
    of_initiative = RoleAssignment.objects.filter(initiative=OuterRef("pk"), role=Role.OWNER)
    state = Case(
        When(Exists(of_initiative.in_force()), then=Value("accepted")),
        When(Exists(of_initiative.waiting()), then=Value("asked")),
        default=Value("none"),
        output_field=CharField(),
    )
    told = with_reported_stage().order_by().annotate(owned=state).values_list("owned").annotate(Count("pk"))
    return {"accepted": 0, "asked": 0, "none": 0} | dict(told)


def _owners() -> Step:
    counts = owners()
    return Step(
        "owners",
        phrase("Find the owners"),
        phrase("A person named in a list is not yet an owner. The person must accept the role, or decline."),
        phrase(
            "{} accepted, {} not answered yet, {} not asked yet",
            counts["accepted"],
            counts["asked"],
            counts["none"],
        ),
        bool(counts["accepted"]) and not counts["asked"] and not counts["none"],
        f"{reverse('portfolio')}?imported=on",
        phrase("See the owners"),
    )


def days_to_show() -> dict[str, int]:
    """Count imported initiatives by the day to show what they lack: ahead, past, none."""
    said = Obligation.objects.open().filter(kind=ObligationKind.SHOWN_BY, initiative=OuterRef("pk"))
    state = Case(
        When(Exists(said.filter(due__lt=clock.today())), then=Value("late")),
        When(Exists(said), then=Value("dated")),
        default=Value("none"),
        output_field=CharField(),
    )
    told = with_reported_stage().order_by().annotate(day=state).values_list("day").annotate(Count("pk"))
    return {"dated": 0, "late": 0, "none": 0} | dict(told)


def _days() -> Step:
    counts = days_to_show()
    return Step(
        "shown-by",
        phrase("Set the days for missing evidence"),
        phrase(
            "The owner of each initiative sets one day for its missing evidence. Gates do not use this day."
        ),
        phrase(
            "{} with a day, {} past their day, {} without a day",
            counts["dated"],
            counts["late"],
            counts["none"],
        ),
        bool(counts["dated"]) and not (counts["late"] or counts["none"]),
        f"{reverse('portfolio')}?report=to-be-shown",
        phrase("See the days"),
    )


def gaps_by_layer() -> Counter[str]:
    """Count by layer what imported initiatives lack for their reported stages.

    The counts are those of the supported stage periods that cover now.
    """
    found: Counter[str] = Counter()
    spans = SupportedStagePeriod.objects.covering(clock.now()).filter(
        initiative__in=with_reported_stage().order_by().values("pk")
    )
    for gaps in spans.order_by().values_list("gaps", flat=True):
        found.update(gaps)
    return found


def hours_to_verify(rulebook: ParsedRulebook) -> int:
    """Estimate the board hours to verify all reported stages. Each answer counts once."""
    told = with_reported_stage().order_by().values_list("stage", "tier").annotate(Count("pk"))
    minutes = sum(
        seat_time.verifications(rulebook, stage, tier) * seat_time.VERIFYING * count
        for stage, tier, count in told
    )
    return round(minutes / 60)


def reach(rulebook: ParsedRulebook) -> list[Reach]:
    """Return, for every board and tier, the gates that cannot be decided now, and why."""
    with one_look():
        every = boards.boards()
        boards.read_members(every)
        found = []
        for board in every:
            seats = seat_states(EligibleSigners(tuple(boards.members_now(board)), TeamMembers()))
            for tier in TIERS:
                told = (
                    (gate.title, criteria.reach(rulebook, gate.key, tier, seats))
                    for gate in rulebook.gates.values()
                )
                found.append(Reach(board.name, tier, tuple((title, why) for title, why in told if why)))
        return found


def ahead() -> list[dict]:
    """Return versions and drafts that do not bind yet, with the page of their effects."""
    rows = Rulebook.objects.filter(published_at=None).order_by("-pk").values_list("version", flat=True)[:5]
    found = [
        {
            "name": phrase("Version {}, not published", version),
            "link": reverse("rulebook-effects", args=[version]),
        }
        for version in rows
    ]
    drafts = RulebookDraft.objects.filter(loaded=None, dropped_at=None).order_by("-pk")[:5]
    return found + [
        {"name": f"Draft {draft}", "link": reverse("rulebook-draft-effects", args=[draft.pk])}
        for draft in drafts
    ]
