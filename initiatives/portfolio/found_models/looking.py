"""The search for models that no initiative declares, in logs and imports.

Each run counts the last days again, so that it may run twice. A name with an answer is not counted again. "Not ours" is
the answer of one board, so the name is counted again where another board decides.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain

from django.db.models import CharField, Count, Func, Max, Min
from django.db.models.fields.json import KT, KeyTextTransform, KeyTransform

from governance import clock
from governance.audit_log import entries
from governance.interaction_log.shape import Kind
from governance.models import Interaction, InteractionBatch, PolicyDecision
from governance.people.boards import board_for
from governance.tables.columns import named
from governance.vocabulary import EvidenceKind, FoundAnswer, FoundSource
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.model_names import key_of, keys_of
from initiatives.lifecycle.initiative.act import act
from initiatives.models import (
    Deployment,
    Evidence,
    FoundModel,
    FoundModelDay,
    ImportBatch,
    Initiative,
)
from initiatives.portfolio.imports.inventories.inventory_columns import says_nothing

SYSTEM = "found models"
LOOKED_BACK = timedelta(days=35)
COUNTED_ANEW = 3  # days of the logs, today among them
LONGEST = 120  # letters of a name
MOST_WAITING = 50  # of a unit; the others follow once some of these are answered
MOST_OF_ONE = 10  # of these from one key, so that invented names of one key leave room
OF_KEYS = (FoundSource.INTERACTIONS, FoundSource.DECISIONS)  # whose place is a key
# How the column of an imported table is called that names the model of an initiative.
HEADERS: dict[str, tuple[str, ...]] = {
    "model": (
        *("model", "ai model", "model name", "model version", "foundation model", "base model"),
        *("language model", "llm", "genai model", "ki-modell", "sprachmodell", "ki model"),
        *("taalmodel", "modèle", "modèle d'ia", "modelo", "modelo de ia", "modello", "modello di ia"),
    )
}


# What `context.model` of a request is: a text names a model.
FORM = Func(
    KeyTransform("model", KeyTransform("context", "request")),
    function="jsonb_typeof",
    output_field=CharField(),
)


@dataclass(frozen=True)
class Seen:
    """One sighting of a model name in an initiative: source, place, day and count. See `FoundModelDay`."""

    name: str
    source: str
    initiative: int
    place: int
    day: date
    times: int


def look() -> list[FoundModel]:
    """Record undeclared models, end questions already answered, and return new models."""
    declared = declared_keys()
    seen: dict[str, list[Seen]] = {}
    everywhere = chain(_in_interactions(), _in_decisions(), _in_samples(), _in_imports())
    for one in everywhere:
        one = replace(one, name=_cut(one.name))
        key = key_of(one.name)
        if key and key not in declared:
            seen.setdefault(key, []).append(one)
    seen = _unanswered(seen)
    meanwhile = FoundModel.objects.waiting().filter(key__in=declared)
    if not seen and not meanwhile.exists():
        return []
    with act("look for models", system=SYSTEM, register=True):
        for row in meanwhile.select_for_update():
            _declared(row, declared[row.key])
        return _write(_unanswered(seen))


def _unanswered(seen: dict[str, list[Seen]]) -> dict[str, list[Seen]]:
    """Return the sightings without an answer: of the initiative they belong to, or of the board that decides there."""
    answered = FoundModel.objects.filter(key__in=seen).exclude(answer=FoundAnswer.WAITING)
    rows = list(answered.select_related("unit"))
    placed = {row.key for row in rows if row.answer != FoundAnswer.NOT_OURS}
    refused = {(row.key, board_for(row.unit)) for row in rows if row.answer == FoundAnswer.NOT_OURS}
    names = {key for key, _ in refused}
    initiatives = Initiative.objects.select_related("unit").in_bulk(
        {one.initiative for key in names for one in seen[key]}
    )

    def waits(key: str, one: Seen) -> bool:
        return key not in names or (key, board_for(initiatives[one.initiative].unit)) not in refused

    left = {
        key: [one for one in found if waits(key, one)] for key, found in seen.items() if key not in placed
    }
    return {key: found for key, found in left.items() if found}


def _cut(name: str) -> str:
    """Return a name as long as a row has it. The three points at its end show that it was cut."""
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 3].rstrip()}..."


def declared_keys() -> dict[str, int]:
    """Return each key of recorded components, with the first initiative that has it."""
    rows = Deployment.objects.filter(initiative__in=Initiative.objects.live()).order_by("-pk")
    return {
        key: initiative
        for name, version, initiative in rows.values_list("version__name", "version__version", "initiative")
        for key in keys_of(name, version)
    }


def _days() -> list[date]:
    return [clock.today() - timedelta(days=ago) for ago in range(COUNTED_ANEW)]


def _in_interactions() -> Iterator[Seen]:
    """Yield the models and versions that the interaction log names, by day of arrival."""
    numbers = dict(Initiative.objects.values_list("number", "pk"))
    for day in _days():
        batches = InteractionBatch.objects.filter(day=day).aggregate(first=Min("pk"), last=Max("pk"))
        if batches["first"] is None:
            continue
        calls = Interaction.objects.filter(
            batch__gte=batches["first"], batch__lte=batches["last"], batch__day=day, kind=Kind.CALL
        ).exclude(model="", version="")
        counted = calls.values_list("initiative_number", "key_id", "model", "version").annotate(Count("id"))
        for number, key, model, version, times in counted.order_by(
            "initiative_number", "key_id", "model", "version"
        ):
            if number in numbers:
                yield Seen(version or model, FoundSource.INTERACTIONS, numbers[number], key or 0, day, times)


def _in_decisions() -> Iterator[Seen]:
    """Yield the models that systems named as `context.model` of their requests."""
    numbers = dict(Initiative.objects.values_list("number", "pk"))
    for day in _days():
        rows = PolicyDecision.objects.filter(
            at__gte=clock.midnight_before(day),
            at__lt=clock.midnight_after(day),
            request__context__has_key="model",
        ).annotate(named=KT("request__context__model"), form=FORM)
        texts = rows.filter(form="string")
        counted = texts.values_list("initiative_number", "key_id", "named").annotate(Count("id"))
        for number, key, name, times in counted.order_by("initiative_number", "key_id", "named"):
            if name and number in numbers:
                yield Seen(name.strip(), FoundSource.DECISIONS, numbers[number], key or 0, day, times)


def _in_samples() -> Iterator[Seen]:
    """Yield the models that log samples, added as evidence, name."""
    rows = Evidence.objects.filter(
        kind=EvidenceKind.LOG_SAMPLE,
        withdrawn_at__isnull=True,
        details__has_key="models",
        added_at__gte=clock.now() - LOOKED_BACK,
    )
    for pk, initiative, day, details in rows.order_by("pk").values_list(
        "pk", "initiative", "observed_on", "details"
    ):
        for name, times in details["models"].items():
            yield Seen(name, FoundSource.SAMPLE, initiative, pk, day, times)


def _in_imports() -> Iterator[Seen]:
    """Yield the models in the model column of confirmed tables of own initiatives."""
    batches = ImportBatch.objects.current().filter(own=True, confirmed_at__gte=clock.now() - LOOKED_BACK)
    for batch in batches.order_by("pk"):
        column = named(batch.columns, HEADERS).get("model")
        if column is None:
            continue
        rows = batch.rows.exclude(initiative=None).annotate(said=KeyTextTransform(column, "raw"))
        counted: Counter[tuple[int, str]] = Counter()
        for initiative, said in rows.order_by("line").values_list("initiative", "said"):
            names = (name.strip() for name in re.split(r"[;,\n]", said or ""))
            counted.update((initiative, name) for name in names if not says_nothing(name))
        day = clock.local_day(batch.confirmed_at)
        for (initiative, name), times in counted.items():
            yield Seen(name, FoundSource.IMPORT, initiative, batch.pk, day, times)


def _declared(row: FoundModel, initiative: int) -> None:
    row.answer, row.answered_at, row.initiative = (
        FoundAnswer.DECLARED,
        clock.now(),
        Initiative.objects.get(pk=initiative),
    )
    row.save()
    entries.record(EntryKind.FOUND_MODEL_DECLARED, initiative=row.initiative, model=row.name)


def _write(seen: dict[str, list[Seen]]) -> list[FoundModel]:
    """Record the sightings of each key, and new keys while their chair has room."""
    there = {row.key: row for row in FoundModel.objects.waiting().filter(key__in=seen)}
    wanted = {one.initiative for found in seen.values() for one in found}
    initiatives = Initiative.objects.live().select_related("unit").in_bulk(wanted)
    waiting = Counter(FoundModel.objects.waiting().values_list("unit", flat=True))
    days: Counter[tuple[FoundModel, str, int, int, date]] = Counter()
    new = []
    there_now = FoundModelDay.objects.filter(found__in=FoundModel.objects.waiting(), source__in=OF_KEYS)
    of_one = Counter(place for place, _ in there_now.values_list("place", "found").distinct())
    for key, found in sorted(seen.items(), key=_use):
        found = [one for one in found if one.initiative in initiatives]
        row = there.get(key)
        if row is None and found:
            row = _new(key, found, initiatives, waiting, of_one)
            new += [row] if row else []
        if row is None:
            continue
        for one in found:
            days[row, one.source, one.initiative, one.place, one.day] += one.times
    FoundModelDay.objects.bulk_create(
        [
            FoundModelDay(
                found=row, source=source, initiative_id=initiative, place=place, day=day, times=times
            )
            for (row, source, initiative, place, day), times in days.items()
        ],
        update_conflicts=True,
        unique_fields=["found", "source", "initiative", "place", "day"],
        update_fields=["times"],
        batch_size=1000,
    )
    return new


def _use(one: tuple[str, list[Seen]]) -> tuple[int, str]:
    """Return the order of a key: the most used first."""
    key, found = one
    return -sum(each.times for each in found), key


def _new(
    key: str,
    found: list[Seen],
    initiatives: dict[int, Initiative],
    waiting: Counter[int],
    of_one: Counter[int],
) -> FoundModel | None:
    """Save the row of a new key, or return None if too many wait for its chair, or too many of its keys."""
    first = min(found, key=lambda one: one.day)
    initiative = initiatives[first.initiative]
    keys = {one.place for one in found if one.source in OF_KEYS}
    full = all(one.source in OF_KEYS for one in found) and all(of_one[one] >= MOST_OF_ONE for one in keys)
    if full or waiting[initiative.unit_id] >= MOST_WAITING:
        return None
    waiting[initiative.unit_id] += 1
    of_one.update(keys)
    row = FoundModel(key=key, name=first.name, unit=initiative.unit, found_at=clock.now())
    row.save()
    entries.record(
        EntryKind.MODEL_FOUND,
        initiative=initiative,
        model=row.name,
        where=str(FoundSource(first.source).label).lower(),
        seen_on=first.day,
    )
    return row
