"""The match of lessons to an initiative, by its systems, vendors or words.

Source: docs/domain.md, invariant 15 (layer, system, vendor). Three common words make a lesson the initiative's own. A
common layer or kind of trouble replaces one of these words and ranks the lesson. A word counts if few lessons have it
and not every initiative uses it. An initiative has at most eight lessons, because no one answers more in earnest.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower

from adoption.lessons import lesson_search
from adoption.models import Lesson
from adoption.models.postmortems import PATTERNS
from governance.database.text_search import split, stems, synonyms
from governance.vocabulary import Layer, Stage
from initiatives.integration.definitions.definition_dependencies import systems_of
from initiatives.models import Deployment, Initiative, Link, System, TermUse
from initiatives.models.integration.systems import KNOWLEDGE_KINDS

MOST = 8  # lessons of one initiative
LOOKED_AT = 60  # lessons of one initiative that are looked at closely
IN_COMMON = 3  # words of a lesson about none of its systems and vendors
IN_WORDS = 2  # of these, the ones that cannot be a layer or a kind of trouble
PROBLEM = 2_000  # letters of it
# Whether few lessons have a stem: one in twenty, or three where there are few lessons.
RARE = """
(SELECT count(*) FROM adoption_lessonwords WHERE words @@ quote_literal(replace(stem, '\\', ''))::tsquery)
  BETWEEN 1 AND greatest(3, (SELECT count(*) FROM adoption_lessonwords) / 20)
"""
NEAR = f"""
WITH initiatives AS (
  SELECT * FROM jsonb_to_recordset(%s) AS c (key bigint, systems bigint[], vendors text[], stems text[])),
rare AS MATERIALIZED (
  SELECT stem FROM (SELECT DISTINCT unnest(stems) AS stem FROM initiatives) s WHERE {RARE})
SELECT c.key, near.lesson_id, near.systems, near.vendors, near.stems, l.layer, l.pattern
  FROM initiatives c
  CROSS JOIN LATERAL (
    SELECT coalesce(string_agg(quote_literal(stem), ' | '), '')::tsquery AS stems
      FROM rare WHERE stem = ANY (c.stems)) asked
  CROSS JOIN LATERAL (
    SELECT w.lesson_id,
           ARRAY(SELECT unnest(w.systems) INTERSECT SELECT unnest(c.systems)) AS systems,
           ARRAY(SELECT unnest(w.vendors) INTERSECT SELECT unnest(c.vendors)) AS vendors,
           ARRAY(SELECT stem FROM rare WHERE stem = ANY (c.stems)
                 INTERSECT SELECT unnest(tsvector_to_array(w.words))) AS stems
      FROM adoption_lessonwords w
     WHERE w.systems && c.systems OR w.vendors && c.vendors OR w.words @@ asked.stems
     ORDER BY w.systems && c.systems DESC, w.vendors && c.vendors DESC, ts_rank_cd(w.words, asked.stems) DESC,
              w.lesson_id DESC
     LIMIT {LOOKED_AT}) near
  JOIN adoption_lesson l ON l.id = near.lesson_id
  LEFT JOIN adoption_postmortem p ON p.id = l.post_mortem_id
  LEFT JOIN initiatives_initiative i ON i.id = p.initiative_id
 WHERE p.id IS NULL OR (NOT i.confidential AND i.id <> c.key)
"""
# Initiatives with two of the lesson's words, as their index keeps them (`initiatives_by_matter`).
IN_ITS_WORDS = f"""
WITH rare AS MATERIALIZED (
  SELECT stem FROM (SELECT unnest(tsvector_to_array(words)) AS stem FROM adoption_lessonwords WHERE lesson_id = %s) s
   WHERE {RARE})
SELECT i.id FROM rare JOIN initiatives_initiative i
    ON to_tsvector('english'::regconfig, COALESCE(title, '') || ' ' || COALESCE(problem, ''))
       @@ quote_literal(replace(stem, '\\', ''))::tsquery
 WHERE i.stage IN ('prototype', 'mvp') GROUP BY i.id HAVING count(*) >= {IN_WORDS}
"""


@dataclass(frozen=True)
class Match:
    """An initiative's own lesson, with the reasons. `near`: shared systems, shared vendors, and the rest."""

    lesson: int
    near: tuple[int, int, int]
    why: tuple[str, ...]


@dataclass
class Told:
    """The matter of one initiative.

    It has systems by key, vendors in lower case, layers, kinds of trouble, and distinctive words by stem.
    """

    systems: set[int] = field(default_factory=set)
    vendors: set[str] = field(default_factory=set)
    layers: set[str] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    words: dict[str, str] = field(default_factory=dict)


def lessons_for(initiatives: Iterable[Initiative]) -> dict[int, list[Match]]:
    """Return each initiative's own lessons by its key, nearest first. The number of queries is fixed."""
    initiatives = {initiative.pk: initiative for initiative in initiatives}
    found: dict[int, list[Match]] = {key: [] for key in initiatives}
    if not initiatives or not lesson_search.offered().exists():
        return found
    told = _told(initiatives)
    rows = _near(told)
    names = dict(
        System.objects.filter(pk__in={key for row in rows for key in row[2]}).values_list("pk", "name")
    )
    for initiative, *shared in rows:
        match = _judged(told[initiative], names, *shared)
        if match is not None:
            found[initiative].append(match)
    nearest_first = partial(sorted, key=lambda one: (one.near, one.lesson), reverse=True)
    return {key: nearest_first(some)[:MOST] for key, some in found.items()}


def initiatives_of(lesson: Lesson) -> QuerySet[Initiative]:
    """Return running initiatives before production that may match this lesson. `lessons_for` judges them."""
    running = Initiative.objects.live().filter(
        stage__in=(Stage.PROTOTYPE, Stage.MVP), withdrawn_at__isnull=True
    )
    vendors = [str(vendor).lower() for vendor in lesson.vendors]
    of_systems = System.objects.filter(pk__in=lesson.systems) | System.objects.filter(
        members__in=lesson.systems
    )
    tied = Link.objects.current().filter(system__in=of_systems.values("pk"))
    of_vendors = (
        Link.objects.current().annotate(sold_by=Lower("system__vendor__name")).filter(sold_by__in=vendors)
    )
    parts = Deployment.objects.annotate(sold_by=Lower("version__vendor__name")).filter(sold_by__in=vendors)
    near = [tied.values("initiative"), of_vendors.values("initiative"), parts.values("initiative")]
    keys = running.filter(pk__in=near[0]) | running.filter(pk__in=near[1]) | running.filter(pk__in=near[2])
    with connection.cursor() as cursor:
        cursor.execute(IN_ITS_WORDS, [lesson.pk])
        worded = [key for (key,) in cursor.fetchall()]
    return (keys | running.filter(pk__in=worded)).distinct()


def _told(initiatives: dict[int, Initiative]) -> dict[int, Told]:
    """Return the matter of each of these initiatives, in set-wise queries."""
    told = {key: Told() for key in initiatives}
    for key, systems in systems_of(initiatives).items():
        told[key].systems = systems
    links = Link.objects.current().filter(initiative__in=initiatives)
    columns = ("initiative", "pattern", "account", "system__kind", "system__vendor__name")
    for key, pattern, account, kind, vendor in links.values_list(*columns):
        one = told[key]
        one.layers.add("integration")
        one.vendors |= {vendor.lower()} if vendor else set()
        one.patterns |= {"fallback"} if pattern == "fallback" else set()
        one.patterns |= {"identity"} if account else set()
        one.patterns |= {"sources"} if kind in KNOWLEDGE_KINDS else set()
    for key, layer, vendor in Deployment.objects.filter(initiative__in=initiatives).values_list(
        "initiative", "version__layer", "version__vendor__name"
    ):
        told[key].layers.add(layer)
        told[key].vendors |= {vendor.lower()} if vendor else set()
    for key in TermUse.objects.filter(initiative__in=initiatives, ended_at__isnull=True).values_list(
        "initiative", flat=True
    ):
        told[key].patterns.add("definitions")
    _word(told, initiatives)
    return told


def _word(told: dict[int, Told], initiatives: dict[int, Initiative]) -> None:
    """Add the words of titles and problems by stem, the title's first. Leaves out words that every initiative uses."""
    said = {
        key: split(f"{initiative.title} {initiative.problem[:PROBLEM]}")
        for key, initiative in initiatives.items()
    }
    stem_of = stems({word for words in said.values() for word in words})
    passed = synonyms().ignored | synonyms().everywhere
    for key, words in said.items():
        for word in words:
            if len(word) > 2 and stem_of[word] and stem_of[word] not in passed:
                told[key].words.setdefault(stem_of[word], word)


def _near(told: dict[int, Told]) -> list[tuple]:
    """Return the lessons that share most with each initiative.

    A row has the keys of both, shared systems, vendors and stems, layer, pattern.
    """
    asked = [
        {
            "key": key,
            "systems": sorted(one.systems),
            "vendors": sorted(one.vendors),
            "stems": list(one.words),
        }
        for key, one in told.items()
    ]
    with connection.cursor() as cursor:
        cursor.execute(NEAR, [json.dumps(asked)])
        return cursor.fetchall()


def _judged(
    one: Told, names: dict[int, str], lesson: int, systems, vendors, shared, layer, pattern
) -> Match | None:
    """Return the match of a lesson with its reasons, or None if the lesson is too far."""
    words = [word for stem, word in one.words.items() if stem in shared]
    beside = []
    if layer in one.layers:
        beside.append(f"layer: {Layer(layer).label.lower()}")
    if pattern and pattern in one.patterns:
        beside.append(f"kind of problem: {PATTERNS[pattern].lower()}")
    in_common = len(words) + len(beside)
    if not (systems or vendors) and (len(words) < IN_WORDS or in_common < IN_COMMON):
        return None
    why = []
    if systems:
        why.append(f"same system: {', '.join(sorted(names.get(key, str(key)) for key in systems))}")
    if vendors:
        why.append(f"same vendor: {', '.join(sorted(vendors))}")
    if words:
        why.append(f"words: {', '.join(words)}")
    return Match(lesson, (len(systems), len(vendors), in_common), tuple(why + beside))
