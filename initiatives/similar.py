"""Cases like the one somebody is about to register: full text over titles and problems, shown as stubs."""

import re
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector
from django.db.models import (
    BigIntegerField,
    Exists,
    ExpressionWrapper,
    FloatField,
    OuterRef,
    Prefetch,
    QuerySet,
    Value,
)
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
    near = _near(title, problem, typing=True)
    return [] if near is None else _stubs(list(near.values_list("pk", flat=True)[:SHOWN]), visible)


def similar_to_each(cases: list[Initiative], visible) -> dict[int, list[Stub]]:
    """For each of these cases, by key, the cases nearest to it, best first; asked for all of them at once."""
    asked = [
        found.exclude(pk=case.pk).annotate(of=Value(case.pk, output_field=BigIntegerField()))
        for case in cases
        if (found := _near(case.title, case.problem, typing=False)) is not None
    ]
    pairs: list[tuple[int, int]] = []
    if asked:
        first, *others = (found.values_list("of", "pk", "near", "number")[:SHOWN] for found in asked)
        rows = list(first.union(*others, all=True) if others else first)
        pairs = [(of, pk) for of, pk, _, _ in sorted(rows, key=lambda row: (-row[2], row[3]))]
    keys = list(dict.fromkeys(pk for _, pk in pairs))
    stubs = dict(zip(keys, _stubs(keys, visible), strict=True))
    return {case.pk: [stubs[pk] for of, pk in pairs if of == case.pk] for case in cases}


def _near(title: str, problem: str, *, typing: bool) -> QuerySet | None:
    """Cases that are not confidential and near enough, with how `near`, best first; None where too little is said."""
    asked = [(_words(title), typing, 1.0), (_words(problem), False, PROBLEM_WEIGHS)]
    vector = SearchVector("title", weight="A", config="english") + SearchVector(
        "problem", weight="B", config="english"
    )
    near, query = Value(0.0), None
    for words, still_typing, weight in asked:
        if words:
            part = _query(words, still_typing)
            near = near + Cast(SearchRank(vector, part), FloatField()) * Value(weight * len(words))
            query = part if query is None else query | part
    if query is None:
        return None
    return (
        Initiative.objects.live()
        .filter(confidential=False)
        .annotate(words=vector, near=ExpressionWrapper(near, FloatField()))
        .filter(words=query, near__gte=NEAR)
        .order_by("-near", "number")
    )


def _stubs(keys: list[int], visible) -> list[Stub]:
    """The stubs of these cases, in their order."""
    if not keys:
        return []
    owners = RoleAssignment.objects.in_force().filter(role="owner").select_related("person")
    rows = (
        Initiative.objects.filter(pk__in=keys)
        .annotate(may_open=Exists(visible.filter(pk=OuterRef("pk"))))
        .select_related("unit", "registered_by")
        .prefetch_related(Prefetch("roles", queryset=owners, to_attr="owner_rows"))
        .in_bulk()
    )
    return [_stub(rows[key], rows[key].may_open) for key in keys]


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
