"""Erasure of one person in the log by destroying keys, in one initiative or all.

A person is a pseudonym here. The reports that name a person belong to the person. So do reports without a name in the
same conversations and calls: runs of tools, retrieved texts, events that came apart. The rows and the batches stay
unchanged. The bodies are noise from then on, and each body is tried.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from governance.interaction_log import bodies, keys, reading
from governance.models import Interaction, InteractionKey
from governance.permission_result import Conflict
from governance.vocabulary.phrases import phrase

PART = 500  # bodies that are tried at a time


@dataclass(frozen=True)
class Erased:
    """The result of an erasure: destroyed keys, tried bodies, bodies still closed."""

    keys: int
    tried: int
    unopened: int


def initiatives_of(subject: bytes) -> set[int]:
    """Return the numbers of the initiatives that hold something of this pseudonym."""
    return set(
        Interaction.objects.filter(subject=subject).values_list("initiative_number", flat=True).distinct()
    )


def erase(subject: bytes, initiative: int | None) -> Erased:
    """Destroy this pseudonym's keys in one initiative (number) or all, and try bodies.

    Runs in the current transaction. Raises Conflict if a body would still open, or shares its key with other
    initiatives. Raises DatabaseError if a hold covers one of them.
    """
    rows = belonging(subject, initiative)
    doomed = {row.holder_key for row in rows} | _keys_of(subject, initiative)
    if initiative is not None:
        _refuse_shared(doomed, initiative)
    count = keys.destroy(doomed)
    tried, opened = tries(rows)
    if opened:
        raise Conflict(
            phrase("The erasure was undone, because {} of {} bodies could still be read.", opened, tried),
            "Ask the operator of Plumbline for help.",
        )
    return Erased(count, tried, tried - opened)


def tries(rows: Iterable[Interaction]) -> tuple[int, int]:
    """Try to open the bodies of these rows with every key that is there: how many are kept, how many opened."""
    tried = opened = 0
    for some in _parts(rows):
        kept = reading.kept_of(some)
        held = keys.for_reading(row.holder_key for row in some)
        for row in some:
            body = kept.get(row.pk)
            if body is None:
                continue
            tried += 1
            under = held.get(row.holder_key)
            if under is not None:
                try:
                    bodies.opened(body.content, bodies.unwrapped(body.wrapped, under))
                    opened += 1
                except bodies.Unreadable:
                    continue
    return tried, opened


def _parts(rows: Iterable[Interaction]) -> Iterable[list[Interaction]]:
    rows = sorted(rows, key=lambda row: (row.initiative_number, row.batch.day, row.batch_id, row.place))
    for first in range(0, len(rows), PART):
        yield rows[first : first + PART]


def _within(rows: QuerySet, initiative: int | None) -> QuerySet:
    return rows if initiative is None else rows.filter(initiative_number=initiative)


def belonging(subject: bytes, initiative: int | None) -> list[Interaction]:
    """Return the pseudonym's rows with batches, of one initiative (number) or of all."""
    named = _within(Interaction.objects.filter(subject=subject), initiative)
    nobody = Interaction.objects.filter(subject__isnull=True).select_related("batch")
    found = {row.pk: row for row in named.select_related("batch")}
    # One question for each, so that each has its index; both pseudonyms are of one initiative.
    for name in ("conversation", "call"):
        known = list({bytes(value) for value in named.values_list(name, flat=True).distinct() if value})
        found |= {row.pk: row for row in nobody.filter(**{f"{name}__in": known})}
    return list(found.values())


def _keys_of(subject: bytes, initiative: int | None) -> set[int]:
    """The keys of the person and of their conversations, those of what is not in the database yet among them."""
    named = _within(Interaction.objects.filter(subject=subject, conversation__isnull=False), initiative)
    talked = {bytes(value) for value in named.values_list("conversation", flat=True).distinct()}
    found = InteractionKey.objects.filter(holder__in=[subject, *talked], wrapped__isnull=False)
    if initiative is not None:
        found = found.filter(initiative_number__isnull=True) | found.filter(initiative_number=initiative)
    return set(found.values_list("pk", flat=True))


def _refuse_shared(rows: set[int], initiative: int) -> None:
    """Keys that were made before each was of one initiative may serve several. Raises Conflict."""
    shared = InteractionKey.objects.filter(
        pk__in=rows, initiative_number__isnull=True, wrapped__isnull=False
    ).values_list("pk", flat=True)
    if (
        shared
        and Interaction.objects.filter(holder_key__in=list(shared))
        .exclude(initiative_number=initiative)
        .exists()
    ):
        raise Conflict(
            "Some of these data are encrypted with a key that other initiatives share.",
            "Choose to erase the person in all initiatives.",
        )
