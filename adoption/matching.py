"""Which lessons of the library are a case's own: those about its systems, its vendors, or in its own words.

Source: domain.md, invariant 15 (layer, system, vendor). A layer or a kind of trouble shared says which comes first;
alone it is too little. Eight at the most: more than that nobody answers in earnest.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower

from adoption import library
from adoption.models import Lesson
from adoption.models.postmortems import PATTERNS
from initiatives.models import Component, Initiative, Link, System, TermUse
from initiatives.models.systems import KNOWLEDGE_KINDS
from initiatives.models.versions import LAYERS
from initiatives.register.rested import systems_of

MOST = 8  # lessons of one case
LOOKED_AT = 60  # lessons of one case that are looked at closely
# What each thing that is shared counts for; a lesson is the case's from ENOUGH on.
SYSTEM, VENDOR, IN_TITLE, IN_PROBLEM, BESIDE, ENOUGH = 3.0, 2.0, 0.75, 0.5, 0.5, 2.0
WORDS_COUNTED = 6
# A word that one lesson in so many has says nothing about a case; few lessons have few words in common anyway.
RARE, ALWAYS_RARE = 20, 3


@dataclass(frozen=True)
class Match:
    """A lesson that is a case's own, how near it is, and why."""

    lesson: int
    near: float
    why: tuple[str, ...]


@dataclass
class Told:
    """What one case has: systems by key, vendors in small letters, layers, kinds of trouble, telling words by stem."""

    systems: set[int] = field(default_factory=set)
    vendors: set[str] = field(default_factory=set)
    layers: set[str] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    title: dict[str, str] = field(default_factory=dict)
    problem: dict[str, str] = field(default_factory=dict)


def lessons_for(cases: Iterable[Initiative]) -> dict[int, list[Match]]:
    """By key of the case, the lessons that are its own, nearest first; a fixed number of questions for all of them."""
    cases = {case.pk: case for case in cases}
    found: dict[int, list[Match]] = {key: [] for key in cases}
    if not cases or not library.offered().exists():
        return found
    told = _told(cases)
    rows = _near(told)
    names = dict(
        System.objects.filter(pk__in={key for row in rows for key in row[2]}).values_list("pk", "name")
    )
    for case, lesson, systems, vendors, stems, layer, pattern in rows:
        match = _judged(told[case], lesson, systems, vendors, stems, layer, pattern, names)
        if match is not None:
            found[case].append(match)
    return {key: sorted(some, key=lambda one: (-one.near, -one.lesson))[:MOST] for key, some in found.items()}


def cases_of(lesson: Lesson) -> QuerySet[Initiative]:
    """Running cases before production that may have this lesson as their own: `lessons_for` judges them."""
    running = Initiative.objects.live().filter(stage__in=("prototype", "mvp"), withdrawn_at__isnull=True)
    vendors = [str(vendor).lower() for vendor in lesson.vendors]
    of_systems = System.objects.filter(pk__in=lesson.systems) | System.objects.filter(
        members__in=lesson.systems
    )
    tied = Link.objects.standing().filter(system__in=of_systems.values("pk"))
    of_vendors = (
        Link.objects.standing().annotate(sold_by=Lower("system__vendor__name")).filter(sold_by__in=vendors)
    )
    parts = Component.objects.annotate(sold_by=Lower("vendor")).filter(sold_by__in=vendors)
    near = [tied.values("initiative"), of_vendors.values("initiative"), parts.values("initiative")]
    keys = running.filter(pk__in=near[0]) | running.filter(pk__in=near[1]) | running.filter(pk__in=near[2])
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id FROM initiatives_initiative i WHERE i.stage IN ('prototype', 'mvp') AND (
              SELECT count(*) FROM adoption_lessonlexeme l
               WHERE l.lexeme = ANY (tsvector_to_array(plumbline_lesson_words(i.title || ' ' || i.problem)))
                 AND l.lexeme IN (
                   SELECT unnest(tsvector_to_array(words)) FROM adoption_lessonwords WHERE lesson_id = %s)
                 AND l.documents <= greatest(
                   %s, (SELECT documents FROM adoption_lessonlexeme WHERE lexeme = '') / %s)) >= 2
            """,
            [lesson.pk, ALWAYS_RARE, RARE],
        )
        worded = [key for (key,) in cursor.fetchall()]
    return (keys | running.filter(pk__in=worded)).distinct()


def _told(cases: dict[int, Initiative]) -> dict[int, Told]:
    """What each of these cases has, set-wise."""
    told = {key: Told() for key in cases}
    for key, systems in systems_of(cases).items():
        told[key].systems = systems
    links = Link.objects.standing().filter(initiative__in=cases)
    columns = ("initiative", "pattern", "account", "system__kind", "system__vendor__name")
    for key, pattern, account, kind, vendor in links.values_list(*columns):
        one = told[key]
        one.layers.add("integration")
        one.vendors |= {vendor.lower()} if vendor else set()
        one.patterns |= {"fallback"} if pattern == "fallback" else set()
        one.patterns |= {"identity"} if account else set()
        one.patterns |= {"sources"} if kind in KNOWLEDGE_KINDS else set()
    for key, layer, vendor in Component.objects.filter(initiative__in=cases).values_list(
        "initiative", "layer", "vendor"
    ):
        told[key].layers.add(layer)
        told[key].vendors |= {vendor.lower()} if vendor else set()
    for key in TermUse.objects.filter(initiative__in=cases, ended_at__isnull=True).values_list(
        "initiative", flat=True
    ):
        told[key].patterns.add("definitions")
    _word(told, cases)
    return told


def _word(told: dict[int, Told], cases: dict[int, Initiative]) -> None:
    """The telling words of titles and problems: those that are rare among the lessons."""
    split = {
        key: (library.split(case.title), library.split(case.problem[:2000])) for key, case in cases.items()
    }
    words = sorted({word for both in split.values() for some in both for word in some if len(word) > 2})
    stems = {word: stem for word, stem, little in library.stems_of(words) if not little}
    counted, total = library.counted(stems.values())
    known, most = library.thesaurus(), max(ALWAYS_RARE, total // RARE)
    passed = known.ignored | known.everywhere
    telling = {
        word: stem for word, stem in stems.items() if stem not in passed and 0 < counted.get(stem, 0) <= most
    }
    for key, both in split.items():
        one = told[key]
        one.title, one.problem = ({telling[word]: word for word in some if word in telling} for some in both)
        for stem in one.title:
            one.problem.pop(stem, None)


def _near(told: dict[int, Told]) -> list[tuple]:
    """The lessons that share most with each case: keys of both, shared systems, vendors and stems, layer, pattern."""
    asked = [
        {
            "key": key,
            "systems": "{" + ",".join(str(system) for system in sorted(one.systems)) + "}",
            "vendors": sorted(one.vendors),
            "stems": sorted({**one.title, **one.problem}),
        }
        for key, one in told.items()
        if one.systems or one.vendors or one.title or one.problem
    ]
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT t.key, near.lesson_id, near.systems, near.vendors,
                   ARRAY(SELECT s FROM unnest(t.stems) s WHERE s = ANY (tsvector_to_array(near.words))),
                   l.layer, l.pattern
              FROM (SELECT (one->>'key')::bigint AS key, (one->>'systems')::bigint[] AS systems,
                           ARRAY(SELECT jsonb_array_elements_text(one->'vendors')) AS vendors,
                           ARRAY(SELECT jsonb_array_elements_text(one->'stems')) AS stems,
                           coalesce((SELECT string_agg(quote_literal(s), ' | ')
                              FROM jsonb_array_elements_text(one->'stems') s), '')::tsquery AS asked
                      FROM jsonb_array_elements(%s::jsonb) one) t
              CROSS JOIN LATERAL (
                SELECT w.lesson_id, w.words,
                       ARRAY(SELECT unnest(w.systems) INTERSECT SELECT unnest(t.systems)) AS systems,
                       ARRAY(SELECT unnest(w.vendors) INTERSECT SELECT unnest(t.vendors)) AS vendors
                  FROM adoption_lessonwords w
                 WHERE w.systems && t.systems OR w.vendors && t.vendors OR w.words @@ t.asked
                 ORDER BY 3 * (w.systems && t.systems)::int + 2 * (w.vendors && t.vendors)::int
                          + ts_rank(w.words, t.asked) DESC, w.lesson_id DESC
                 LIMIT {LOOKED_AT}) near
              JOIN adoption_lesson l ON l.id = near.lesson_id
              LEFT JOIN adoption_postmortem p ON p.id = l.post_mortem_id
              LEFT JOIN initiatives_initiative i ON i.id = p.initiative_id
             WHERE p.id IS NULL OR (NOT i.confidential AND i.id <> t.key)
            """,
            [json.dumps(asked)],
        )
        return cursor.fetchall()


def _judged(one: Told, lesson: int, systems, vendors, stems, layer, pattern, names) -> Match | None:
    """How near a lesson is to a case and why; None where it is too far."""
    titled = [one.title[stem] for stem in stems if stem in one.title]
    other = [one.problem[stem] for stem in stems if stem in one.problem]
    worded = [IN_TITLE] * len(titled) + [IN_PROBLEM] * len(other)
    near = SYSTEM * len(systems) + VENDOR * len(vendors) + sum(worded[:WORDS_COUNTED])
    why = []
    if systems:
        why.append(f"same system: {', '.join(sorted(names.get(key, str(key)) for key in systems))}")
    if vendors:
        why.append(f"same vendor: {', '.join(sorted(vendors))}")
    if not why and len(worded) < 2:
        return None
    if worded:
        why.append(f"words: {', '.join(titled + other)}")
    if layer in one.layers:
        near += BESIDE
        why.append(f"layer: {LAYERS[layer].lower()}")
    if pattern and pattern in one.patterns:
        near += BESIDE
        why.append(f"kind of trouble: {PATTERNS[pattern].lower()}")
    return Match(lesson, near, tuple(why)) if near >= ENOUGH else None
