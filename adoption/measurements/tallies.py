"""The comparison of tallies with their measurements. Charts and verdicts read tallies, measurements are the source."""

from collections.abc import Iterator

import structlog
from django.db import connection

from adoption.measurements.actions import SUMS, add_up_all
from adoption.models import Measure
from governance.audit_log import entries
from governance.transparency_log import recomputation
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

log = structlog.get_logger("plumbline.measures")

# Sums of floats differ in their last digits by the order in which measurements came.
_DIFFERING = f"""
SELECT coalesce(t.measure_id, r.measure_id), coalesce(t.day, r.ends_on), coalesce(t.n, 0)::bigint,
       coalesce(r.n, 0)::bigint
  FROM adoption_tally t
  FULL JOIN ({SUMS.format(which="")}) AS r(measure_id, ends_on, team, about, since, measurements, hits, n, total,
  squares,
                                           heard_at)
    ON (t.measure_id, t.day, t.team, t.about) = (r.measure_id, r.ends_on, r.team, r.about)
 WHERE (t.since, t.measurements, t.hits, t.n, t.heard_at)
         IS DISTINCT FROM (r.since, r.measurements, r.hits, r.n, r.heard_at)
    OR abs(t.squares - r.squares) > 1e-6 * (1 + r.squares)
    OR abs(t.total - r.total) > 1e-6 * (1 + sqrt(r.n * r.squares))
 ORDER BY 1, 2
"""


def unlike(using: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield words, table, key and field of each tally that differs from its sum."""
    numbers = dict(Measure.objects.using(using).values_list("pk", "initiative__number"))
    for measure, day, kept, right in recomputation.stream(using, _DIFFERING, []):
        words = (
            f"the tally of measure {measure} of {Initiative.ref_of(numbers[measure])} on {day:%-d %B %Y} "
            f"is over {kept} values, and its measurements that end on that day are {right}"
        )
        yield words, "adoption_tally", f"measure {measure}", "n" if kept != right else "total"


def correct() -> list[int]:
    """Recompute the tallies of measures that differ from their measurements. Returns the keys of the measures."""
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERING)
        wrong = {row[0]: row for row in cursor.fetchall()}
    done = []
    for measure in Measure.objects.filter(pk__in=wrong).select_related("initiative").order_by("pk"):
        with (
            act("correct tallies", system="tally check", initiative=measure.initiative_id) as initiative,
            connection.cursor() as cursor,
        ):
            cursor.execute(_DIFFERING)
            row = next((row for row in cursor.fetchall() if row[0] == measure.pk), None)
            if row is None:
                continue
            add_up_all(measure)
            what = f"the tally of measure {measure.pk} on {row[1]:%-d %B %Y}"
            kept, right = f"{row[2]} values", f"{row[3]} values"
            entries.record(
                EntryKind.DERIVED_CORRECTED, initiative=initiative, what=what, kept=kept, right=right
            )
        log.error("a tally was wrong", measure=measure.pk)
        done.append(measure.pk)
    return done
