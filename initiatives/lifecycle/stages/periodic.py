"""Periodic acts on stages: outdated supported stages, long vacancies.

Support, sign-offs and holds do not wait for them, because each page computes these for its moment. A transaction
covers one initiative, or a batch of a few dozen with the same work, and each periodic job may run twice.
"""

import time
from datetime import timedelta

import structlog
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.functions import Cast, Concat

from governance import clock
from governance.audit_log import entries
from governance.models import Rulebook
from governance.transparency_log.recomputation import one_look
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.facts import supported_stage_rows
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.initiative.act import act, batched, rewrite_supported_stages
from initiatives.models import Hold, Initiative, Obligation

log = structlog.get_logger("plumbline.supported_stages")
SECONDS = 120  # of a run that compares supported stages; the worker ends a task after 240


def recompute() -> list[int]:
    """Rewrite supported stages that ran out or predate the rulebook.

    The obligations of grace follow. Returns the keys of the initiatives.
    """
    current, now = Rulebook.objects.in_force(), clock.now()
    if current is None:
        return []  # no rules, no initiatives
    outdated = (
        Q(supported_stage__isnull=True)
        | Q(supported_stage__valid_until__lte=now)
        | Q(supported_stage__computed_at__lt=current.published_at)
    )
    found, done = Initiative.objects.filter(outdated).order_by("pk"), []
    for keys in batched(list(found.values_list("pk", flat=True))):
        with act("recompute supported stages", system="supported stage job"):
            locked = Initiative.objects.all_locked(keys)
            initiatives = list(found.filter(pk__in=[initiative.pk for initiative in locked]))
            rewrite_supported_stages(initiatives)
            done += [initiative.pk for initiative in initiatives]
    return done


def correct(seconds: float = SECONDS) -> list[int]:
    """Rewrite the supported stages that differ from their facts. Returns keys of initiatives.

    Each run begins at another initiative, so that all are compared within a day if one run is too short. A wrong
    supported stage is recorded, and admins and auditors are notified. One that only has the seal of another secret
    key is not.
    """
    keys, until = (
        list(Initiative.objects.order_by("pk").values_list("pk", flat=True)),
        time.monotonic() + seconds,
    )
    first = len(keys) * clock.now().hour // 24
    done = []
    for batch in batched(keys[first:] + keys[:first]):
        if time.monotonic() > until:
            log.warning("not every supported stage was compared in this run", initiatives=len(keys))
            break
        try:
            with one_look("default"):
                found = {one.initiative.pk for one in supported_stage_rows.differing(batch)}
        except (KeyError, TypeError, ValueError) as trouble:  # verify_audit_log names the initiative
            log.error(
                "facts of initiatives cannot be read", first=batch[0], last=batch[-1], trouble=str(trouble)
            )
            continue
        if found:
            done += _correct(sorted(found))
    return done


def _correct(keys: list[int]) -> list[int]:
    """Rewrite these supported stages, if they still differ once they are locked."""
    with act("correct supported stages", system="supported stage job"):
        locked = {initiative.pk: initiative for initiative in Initiative.objects.all_locked(keys)}
        wrong = list(supported_stage_rows.differing(list(locked)))
        rewrite_supported_stages([locked[one.initiative.pk] for one in wrong])
        told = [one for one in wrong if one.field != supported_stage_rows.SEAL]
        entries.record_many(
            EntryKind.DERIVED_CORRECTED,
            [
                (
                    one.initiative,
                    {"what": f"the supported stage, {one.field}", "kept": one.kept, "right": one.right},
                )
                for one in told
            ],
        )
    for one in told:
        log.error(
            "a supported stage was wrong",
            initiative=one.initiative.ref,
            field=one.field,
            kept=one.kept,
            right=one.right,
        )
    return [one.initiative.pk for one in wrong]


def open_vacancy_obligations() -> list[Obligation]:
    """Open the chair's choice of owner or step back, for long vacancies.

    The stage stays (docs/domain.md, invariant 6). A vacancy opens it once, even if it was completed otherwise.
    """
    rulebook = Rulebook.objects.in_force()
    if rulebook is None:
        return []  # no rules, no initiatives
    freshness = rulebook.parsed.freshness
    last = clock.midnight_after(clock.today() - timedelta(days=freshness.owner_vacant_step_back_days))
    source = Concat(Value("hold:"), Cast(OuterRef("pk"), CharField()))
    known = Obligation.objects.filter(initiative=OuterRef("initiative"), kind="vacancy", source=source)
    holds = (
        Hold.objects.open()
        .filter(~Exists(known), kind="owner_vacant", opened_by__isnull=True, opened_at__lt=last)
        .exclude(initiative__basis="import")
        .order_by("initiative_id")
    )
    opened = []
    for hold in list(holds):
        with act(
            "open the obligation of a vacancy", system="vacancy job", initiative=hold.initiative_id
        ) as initiative:
            if not Hold.objects.open().filter(~Exists(known), pk=hold.pk).exists():
                continue
            chair, _ = roles_and_seats.acting_chair(initiative)
            obligation = open_obligation(
                initiative,
                "vacancy",
                source=f"hold:{hold.pk}",
                text=(
                    f"No owner since {clock.local_day(hold.opened_at):%-d %B %Y}: find an owner, or step back"
                ),
                due=clock.today() + timedelta(days=freshness.grace_days),
                responsible=chair,
            )
            if obligation is not None:
                opened.append(obligation)
    return opened
