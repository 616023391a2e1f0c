"""The first month of a company that arrives with a portfolio: each step with its state, read from rows."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, Exists, OuterRef, QuerySet, Value, When
from django.urls import reverse

from governance import clock
from governance.database.request_memo import one_look
from governance.gates import criteria
from governance.gates.separation_of_duties import Parties
from governance.models import Rulebook
from governance.people import boards
from governance.permission_result import Reason
from governance.rulebook import Book
from governance.vocabulary import Role, Stage, Tier
from initiatives.cases.review_state import Bench, seat_states
from initiatives.catch_up import queries
from initiatives.desk import first_steps, seat_time
from initiatives.desk.first_steps import Step, number_of
from initiatives.models import CatchUpPlan, ImportBatch, Initiative, RoleAssignment, RulebookDraft, Span

TIERS = (Tier.MINIMAL, Tier.LIMITED, Tier.HIGH)


@dataclass(frozen=True)
class Reach:
    """What a board can decide at one tier: gates it cannot, each with why, before anybody is barred from a case."""

    board: str
    tier: str
    cannot: tuple[tuple[str, tuple[Reason, ...]], ...]


def claiming() -> QuerySet:
    """The imported initiatives that claim a running stage."""
    return queries.claiming(Initiative.objects.all())


def steps() -> list[Step]:
    """Every step in its order."""
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
            "From a table",
        ),
        first_steps.people_step(),
        board,
        seats,
        first_steps.rulebook_step(),
        _portfolio(),
        _owners(),
        _plans(),
    ]


def _portfolio() -> Step:
    stages = Counter(claiming().order_by().values_list("stage", flat=True))
    ideas = Initiative.objects.live().filter(stage=Stage.PROPOSED).exclude(source_organisation="").count()
    waiting = ImportBatch.objects.filter(confirmed_at=None, repeats=None).count()
    said = [f"{count} claimed as {Stage(stage).label}" for stage, count in sorted(stages.items())]
    said += [number_of(ideas, "idea")] if ideas else []
    state = ", ".join(said) or "nothing is imported"
    if waiting:
        state += f"; {number_of(waiting, 'file')} not confirmed"
    return Step(
        "portfolio",
        "Bring in the portfolio",
        "What a list says becomes claims: shown as stated by its source, signed and decided by nobody.",
        state,
        bool(stages) and not waiting,
        reverse("portfolio-import"),
        "Import your portfolio",
    )


def owners() -> dict[str, int]:
    """How many imported initiatives have an owner who accepted, one who was asked, and none; each counted once."""
    of_case = RoleAssignment.objects.filter(initiative=OuterRef("pk"), role=Role.OWNER)
    state = Case(
        When(Exists(of_case.in_force()), then=Value("accepted")),
        When(Exists(of_case.waiting()), then=Value("asked")),
        default=Value("none"),
        output_field=CharField(),
    )
    told = claiming().order_by().annotate(owned=state).values_list("owned").annotate(Count("pk"))
    return {"accepted": 0, "asked": 0, "none": 0} | dict(told)


def _owners() -> Step:
    counts = owners()
    return Step(
        "owners",
        "Find their owners",
        "A name in a list owns nothing: whoever is asked accepts in person, or says that it is not theirs.",
        f"{counts['accepted']} accepted, {counts['asked']} asked and not answered, {counts['none']} without anybody",
        bool(counts["accepted"]) and not counts["asked"] and not counts["none"],
        f"{reverse('portfolio')}?imported=on",
        "See who owns them",
    )


def plans() -> dict[str, int]:
    """How many imported initiatives have which state of their catch-up plan; what is only dated counts apart."""
    current = CatchUpPlan.objects.current().filter(initiative=OuterRef("pk"))
    state = Case(
        When(Exists(current.filter(answer__agreed=True)), then=Value("agreed")),
        When(Exists(current.filter(answer__agreed=False)), then=Value("sent back")),
        When(Exists(current), then=Value("dated")),
        default=Value("none"),
        output_field=CharField(),
    )
    told = claiming().order_by().annotate(plan=state).values_list("plan").annotate(Count("pk"))
    return {"agreed": 0, "dated": 0, "sent back": 0, "none": 0} | dict(told)


def _plans() -> Step:
    counts = plans()
    return Step(
        "catch-up",
        "Catch up, wave by wave",
        "Each initiative gets days by which it shows what it lacks; the chair agrees to them. Nothing else changes.",
        f"{counts['agreed']} agreed, {counts['dated']} dated and not agreed, {counts['sent back']} sent back, "
        f"{counts['none']} without a plan",
        bool(counts["agreed"]) and not (counts["dated"] or counts["sent back"] or counts["none"]),
        reverse("catch-ups"),
        "See which first and why",
    )


def gaps_by_layer() -> Counter[str]:
    """How much all imported initiatives lack now for what they claim, by layer, as their standings count it."""
    found: Counter[str] = Counter()
    spans = Span.objects.covering(clock.now()).filter(initiative__in=claiming().order_by().values("pk"))
    for gaps in spans.order_by().values_list("gaps", flat=True):
        found.update(gaps)
    return found


def hours_to_verify(book: Book) -> int:
    """About how many hours boards spend on verifying what all imported initiatives claim, each answer once."""
    told = claiming().order_by().values_list("stage", "tier").annotate(Count("pk"))
    minutes = sum(
        seat_time.verifications(book, stage, tier) * seat_time.VERIFYING * count
        for stage, tier, count in told
    )
    return round(minutes / 60)


def reach(book: Book) -> list[Reach]:
    """For every board and tier, which gates it could not decide as it sits now, and why."""
    with one_look():
        every = boards.boards()
        boards.read_members(every)
        found = []
        for board in every:
            seats = seat_states(Bench(tuple(boards.members_now(board)), Parties()))
            for tier in TIERS:
                told = (
                    (gate.title, criteria.reach(book, gate.key, tier, seats)) for gate in book.gates.values()
                )
                found.append(Reach(board.name, tier, tuple((title, why) for title, why in told if why)))
        return found


def ahead() -> list[dict]:
    """Versions and drafts that do not bind yet, each with where it is shown what it would mean for the cases."""
    rows = Rulebook.objects.filter(published_at=None).order_by("-pk").values_list("version", flat=True)[:5]
    found = [
        {"name": f"Version {version}, not published", "link": reverse("rulebook-effects", args=[version])}
        for version in rows
    ]
    drafts = RulebookDraft.objects.filter(loaded=None, dropped_at=None).order_by("-pk")[:5]
    return found + [
        {"name": f"Draft {draft}", "link": reverse("rulebook-draft-effects", args=[draft.pk])}
        for draft in drafts
    ]
