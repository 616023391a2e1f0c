"""Acts on samples: drawn from what is sealed, concluded entry by entry, finished, drawn again to compare."""

import secrets
from dataclasses import asdict

from django.core.exceptions import ValidationError

from governance import clock
from governance.audit import search as audit_search
from governance.audit_log import entries
from governance.database import row_history
from governance.database.row_history import acting
from governance.models import Leaf, Sample, SampledEntry, User
from governance.people.permissions import may_audit
from governance.permission_result import Refused, no
from governance.transparency_log import sealing
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase

LARGEST = 500
SEED_BYTES = 16


def draw_sample(
    *, name: str, purpose: str, search: audit_search.Search, size: int, seed: str = "", by: User
) -> Sample:
    """Draw a sample and keep it with all that is needed to draw it again. Without a seed one is made by chance."""
    with acting(by=by, reason=purpose):
        may_audit(by).or_refuse()
        if not 1 <= size <= LARGEST:
            raise ValidationError({"size": phrase("Choose between 1 and {} entries.", LARGEST)})
        head = sealing.newest()
        if head is None:
            no("The audit log has no sealed entries yet.", "Try again in a minute.").or_refuse()
        search, seed = search.bounded, seed or secrets.token_hex(SEED_BYTES)
        drawn = audit_search.draw(audit_search.candidates(search, head.size), seed=seed, size=size)
        if not drawn.keys:
            raise ValidationError("This search finds no sealed entry. Remove a filter.")
        sample = Sample(
            name=name,
            purpose=purpose,
            search=search.stored(),
            seed=seed,
            size=size,
            bound=head.size,
            root=bytes(head.root).hex(),
            found=drawn.found,
            strata=[asdict(stratum) for stratum in drawn.strata],
            drawn_by=by,
            drawn_at=clock.now(),
        )
        sample.save()
        keys = [key for key, _, _ in drawn.keys]
        positions = dict(Leaf.objects.filter(entry__in=keys).values_list("entry_id", "position"))
        row_history.insert_many(
            SampledEntry,
            [
                SampledEntry(
                    sample=sample, place=place, entry_id=key, position=positions[key], gate=gate, seat=seat
                )
                for place, (key, gate, seat) in enumerate(drawn.keys, start=1)
            ],
        )
        entries.record(
            EntryKind.SAMPLE_DRAWN,
            sample=sample.pk,
            name=name,
            search=sample.search,
            seed=seed,
            bound=sample.bound,
            root=sample.root,
            found=sample.found,
            drawn=len(keys),
            positions=[positions[key] for key in keys],
        )
    return sample


def conclude(
    *, drawn: SampledEntry, conclusion: str, words: str = "", notes: str = "", by: User
) -> SampledEntry:
    """Note what was seen, and conclude or, with an empty conclusion, leave open. Not in a finished sample."""
    if conclusion and conclusion not in SampledEntry.CONCLUSIONS:
        raise ValidationError({"conclusion": "Choose one of the conclusions listed."})
    words, notes = words.strip(), notes.strip()
    if conclusion in (SampledEntry.EXCEPTION, SampledEntry.NOT_APPLICABLE) and not words:
        raise ValidationError({"words": "Give a reason that a reader understands later."})
    with acting(by=by, reason=words):
        sample = _open_sample(drawn.sample_id, by)
        drawn = SampledEntry.objects.get(pk=drawn.pk)
        concluded = (drawn.conclusion, drawn.words) != (conclusion, words)
        if not concluded and drawn.notes == notes:
            return drawn
        drawn.notes = notes
        if concluded:
            drawn.conclusion, drawn.words = conclusion, words
            drawn.concluded_by = by if conclusion else None
            drawn.concluded_at = clock.now() if conclusion else None
        drawn.save()
        entries.record(
            EntryKind.ENTRY_CONCLUDED,
            sample=sample.pk,
            name=sample.name,
            place=drawn.place,
            entry=drawn.entry_id,
            conclusion=conclusion or "left open",
            words=words,
            notes=notes,
        )
    return drawn


def finish(*, sample: Sample, by: User) -> Sample:
    """Make the conclusions final. Refused while an entry has none."""
    with acting(by=by, reason="All entries concluded"):
        sample = _open_sample(sample.pk, by)
        rows = list(sample.drawn.values_list("conclusion", flat=True))
        if "" in rows:
            left = rows.count("")
            raise Refused(
                f"{left} of {len(rows)} entries {'has' if left == 1 else 'have'} no conclusion yet.",
                "First conclude every entry.",
                sample.get_absolute_url(),
            )
        sample.finished_by, sample.finished_at = by, clock.now()
        sample.save()
        entries.record(
            EntryKind.SAMPLE_FINISHED,
            sample=sample.pk,
            name=sample.name,
            **{conclusion: rows.count(conclusion) for conclusion in SampledEntry.CONCLUSIONS},
        )
    return sample


def _open_sample(pk: int, by: User) -> Sample:
    may_audit(by).or_refuse()
    sample = Sample.objects.select_for_update().get(pk=pk)
    if sample.finished:
        raise Refused(
            phrase("This sample was finished by {}.", sample.finished_by),
            "Create another sample.",
            sample.get_absolute_url(),
        )
    return sample


def drawn_again(sample: Sample) -> tuple[list[int], list[int]]:
    """Draw the sample once more from the audit log as it is: the entries missing from it now, and those new in it."""
    search = audit_search.Search.of_stored(sample.search)
    drawn = audit_search.draw(
        audit_search.candidates(search, sample.bound), seed=sample.seed, size=sample.size
    )
    now = [key for key, _, _ in drawn.keys]
    then = list(sample.drawn.values_list("entry_id", flat=True))
    return [key for key in then if key not in now], [key for key in now if key not in then]
