"""Acts on selections of interactions: ask for one, make it in slices, end it."""

import hashlib
import time
from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from governance import clock
from governance.audit_log import entries
from governance.interaction_log import bodies, keys, reading, searching
from governance.interaction_log.shape import Kind
from governance.models import Interaction, User
from governance.notifications.notify import notify
from governance.permission_result import Conflict
from governance.queue.task_base import after_commit
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.interactions.permissions import may_read_interactions
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative, InteractionSelection, SelectedInteraction
from initiatives.models.interactions.selections import DONE, ENDED, FAILED, RUNNING, UNDER_WAY, WAITING

SLICE = 20.0  # seconds that one task looks before it lets others on
LOST = timedelta(minutes=10)  # without progress for so long, the worker is lost
TRIES = 3  # of one part
JOB = "selections"


def select(
    *,
    initiative: Initiative,
    purpose: str,
    first: date,
    last: date,
    phrase: str = "",
    model: str = "",
    most: int = 200,
    until: date,
    by: User,
) -> InteractionSelection:
    """Ask for a selection of these days: interactions with a phrase, or random ones.

    The worker makes it. Raises Refused, ValidationError by field, and Conflict while another selection of this person
    is in progress.
    """
    with act("select interactions", by=by, initiative=initiative, reason=purpose) as initiative:
        may_read_interactions(initiative, by).or_refuse()
        _check(purpose=purpose, first=first, last=last, phrase=phrase, most=most, until=until)
        User.objects.select_for_update(of=("self",)).get(pk=by.pk)
        if InteractionSelection.objects.filter(asked_by=by, state__in=UNDER_WAY).exists():
            raise Conflict(
                "Your other selection is still in progress.",
                "Wait until it is ready. You can make one selection at a time.",
            )
        row = InteractionSelection(
            initiative=initiative,
            purpose=purpose.strip(),
            first=first,
            last=last,
            model=model.strip(),
            by_text=bool(phrase.strip()),
            most=most,
            until=until,
            asked_by=by,
            asked_at=clock.now(),
        )
        if row.by_text:
            row.phrase_master, under = keys.current()
            row.phrase = bodies.wrapped(phrase.encode(), under)
        row.save()
        entries.record(
            EntryKind.INTERACTIONS_SELECTED,
            initiative=initiative,
            selection=row.pk,
            purpose=row.purpose,
            first=first,
            last=last,
            model=row.model,
            by_text=row.by_text,
            most=most,
            until=until,
        )
        after_commit("initiatives.tasks.look_for_interactions", row.pk)
    return row


def _check(*, purpose: str, first: date, last: date, phrase: str, most: int, until: date) -> None:
    today, wrong = clock.today(), {}
    if not purpose.strip():
        wrong["purpose"] = "Enter the purpose. The audit log keeps the purpose."
    if first > last or last > today:
        wrong["last"] = "Choose a last day that is not in the future and not before the first day."
    elif (last - first).days > InteractionSelection.LONGEST:
        wrong["last"] = f"Choose at most {InteractionSelection.LONGEST} days at a time."
    said = searching.folded(phrase)
    if said and len(said) < searching.SHORTEST:
        wrong["phrase"] = f"Give at least {searching.SHORTEST} characters."
    if said and said in searching.folded(purpose):
        wrong["purpose"] = (
            "The audit log keeps this purpose permanently. Leave out the text that you search for."
        )
    if not 1 <= most <= InteractionSelection.MOST:
        wrong["most"] = f"Enter 1 to {InteractionSelection.MOST:,}."
    if not today < until <= today + timedelta(days=InteractionSelection.LONGEST):
        wrong["until"] = f"Choose a day after today, at most {InteractionSelection.LONGEST} days from today."
    if wrong:
        raise ValidationError(wrong)


# --- What the worker does ---------------------------------------------------------------------------------------------


def look(pk: int, *, seconds: float = SLICE) -> InteractionSelection | None:
    """Work on a selection for so many seconds, and queue the next slice.

    Returns None if no work is left or another worker has it. Results are kept by part, so a lost worker costs one part.
    """
    row = _claim(pk)
    if row is None:
        return None
    try:
        ready = _searched(row, seconds) if row.by_text else _drawn(row)
    except keys.NoMaster:
        return _ended(row, FAILED, "The master key of these texts is not on this machine.")
    if ready:
        return _ended(row, DONE)
    with transaction.atomic():
        row.state = WAITING
        row.save(update_fields=["state"])
        after_commit("initiatives.tasks.look_for_interactions", row.pk)
    return row


def _claim(pk: int) -> InteractionSelection | None:
    with transaction.atomic():
        rows = InteractionSelection.objects.select_related("initiative", "asked_by")
        row = rows.select_for_update(of=("self",)).filter(pk=pk, state__in=UNDER_WAY).first()
        if row is None or (row.state == RUNNING and row.claimed_at and row.claimed_at > clock.now() - LOST):
            return None
        if row.state == RUNNING:
            row.tries += 1
        if row.tries >= TRIES:
            _ended(
                row,
                FAILED,
                "The selection stopped several times. The people who run the installation find details "
                "in the log.",
            )
            return None
        row.state, row.claimed_at = RUNNING, clock.now()
        row.save()
    return row


def _searched(row: InteractionSelection, seconds: float) -> bool:
    """Return True if the search has reached the last day or the wanted number."""
    phrase = bodies.unwrapped(bytes(row.phrase or b""), keys.master(row.phrase_master)).decode()
    begun, days = time.monotonic(), (clock.midnight_before(row.first), clock.midnight_after(row.last))
    after = (row.at, row.row) if row.at and row.row else None
    for part in searching.parts(row.initiative.number, *days, phrase, model=row.model, after=after):
        with transaction.atomic():
            _keep(row, part.found[: row.most - row.selected.count()])
            row.looked += part.looked
            row.unreadable += part.unreadable
            (row.at, row.row), row.claimed_at, row.tries = part.through, clock.now(), 0
            row.found = row.selected.count()
            row.save(
                update_fields=["looked", "unreadable", "at", "row", "claimed_at", "tries", "found"],
            )
        if row.found >= row.most:
            return True
        if time.monotonic() - begun > seconds:
            return False
    return True


def _drawn(row: InteractionSelection) -> bool:
    """Draw random calls of a model that have an input and an output. Return True."""
    wanted = reading.Wanted(
        model=row.model, since=clock.midnight_before(row.first), until=clock.midnight_after(row.last)
    )
    rows = reading.rows(row.initiative.number, wanted).filter(kind=Kind.CALL, has_input=True, has_output=True)
    with transaction.atomic():
        row.looked = rows.count()
        _keep(row, list(rows.order_by("?")[: row.most]))
        row.found = row.selected.count()
        row.save(update_fields=["looked", "found"])
    return True


def _keep(row: InteractionSelection, some: list[Interaction]) -> None:
    SelectedInteraction.objects.bulk_create(
        [SelectedInteraction(selection=row, interaction=one.pk, at=one.at) for one in some],
        ignore_conflicts=True,
    )


def members(row: InteractionSelection, places: slice = slice(None)) -> list[Interaction]:
    """Return the remaining interactions of a selection (at these places), by time."""
    chosen = dict(row.selected.values_list("interaction", "at")[places])
    if not chosen:
        return []
    # The moments let the database pass over months that hold none of them.
    rows = Interaction.objects.filter(
        initiative_number=row.initiative.number, at__in=set(chosen.values()), pk__in=chosen
    )
    return list(rows.select_related("batch").order_by("at", "id"))


def _ended(row: InteractionSelection, state: str, trouble: str = "") -> InteractionSelection:
    with act("make selection", system=JOB, initiative=row.initiative_id) as initiative:
        # One that was ended meanwhile stays so.
        current = (
            InteractionSelection.objects.select_for_update().filter(pk=row.pk, state__in=UNDER_WAY).first()
        )
        if current is None:
            return row
        row.state, row.trouble, row.done_at = state, trouble, clock.now()
        row.phrase, row.phrase_master = None, ""
        if state == DONE:
            row.digest = _digest(row)
            entries.record(
                EntryKind.INTERACTION_SELECTION_MADE,
                initiative=initiative,
                selection=row.pk,
                looked=row.looked,
                unreadable=row.unreadable,
                found=row.found,
                digest=row.digest,
            )
        row.save()
        notify(
            row.asked_by,
            "selection of interactions",
            f"selection:{row.pk}",
            subject="Your selection of interactions is ready" if state == DONE else "Your selection failed",
            text=trouble or f"{row.found:,} of {row.looked:,} interactions. {row.purpose}",
            link=row.get_absolute_url(),
            initiative_ref=initiative.ref,
        )
    return row


def _digest(row: InteractionSelection) -> str:
    whole = hashlib.sha256()
    for one in sorted(members(row), key=lambda one: one.pk):
        whole.update(bytes(one.digest))
    return whole.hexdigest()


def close_selection(*, selection: InteractionSelection, by: User) -> None:
    """Close a selection before its day, as its requester or a manager."""
    with act("close selection", by=by, initiative=selection.initiative_id) as initiative:
        if by.pk != selection.asked_by_id:
            initiative_permissions.may_manage(initiative, by).or_refuse()
        else:
            may_read_interactions(initiative, by).or_refuse()
        row = InteractionSelection.objects.select_for_update().get(pk=selection.pk)
        if row.state == ENDED:
            raise Conflict("This selection has already ended.")
        _end(row, initiative)


def _end(row: InteractionSelection, initiative: Initiative) -> None:
    row.selected.all().delete()
    row.state, row.phrase, row.phrase_master = ENDED, None, ""
    row.save()
    entries.record(
        EntryKind.INTERACTION_SELECTION_CLOSED, initiative=initiative, selection=row.pk, purpose=row.purpose
    )


def tend() -> None:
    """Continue selections after a lost worker or task, and end expired ones."""
    now = clock.now()
    lost = InteractionSelection.objects.filter(state=RUNNING, claimed_at__lte=now - LOST)
    waits = InteractionSelection.objects.filter(state=WAITING, asked_at__lte=now - timedelta(minutes=2))
    for pk in sorted({*lost.values_list("pk", flat=True), *waits.values_list("pk", flat=True)}):
        look(pk)
    over = InteractionSelection.objects.filter(until__lt=clock.today()).exclude(state=ENDED)
    for pk, initiative in over.values_list("pk", "initiative"):
        with act("close selection", system=JOB, initiative=initiative) as locked:
            row = InteractionSelection.objects.select_for_update().get(pk=pk)
            if row.state != ENDED:
                _end(row, locked)
