"""The figures of a period, computed from measurements. They are filed as evidence with their rows as a file."""

import csv
import io

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile

from adoption.measures import permissions as measure_permissions
from adoption.measures import queries as measure_queries
from adoption.measures.evaluation import CANNOT_TELL, MET, judge, said_day
from adoption.models import Measurement, Tally
from adoption.models.instruments import ASKED, INSTRUMENTS
from governance import clock
from governance.audit_log import entries
from governance.audit_log.csv_export import safe
from governance.models import Rulebook, User
from governance.vocabulary import EvidenceRegister, Stage
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.evidence.actions import create_evidence
from initiatives.lifecycle.evidence.artefact_kinds import of_register
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.models import Evidence, Initiative

MOST_ROWS = 5_000  # single measurements in a file; above that their sums by day and team
TELEMETRY, RESEARCH = "telemetry", "user_research"


def file_figures(*, initiative: Initiative, requirement: str, by: User) -> Evidence:
    """File the current figures of a requirement's measures as one item of evidence.

    Its result follows from the verdicts: pass if every measure is met, fail if one is not. Its day is the last one that
    the measurements cover. Raises ValidationError with the reasons while a verdict is impossible.
    """
    with act("file figures", by=by, initiative=initiative) as initiative:
        measure_permissions.may_read(initiative, by).or_refuse()
        asked = Rulebook.objects.current().parsed.requirements.get(requirement)
        if requirement not in ASKED or asked is None:
            raise ValidationError({"requirement": "Choose a requirement that is answered with measures."})
        found = [
            (measure, subject, judge(subject).on(clock.today()))
            for measure, subject in measure_queries.subjects([initiative.pk])[initiative.pk]
            if measure.requirement == requirement
        ]
        why = [
            f"Not measured: {INSTRUMENTS[group[0]].words.lower()}."
            for group in measure_queries.lacking(requirement, [measure for measure, _, _ in found])
        ]
        why += [f"{measure.words}: {said.words}" for measure, _, said in found if said.word == CANNOT_TELL]
        if why:
            raise ValidationError(
                {"requirement": phrase("The measures have no result yet. {}", " ".join(why))}
            )
        kind = TELEMETRY if TELEMETRY in asked.evidence else RESEARCH
        day = min(said.read_until for _, _, said in found if said.read_until is not None)
        met = all(said.word == MET for _, _, said in found)
        words = [f"{measure.words}: {said.word}. {said.words}" for measure, _, said in found]
        item = create_evidence(
            initiative,
            kind=kind,
            title=f"Measurements until {said_day(day)}: {asked.question}"[:200],
            observed_on=day,
            covers=[requirement],
            note="\n".join(words),
            file=_table(found),
            result="pass" if met else "fail",
            condition="" if kind == TELEMETRY else _condition(initiative),
            details=of_register(EvidenceRegister.MEASUREMENTS, next(iter(asked.tested), "")),
            by=by,
        )
        entries.record(
            EntryKind.FIGURES_FILED,
            initiative=initiative,
            evidence=item.pk,
            requirement=requirement,
            result=item.result,
            until=day,
            measures=[measure.pk for measure, _, _ in found],
        )
        rewrite_supported_stage(initiative)
    return item


def _condition(initiative: Initiative) -> str:
    return "full_population" if initiative.stage == Stage.PRODUCTION else "bounded_real"


def _table(found) -> ContentFile:
    """Return the measurements behind the verdicts as a table. Spreadsheets find no formulas in it."""
    keys = [measure.pk for measure, _, _ in found]
    rows = Measurement.objects.filter(measure__in=keys, replaced_by__isnull=True, n__gt=0)
    rows = rows.order_by("measure", "ends_on", "team", "pk")
    names = {measure.pk: measure for measure, _, _ in found}
    file = io.StringIO()
    out = csv.writer(file)
    if rows.count() <= MOST_ROWS:
        out.writerow(
            [
                "measure",
                "instrument",
                "from",
                "to",
                "team",
                "about",
                "hits",
                "value",
                "sd",
                "n",
                "others",
                "key",
            ]
        )
        for row in rows:
            measure = names[row.measure_id]
            out.writerow(
                safe(one)
                for one in (
                    measure.words,
                    measure.instrument,
                    row.starts_on,
                    row.ends_on,
                    row.team,
                    row.about,
                    "" if row.hits is None else row.hits,
                    "" if row.value is None else row.value,
                    "" if row.sd is None else row.sd,
                    row.n,
                    "yes" if row.others else "no",
                    row.key,
                )
            )
    else:
        out.writerow(
            ["measure", "instrument", "from", "to", "team", "about", "measurements", "hits", "sum", "n"]
        )
        for row in Tally.objects.filter(measure__in=keys).order_by("measure", "day", "team"):
            measure = names[row.measure_id]
            out.writerow(
                safe(one)
                for one in (
                    measure.words,
                    measure.instrument,
                    row.since,
                    row.day,
                    row.team,
                    row.about,
                    row.measurements,
                    row.hits,
                    row.total,
                    row.n,
                )
            )
    return ContentFile(file.getvalue().encode(), name="measurements.csv")
