"""Findings of residency (int.residency): data in regions that a term forbids.

One statement holds the rule for any number of initiatives. It judges each place of a link's path (the linked system,
then its transfers in order) against each term that binds the place: terms of the vendor that runs the place, and
policies of the initiative's unit and of all units above. A term binds if it names a class of data that the link
carries. A term without classes binds all data, and a link without classes counts as carrying every class. A place is
in its region and in all regions above. A transfer through a component is in the region of the version that runs, so
that each answer has its time. If a term allows some regions, all other regions and unknown regions are forbidden. A
region that the term forbids stays forbidden. Sources: S1-6, S1-9.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from governance import clock
from governance.database import prepared_statements
from governance.vocabulary.phrases import phrase
from initiatives.integration.residency import regions
from initiatives.lifecycle.facts.finding_rules import EVER, Unknown, Wanted, about
from initiatives.lifecycle.findings.sync import days_to_find_out
from initiatives.models import Deployment, Link, Region, Transfer, Vendor

REQUIREMENT = "int.residency"
VENDOR, UNIT = "vendor", "unit"
# The answer of a term for a place. UNTOLD: the region is not known, and the term only forbids some regions.
FREE, ALLOWED, UNTOLD, FORBIDDEN, OUTSIDE, UNKNOWN = (
    "free",
    "allowed",
    "untold",
    "forbidden",
    "outside",
    "unknown",
)
BROKEN = (FORBIDDEN, OUTSIDE, UNKNOWN)
# The effect of regions that are not known.
FIND_OUT = phrase(
    "Find out the location by the day of the obligation. After that day, data in an unknown region count as "
    "not allowed."
)


@dataclass(frozen=True)
class Bound:
    """A term or policy that is not filed yet, for a preview. `holder`: key of the vendor or unit."""

    basis: str
    holder: int
    allowed: tuple[str, ...]
    forbidden: tuple[str, ...]
    data_classes: tuple[str, ...]
    starts_on: date
    ends_on: date | None
    reference: str
    words: str = ""


@dataclass(frozen=True)
class WhatIf:
    """A change to judge: terms left out, a term added, a new region, a moving vendor."""

    without: tuple[tuple[str, int], ...] = ()
    also: Bound | None = None
    added: tuple[str, str] | None = None
    moved: tuple[int, str, str] | None = None


NOW = WhatIf()


@dataclass(frozen=True)
class Judged:
    """The answer for one place of a path under one term that binds it, during a time.

    `transfer` is None for the linked system itself. `term` is None for one that is not filed, and if no term binds.
    `classes` are the data classes of the link that the term names, none if either names none. `due` is the last day
    on which an unknown region has no effect (`with_days`).
    """

    initiative: int
    link: int
    system: int
    transfer: int | None
    place: int
    name: str
    region: str
    known: bool
    basis: str | None
    term: int | None
    holder: str | None
    reference: str | None
    said: str | None
    allowed: list[str]
    forbidden: list[str]
    classes: list[str]
    since: datetime
    until: datetime | None
    answer: str
    due: date | None = None

    @property
    def pending(self) -> bool:
        """Return True if the region is unknown and the day to find it out has not passed."""
        return self.due is not None and clock.today() <= self.due

    @property
    def forbidden_now(self) -> bool:
        """Return True if the place counts as one where the data must not be."""
        return self.broken and not self.pending

    @property
    def broken(self) -> bool:
        """Return True if the data must not be there."""
        return self.answer in BROKEN

    @property
    def where(self) -> str:
        """Return the place and its region, in words."""
        if not self.region:
            return phrase("{}, region not known", self.name)
        return f"{self.name}, {self.region}" + ("" if self.known else " (region not known)")

    @property
    def clause(self) -> str:
        """Return the name and the content of the term, in words."""
        own = self.reference.lower().startswith(self.holder.lower())
        said = self.said or "; ".join(
            f"{word}: {', '.join(listed)}"
            for word, listed in (("allowed", self.allowed), ("forbidden", self.forbidden))
            if listed
        )
        return f"{self.reference if own else f'{self.holder} {self.reference}'} ({said})"

    @property
    def words(self) -> str:
        """Return the finding as a sentence: place, region, term, clause, data classes."""
        carried = phrase(", for {}", ", ".join(self.classes)) if self.classes else ""
        if self.due is not None and self.pending:
            day = f"{self.due:%-d %B %Y}"
            then = phrase("After that day, the place is forbidden by {}{}.", self.clause, carried)
            return phrase("{}: find out the region by {}. {}", self.where, day, then)
        return phrase("{}: forbidden by {}{}.", self.where, self.clause, carried)

    @property
    def source(self) -> str:
        """Return the source of the finding, by which the same finding keeps its row."""
        at = f"transfer:{self.transfer}" if self.transfer else f"link:{self.link}:{self.place}"
        return f"{at}:{self.basis}:{self.term or 'new'}:{self.since:%Y%m%dT%H%M%S%f}"

    @property
    def why(self) -> str:
        """Return the answer of the term for the place, in words."""
        if self.answer == UNTOLD:
            return phrase("The region of this place is not known. {} forbids some regions.", self.clause)
        return self.words if self.broken else phrase("Allowed by {}.", self.clause)

    def counts_at(self, at: datetime) -> bool:
        """Return True if the answer holds at `at`."""
        return self.since <= at and (self.until is None or self.until > at)


_WORDS = "ARRAY(SELECT lower(btrim(one)) FROM jsonb_array_elements_text({}) one WHERE btrim(one) <> '')"
_TERM = f"""
SELECT t.basis, t.id, t.holder, t.name, t.path, t.reference, t.words, t.allowed, t.forbidden,
       {_WORDS.format("t.data_classes")} AS classes,
       {_WORDS.format("t.allowed")} AS inside, {_WORDS.format("t.forbidden")} AS outside,
       tstzrange(t.starts_on::timestamp AT TIME ZONE %(zone)s,
                 (t.ends_on + 1)::timestamp AT TIME ZONE %(zone)s) AS during
  FROM ("""
_READ = f"""
WITH RECURSIVE within (key, above) AS (
  SELECT * FROM unnest(%(keys)s::text[], %(above)s::text[])
   UNION
  SELECT lower(r.key), lower(w.key) FROM initiatives_region r LEFT JOIN initiatives_region w ON w.id = r.within_id
), term AS MATERIALIZED ({_TERM}
  SELECT 'vendor' AS basis, t.id, t.vendor_id AS holder, v.name, NULL AS path, t.reference, t.words,
         t.data_classes, t.allowed, t.forbidden, t.starts_on, t.ends_on
    FROM initiatives_vendorterm t JOIN initiatives_vendor v ON v.id = t.vendor_id
   WHERE t.withdrawn_at IS NULL AND NOT t.awaits_confirmation AND t.id <> ALL(%(without_vendor)s)
   UNION ALL
  SELECT 'unit', t.id, t.unit_id, u.name, u.path, t.reference, t.words,
         t.data_classes, t.allowed, t.forbidden, t.starts_on, t.ends_on
    FROM initiatives_unitpolicy t JOIN governance_unit u ON u.id = t.unit_id
   WHERE t.withdrawn_at IS NULL AND NOT t.awaits_confirmation AND t.id <> ALL(%(without_unit)s)
   UNION ALL
  SELECT t.basis, NULL, t.holder, coalesce(v.name, u.name), u.path, t.reference, t.words,
         t.data_classes, t.allowed, t.forbidden, t.starts_on, t.ends_on
    FROM jsonb_to_recordset(%(also)s) AS t(basis text, holder bigint, reference text, words text, data_classes jsonb,
                                           allowed jsonb, forbidden jsonb, starts_on date, ends_on date)
    LEFT JOIN initiatives_vendor v ON t.basis = 'vendor' AND v.id = t.holder
    LEFT JOIN governance_unit u ON t.basis = 'unit' AND u.id = t.holder
) t), link AS MATERIALIZED (
  SELECT l.id, l.initiative_id AS initiative, l.system_id, l.data_classes, u.path
    FROM initiatives_link l
    JOIN initiatives_initiative c ON c.id = l.initiative_id
    JOIN governance_unit u ON u.id = c.unit_id
   WHERE l.initiative_id = ANY(%(initiatives)s) AND l.ended_at IS NULL
), transfer AS MATERIALIZED (
  SELECT h.id, h.link_id, d.initiative_id AS initiative, d.part, h.position, h.name, btrim(h.region) AS region,
         h.vendor_id
    FROM initiatives_transfer h LEFT JOIN initiatives_deployment d ON d.id = h.deployment_id
   WHERE h.link_id = ANY(ARRAY(SELECT id FROM link)) AND h.ended_at IS NULL
), spot AS (
  SELECT l.id AS link, -1 AS position, NULL::bigint AS transfer, r.place, s.name::text AS name, r.region, s.vendor_id,
         tstzrange(NULL, NULL) AS during
    FROM link l JOIN initiatives_system s ON s.id = l.system_id
   CROSS JOIN LATERAL (
     SELECT min(nr)::int AS place, min(btrim(one)) AS region
       FROM jsonb_array_elements_text(s.regions) WITH ORDINALITY AS listed(one, nr)
      WHERE btrim(one) <> '' GROUP BY lower(btrim(one))
      UNION ALL
     SELECT 0, '' WHERE NOT EXISTS (SELECT FROM jsonb_array_elements_text(s.regions) one WHERE btrim(one) <> '')
   ) r
   UNION ALL
  SELECT h.link_id, h.position, h.id, 0, h.name, coalesce(nullif(btrim(v.region), ''), h.region), h.vendor_id,
         tstzrange(v.runs_from, v.runs_to)
    FROM transfer h JOIN initiatives_deployment v ON v.initiative_id = h.initiative AND v.part = h.part
   WHERE NOT isempty(tstzrange(v.runs_from, v.runs_to))
   UNION ALL
  SELECT h.link_id, h.position, h.id, 0, h.name, h.region, h.vendor_id, gap
    FROM transfer h
   CROSS JOIN LATERAL unnest('{{(,)}}'::tstzmultirange - coalesce(
     (SELECT range_agg(tstzrange(v.runs_from, v.runs_to))
        FROM initiatives_deployment v WHERE v.initiative_id = h.initiative AND v.part = h.part), '{{}}')) gap
), place AS MATERIALIZED (
  SELECT s.link, s.position, s.transfer, s.place, s.name, s.vendor_id, s.during,
         CASE WHEN s.vendor_id = %(moves)s AND lower(s.region) = %(moved_from)s THEN %(moved_to)s ELSE s.region END
           AS region
    FROM spot s WHERE upper_inf(s.during) OR upper(s.during) > %(now)s
), up (region, key) AS (
  SELECT DISTINCT lower(region), lower(region) FROM place WHERE region <> ''
   UNION
  SELECT up.region, w.above FROM up JOIN within w ON w.key = up.key WHERE w.above IS NOT NULL
), enclosing AS (
  SELECT region, array_agg(key) AS keys, region IN (SELECT key FROM within) AS known FROM up GROUP BY region
), bound AS (
  SELECT l.initiative, l.id AS link, l.system_id, p.transfer, p.place, p.name, p.region, p.position,
         t.basis, t.id AS term,
         t.name AS holder, t.reference, t.words AS said, t.allowed, t.forbidden, t.inside, t.outside,
         CASE WHEN t.basis IS NULL THEN p.during ELSE p.during * t.during END AS during,
         coalesce(e.keys, '{{}}') AS keys,
         coalesce(e.known, false) AS known,
         ARRAY(SELECT btrim(one) FROM jsonb_array_elements_text(l.data_classes) one
                WHERE lower(btrim(one)) = ANY(t.classes)) AS classes
    FROM link l JOIN place p ON p.link = l.id
    LEFT JOIN term t
      ON CASE t.basis WHEN 'vendor' THEN t.holder = p.vendor_id ELSE starts_with(l.path, t.path) END
     AND p.during && t.during
     AND (t.classes = '{{}}' OR {_WORDS.format("l.data_classes")} = '{{}}'
          OR t.classes && {_WORDS.format("l.data_classes")})
    LEFT JOIN enclosing e ON e.region = lower(p.region)
   WHERE t.basis IS NOT NULL OR %(unbound)s
)
SELECT initiative, link, system_id, transfer, place, name, region, known, basis, term, holder, reference, said, allowed,
       forbidden, classes, lower(during), upper(during),
       CASE WHEN basis IS NULL THEN 'free'
            WHEN outside && keys THEN 'forbidden'
            WHEN inside <> '{{}}' AND NOT known THEN 'unknown'
            WHEN inside <> '{{}}' AND NOT inside && keys THEN 'outside'
            WHEN NOT known THEN 'untold'
            ELSE 'allowed' END AS answer
  FROM bound WHERE upper_inf(during) OR upper(during) > %(now)s
 ORDER BY initiative, link, position, transfer, place, basis, term NULLS LAST, lower(during)
"""


@cache
def _known() -> tuple[list[str], list[str | None]]:
    """Return the regions known without rows, as two columns: keys, and parent keys."""
    found = regions.known()
    return list(found), [within or None for _, _, within in found.values()]


def judge(initiatives: Iterable[int], what_if: WhatIf = NOW, *, unbound: bool = False) -> list[Judged]:
    """Return every place of these initiatives' paths under every term that binds it.

    One statement reads them, from now on. `what_if` is a change to judge. With `unbound`, places that no term binds
    are included, as free.
    """
    keys, above = _known()
    if what_if.added:
        key, within = what_if.added
        keys, above = [*keys, regions.key_of(key)], [*above, regions.key_of(within) or None]
    moves, moved_from, moved_to = what_if.moved or (None, "", "")
    also = [vars(what_if.also)] if what_if.also else []
    asked = {
        "initiatives": sorted(initiatives),
        "now": clock.now(),
        "zone": settings.TIME_ZONE,
        "keys": keys,
        "above": above,
        "without_vendor": [key for basis, key in what_if.without if basis == VENDOR],
        "without_unit": [key for basis, key in what_if.without if basis == UNIT],
        "also": json.dumps(also, default=str),
        "moves": moves,
        "moved_from": regions.key_of(moved_from),
        "moved_to": moved_to.strip(),
        "unbound": unbound,
    }
    with prepared_statements.cursor() as cursor:
        cursor.execute(_READ, asked)
        return [_judged(row) for row in cursor.fetchall()]


def with_days(found: list[Judged]) -> list[Judged]:
    """Return the same, with the day by which someone finds out an unknown region."""
    places = [(one.initiative, _unknown(one).key) for one in found if one.answer == UNKNOWN]
    days = days_to_find_out(places) if places else {}
    return [
        replace(one, due=days.get((one.initiative, _unknown(one).key))) if one.answer == UNKNOWN else one
        for one in found
    ]


def _judged(row: tuple[Any, ...]) -> Judged:
    *head, allowed, forbidden, classes, since, until, answer = row
    since = EVER if since is None else max(since, EVER)
    rest = (_listed(allowed), _listed(forbidden), list(classes), since, until, answer)
    return Judged(*(*head, *rest))


def _listed(value: str | None) -> list[str]:
    return json.loads(value) if value else []


@about(Link.objects.current())
def says(initiatives: list[int]) -> Iterable[tuple[int, Wanted]]:
    """Yield each forbidden place by initiative, with its term and its time."""
    return ((one.initiative, wanted_of(one)) for one in judge(initiatives) if one.broken)


def wanted_of(one: Judged) -> Wanted:
    """Return a broken term as the register keeps it, which calls for the hold."""
    place = phrase("Move the data to an allowed region, remove the place from the path")
    fix = phrase("{}, or enter the region of the place.", place) if one.answer == UNKNOWN else f"{place}."
    return Wanted(
        REQUIREMENT,
        one.source,
        one.words,
        fix,
        since=one.since,
        until=one.until,
        hold="residency",
        system_id=one.system,
        unknown=_unknown(one) if one.answer == UNKNOWN else None,
    )


def _unknown(one: Judged) -> Unknown:
    """Return what to find out about a place. All places of a link without a region are one matter."""
    key = f"link:{one.link}:missing" if one.transfer and not one.region else f"system:{one.system}:region"
    if one.transfer and one.region:
        key = f"link:{one.link}:{hashlib.sha256(one.name.encode()).hexdigest()[:16]}"
    text = phrase("Find out the region of {}", one.name)
    if one.region:
        text = phrase("{}: “{}” is not known", text, one.region)
    return Unknown(key, text, of_system=one.transfer is None)


def added() -> list[tuple[str, str]]:
    """Return the regions that people added, each with the name of the region above."""
    return [
        (row.key, row.within.key if row.within else "") for row in Region.objects.select_related("within")
    ]


def strange(listed: Iterable[str]) -> list[str]:
    """Return the names of regions that are not known, each once."""
    asked = {
        key: one.strip() for one in listed if (key := regions.key_of(one)) and key not in regions.known()
    }
    here = {regions.key_of(key) for key, _ in added()} if asked else set()
    return [one for key, one in asked.items() if key not in here]


def nobody_knows(names: list[str]) -> str:
    """Return, in words, that these regions are not known."""
    *others, last = names
    return (
        phrase("The regions {} and {} are not known", ", ".join(others), last)
        if others
        else phrase("The region {} is not known", last)
    )


def regions_of(vendor: Vendor, initiatives: QuerySet) -> list[str]:
    """Return regions where the vendor runs systems, or places of these initiatives."""
    listed = vendor.systems.current().values_list("regions", flat=True)
    transfers = Transfer.objects.filter(vendor=vendor, ended_at__isnull=True, link__ended_at__isnull=True)
    transfers = transfers.filter(link__initiative__in=initiatives)
    parts = Deployment.objects.filter(
        Exists(
            transfers.filter(deployment__initiative=OuterRef("initiative"), deployment__part=OuterRef("part"))
        )
    )
    ways = [*transfers.values_list("region"), *parts.values_list("region")]
    named = [name for row in (*listed, *ways) for name in row if name and name.strip()]
    return sorted({regions.key_of(name): name.strip() for name in named}.values(), key=str.lower)
