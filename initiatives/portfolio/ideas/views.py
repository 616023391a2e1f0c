"""The page of waiting ideas side by side: value, risk, options and similar ones."""

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import Rulebook, User
from governance.people.boards import seats_held, units_of_board
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary import RUNNING_STAGES, ReviewOutcome, Role, Stage, Tier
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.initiative.initiative_frame import page_of
from initiatives.lifecycle.initiative.similar_initiatives import said_not_similar, similar_to_each
from initiatives.models import Answer, BusinessCase, Initiative, Review, RoleAssignment
from initiatives.portfolio.efforts import queries
from initiatives.portfolio.ideas import permissions
from initiatives.portfolio.initiative_list import filters

MOST = 5
LISTED = 50
# Where the board reads an answer; whatever else the first gate asks says how it could be done.
VALUE = ("prototype.selected", "proto.question")
NEEDED = (Role.OWNER, Role.SPONSOR, Role.TECHNICAL_LEAD, Role.DATA_STEWARD, Role.SUPPORT_OWNER)
RISK = ("proto.assumptions", "proto.limitations")


@require_safe
def ideas(request: SignedInRequest) -> HttpResponse:
    """Show the waiting ideas of the person's boards, and up to five side by side."""
    permissions.may_compare_ideas(request.user).or_refuse()
    waiting = waiting_ideas(request.user)
    asked = list(dict.fromkeys(request.GET.getlist("initiative")))
    numbers = [int(ref[3:]) for ref in asked if ref[:3] == "AI-" and ref[3:].isdecimal() and len(ref) < 13]
    waiting = waiting.select_related("unit")
    chosen = list(filters.with_people(waiting.filter(number__in=numbers[:MOST]))) if numbers else []
    page = page_of(request, waiting, LISTED)
    context = {
        "nav": "reviews",
        "page": page,
        "rows": [(initiative, days_waiting(initiative)) for initiative in page],
        "chosen": {initiative.pk for initiative in chosen},
        "ideas": _side_by_side(chosen, request.user),
        "too_many": len(asked) > MOST,
        "most": MOST,
    }
    return render(request, "initiatives/ideas/ideas.html", context)


def waiting_ideas(person: User) -> QuerySet:
    """Return the ideas of the person's boards, the longest waiting first."""
    units = Q()
    for board in {member.board for member in seats_held(person)}:
        units |= Q(unit__in=units_of_board(board))
    return Initiative.objects.live().filter(units, stage=Stage.PROPOSED).order_by("since", "number")


def days_waiting(initiative: Initiative) -> int:
    """Return the whole days since the initiative was registered or reopened."""
    return (clock.today() - clock.local_day(initiative.since)).days


def _side_by_side(initiatives: list[Initiative], person: User) -> list[dict]:
    if not initiatives:
        return []
    rulebook = Rulebook.objects.current().parsed
    gate = rulebook.gate_to("prototype")
    requirements = gate.requirements() if gate else ()
    said: dict[int, dict[str, Answer]] = {}
    for row in Answer.objects.filter(initiative__in=initiatives, requirement__in=requirements):
        said.setdefault(row.initiative_id, {})[row.requirement] = row
    reviews = {
        row.initiative_id: row
        for row in Review.objects.filter(initiative__in=initiatives, outcome=ReviewOutcome.OPEN)
    }
    money, given, people = _cost_and_people(initiatives)
    near, apart = (
        similar_to_each(initiatives, visibility.visible_to(person)),
        said_not_similar(initiatives),
    )
    rest = [key for key in requirements if key not in (*VALUE, *RISK)]

    def answers(initiative: Initiative, keys) -> list[tuple[str, Answer | None]]:
        known = [key for key in keys if key in rulebook.requirements]
        return [(rulebook.requirements[key].question, said.get(initiative.pk, {}).get(key)) for key in known]

    return [
        {
            "initiative": initiative,
            "days": days_waiting(initiative),
            "tier": Tier.word(initiative.tier or initiative.proposed_tier),
            "high_risk": Tier.HIGH in (initiative.tier, initiative.proposed_tier),
            "value": answers(initiative, VALUE),
            "risk": answers(initiative, RISK),
            "feasibility": answers(initiative, rest),
            "similar": near[initiative.pk],
            "not_similar": apart[initiative.pk],
            "review": reviews.get(initiative.pk),
            "money": money.get(initiative.pk),
            "given": given.get(initiative.pk, []),
            "people": people[initiative.pk],
        }
        for initiative in initiatives
    ]


def _cost_and_people(initiatives: list[Initiative]) -> tuple[dict, dict, dict]:
    """Return business cases, funding, and people by role. Each person has a count of running initiatives."""
    money = {row.initiative_id: row for row in BusinessCase.objects.filter(initiative__in=initiatives)}
    given = {
        pk: [(currency, amount) for currency, (amount, _) in sums.items()]
        for pk, sums in queries.given([initiative.pk for initiative in initiatives]).items()
    }
    held = list(RoleAssignment.objects.open().filter(initiative__in=initiatives).select_related("person"))
    works = RoleAssignment.objects.in_force().filter(
        person__in={row.person_id for row in held},
        initiative__stage__in=RUNNING_STAGES,
        initiative__withdrawn_at=None,
    )
    counted = works.order_by().values("person").annotate(n=Count("initiative", distinct=True))
    load = dict(counted.values_list("person", "n"))
    people: dict[int, list[tuple]] = {}
    for initiative in initiatives:
        rows = [row for row in held if row.initiative_id == initiative.pk]
        people[initiative.pk] = [
            (
                Role(role).label,
                [
                    (row.person.full_name, load.get(row.person_id, 0), row.accepted_at is not None)
                    for row in rows
                    if row.role == role
                ],
            )
            for role in NEEDED
        ]
    return money, given, people
