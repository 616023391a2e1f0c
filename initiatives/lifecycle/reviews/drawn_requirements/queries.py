"""Running drawing rounds: open reviews of production, near renewals."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from governance.gates import drawing
from governance.models import Checkpoint, Entry, Sealing
from governance.transparency_log import sealing
from governance.vocabulary import ReviewOutcome, Stage, Tier
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.facts import drawn_requirements, initiative_rows
from initiatives.lifecycle.facts.drawing_rounds import Round, round_that_runs
from initiatives.models import Initiative, Review

# Acts before a round draws. A person who knew the seed before one of these could prepare what it draws.
SUBMITTED = (EntryKind.REVIEW_OPENED, EntryKind.RISK_TIER_CONFIRMED, EntryKind.REVIEW_MOVED_TO_RULEBOOK)


def initiatives_with_rounds() -> QuerySet[Initiative]:
    """Return initiatives of minimal risk in production or under its review."""
    opened = Review.objects.filter(
        initiative=OuterRef("pk"), gate=drawn_requirements.GATE, outcome=ReviewOutcome.OPEN
    )
    running = Q(Exists(opened)) | Q(stage=Stage.PRODUCTION) & ~Q(basis="import")
    return Initiative.objects.filter(running, tier=Tier.MINIMAL, withdrawn_at__isnull=True)


def touched(checkpoint: Checkpoint) -> list[int]:
    """Return initiatives with rounds of which this checkpoint sealed an entry."""
    by_ref = {initiative.ref: initiative.pk for initiative in initiatives_with_rounds().only("number")}
    if not by_ref:
        return []
    before = Checkpoint.objects.filter(pk__lt=checkpoint.pk).order_by("-pk").first()
    sealed = Entry.objects.filter(
        initiative_ref__in=by_ref,
        leaf__position__gte=before.size if before else 0,
        leaf__position__lt=checkpoint.size,
    )
    return sorted({by_ref[ref] for ref in sealed.values_list("initiative_ref", flat=True)})


def seed_of(running: Round) -> Checkpoint | None:
    """Return the checkpoint whose seed draws in this round, or None.

    It is the one that drew first, or the first that was sealed after submission. For a renewal, it is the first
    sealed from the renewal's day on. It is later than the confirmation of the tier too, so that no one could know it
    in advance.
    """
    for row in initiative_rows.rows(running.initiative, "drawn"):
        if row.round == running.judged.facts.round:
            return Checkpoint.objects.get(pk=row.checkpoint_id)
    found: list[Checkpoint] = []
    said = (
        Entry.objects.acts()
        .filter(initiative_ref=running.initiative.ref, kind__in=SUBMITTED)
        .order_by("-pk")
        .first()
    )
    if said is not None:
        try:
            found.append(sealing.checkpoint_for(said))
        except sealing.NotSealedYet:
            return None
    if running.since is not None:
        sealed = Sealing.objects.filter(known_at__gte=running.since).order_by("known_at", "checkpoint_id")
        first = sealed.select_related("checkpoint").first()
        if first is None:
            return None
        found.append(first.checkpoint)
    return max(found, key=lambda checkpoint: checkpoint.size, default=None)


def rounds_among(keys: Collection[int] | None = None) -> list[int]:
    """Return initiatives, all or these, with a running round that must draw."""
    found = []
    initiatives = initiatives_with_rounds() if keys is None else initiatives_with_rounds().filter(pk__in=keys)
    for initiative in initiatives.order_by("pk"):
        running = round_that_runs(initiative)
        if running is not None and drawing.draws_due(running.judged):
            found.append(initiative.pk)
    return found
