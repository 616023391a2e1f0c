"""Cases like the one somebody is about to register: full text over titles and problems, shown as stubs."""

import re
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import ExpressionWrapper, FloatField, Prefetch, Value
from django.db.models.functions import Cast

from governance.templatetags.plumbline import stage_word
from initiatives.models import Initiative, RoleAssignment

SHOWN = 5
WORDS = 24
SHORTEST = 3
NEAR = 0.6  # one word of the title in a title
PROBLEM_WEIGHS = 0.4


@dataclass(frozen=True)
class Stub:
    """What everybody signed in sees of a case that is not confidential: ref, title, unit, stage, whom to ask."""

    ref: str
    title: str
    unit: str
    stage: str
    ask: str
    link: str = ""


def similar(title: str, problem: str, person, visible) -> list[Stub]:
    """The nearest cases by words of title and problem, best first; none while too little is written.

    `visible`: the cases the person may open; others are named, not linked. A case is near when a word of the new title
    stands in its title; words of the problem weigh less, so it takes several of them. ts_rank adds up matches and
    divides by the words asked for, which is undone here.
    """
    asked = [
        (_words(title), True, 1.0),
        (_words(problem), False, PROBLEM_WEIGHS),
    ]
    vector = SearchVector("title", weight="A", config="english") + SearchVector(
        "problem", weight="B", config="english"
    )
    near, query = Value(0.0), None
    for words, typing, weight in asked:
        if words:
            part = _query(words, typing)
            near = near + Cast(SearchRank(vector, part), FloatField()) * Value(weight * len(words))
            query = part if query is None else query | part
    if query is None:
        return []
    owners = RoleAssignment.objects.in_force().filter(role="owner").select_related("person")
    found = list(
        Initiative.objects.live()
        .filter(confidential=False)
        .annotate(words=vector, near=ExpressionWrapper(near, FloatField()))
        .filter(words=query, near__gte=NEAR)
        .select_related("unit", "registered_by")
        .prefetch_related(Prefetch("roles", queryset=owners, to_attr="owner_rows"))
        .order_by("-near", "number")[:SHOWN]
    )
    may_open = set(visible.filter(pk__in=[case.pk for case in found]).values_list("pk", flat=True))
    return [_stub(case, case.pk in may_open) for case in found]


def _words(text: str) -> list[str]:
    found = re.findall(r"[^\W_]+", text[:2000].lower())
    return list(dict.fromkeys(word for word in found if len(word) >= SHORTEST))[:WORDS]


def _query(words: list[str], typing: bool) -> SearchQuery:
    """Any of the words in any of its forms; while somebody types, the last one may go on."""
    last = f"{words[-1]}:*" if typing else words[-1]
    return SearchQuery(" | ".join([*words[:-1], last]), search_type="raw", config="english")


def _stub(case: Initiative, linked: bool) -> Stub:
    if case.owner_rows:
        ask = case.owner_rows[0].person.full_name
    elif case.registered_by and case.registered_by.is_active:
        ask = case.registered_by.full_name
    else:
        ask = ""
    return Stub(
        case.ref,
        case.title,
        case.unit.name,
        stage_word(case.stage),
        ask,
        case.get_absolute_url() if linked else "",
    )
