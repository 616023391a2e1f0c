"""Preview of an edit: which sign-offs it would make stale and which criteria unmet, before it is saved.

The real act is run inside a savepoint that is always rolled back, and what the board sees is compared before and
after: there is no second copy of the rules.
Numbers that the database hands out are used up by it, as by any act that was refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction

from governance import clock
from governance.database import row_history
from governance.gates import criteria
from governance.gates.requirement_state import State
from governance.models import Rulebook, User
from governance.models.audit_log import Entry
from governance.permission_result import Refused, ended
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, ReviewOutcome, Role, Seat, Stage
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.initiative.act import lock
from initiatives.models import Initiative
from initiatives.models.initiative import gate_out_of

LEFT_OPEN = "Words that were not there before."


@dataclass(frozen=True)
class Sight:
    """What the board sees of an initiative at one moment, in the terms an edit can change."""

    supported: str
    findings: dict[str, criteria.Finding] = field(hash=False)
    states: dict[str, State] = field(hash=False)
    sign_offs: dict[str, criteria.JudgedSignOff] = field(hash=False)
    decidable: bool
    holds: tuple[str, ...]
    questions: dict[str, str] = field(hash=False)


def sight(initiative: Initiative) -> Sight:
    """Look at the initiative now: support, the gates up to the one it stands before, and the sign-offs of its open
    review.
    """
    initiative = Initiative.objects.select_related("unit", "contract").get(pk=initiative.pk)
    at = clock.now()
    review = initiative.reviews.filter(outcome=ReviewOutcome.OPEN).select_related("rulebook").first()
    snapshot = review_state.snapshot_of(review, initiative, at) if review is not None else None
    facts = snapshot.judged.facts if snapshot else supported_stage.facts_of(initiative)
    rulebook = Rulebook.objects.current().parsed
    deciding = supported_stage.judged(initiative, facts, at)
    judged = deciding if deciding.rulebook == rulebook else criteria.judge(facts, rulebook, at)
    found = {
        finding.criterion.key: finding
        for gate in _gates_of(initiative, rulebook)
        for finding in judged.at_gate(gate)
    }
    return Sight(
        supported=deciding.support.supported,
        findings=found,
        states={
            key: judged.states[key] for finding in found.values() for key in finding.criterion.requirements
        },
        sign_offs={sign_off.seat: sign_off for sign_off in snapshot.judged_sign_offs} if snapshot else {},
        decidable=bool(snapshot and snapshot.verdict.decidable),
        holds=tuple(
            f"{hold.words}. {hold.reason}" for hold in criteria.holds_at(facts, deciding.rulebook, at)
        ),
        questions={key: requirement.question for key, requirement in rulebook.requirements.items()},
    )


def _gates_of(initiative: Initiative, rulebook) -> list[str]:
    """The gates that led to the approved stage, and the one that leads out of it."""
    passed = [
        rulebook.gate_to(stage).key for stage in RUNNING_STAGES[1 : STAGE_RANK.get(initiative.stage, 0) + 1]
    ]
    ahead = gate_out_of(initiative.stage)
    return [*passed, ahead] if ahead else passed


def effects(before: Sight, after: Sight) -> list[str]:
    """What was lost between two sights, in plain sentences: sign-offs, criteria, evidence, support, new holds."""
    lines = []
    for seat, sign_off in before.sign_offs.items():
        now = after.sign_offs.get(seat)
        if sign_off.approves and sign_off.fresh and now is not None and now.stale:
            why = ended("; ".join(now.stale))
            lines.append(
                f"The {Seat(seat).label.lower()} seat's approval by {sign_off.person} goes stale: {why}"
            )
    told = set()
    for key, finding in before.findings.items():
        now = after.findings.get(key)
        if finding.met and now is not None and not now.met:
            told |= set(finding.criterion.requirements)
            lines.append(f"{_name(key)} is no longer met: {ended(' '.join(now.reasons))}")
    for key, state in before.states.items():
        now = after.states.get(key)
        if state.satisfied and now is not None and not now.satisfied and key not in told:
            lines.append(f"No longer met: {before.questions[key]} {ended(now.words)}")
    if before.supported and after.supported and STAGE_RANK[after.supported] < STAGE_RANK[before.supported]:
        lines.append(
            f"The supported stage falls from {_stage(before.supported)} to {_stage(after.supported)}."
        )
    lines += [f"The initiative is held: {ended(words)}" for words in after.holds if words not in before.holds]
    if before.decidable and not after.decidable:
        lines.append("The review can no longer be decided as it stands.")
    return lines


def _name(criterion: str) -> str:
    """The short name of a criterion, from its key: "mvp.rollout_bounded" reads "Rollout bounded"."""
    return criterion.split(".", 1)[-1].replace("_", " ").capitalize()


def _stage(stage: str) -> str:
    return Stage(stage).label if stage == Stage.MVP else Stage(stage).label.lower()


def preview(initiative: Initiative, run: Callable, *, by: User | None = None) -> list[str]:
    """Run an act on the locked initiative, look at what it did, and undo all of it. Returns what would be lost.

    An act that would be refused or is incomplete changes nothing: the list is empty. No entry, notification or file is
    left.
    """
    with row_history.acting(by=by, system="" if by else "impact preview", reason="Looking ahead"):
        initiative = lock(initiative)
        before = sight(initiative)
        try:
            with transaction.atomic():
                run(initiative)
            lines = effects(before, sight(initiative))
        except (ValidationError, Refused):
            lines = []
        transaction.set_rollback(True)
    return lines


def acts_of(initiative: Initiative, run: Callable, *, by: User) -> list[tuple[str, dict]]:
    """The entries (kind, facts) that an act would write, in their order; all of it undone. None when refused."""
    with row_history.acting(by=by, reason="Looking ahead"):
        initiative = lock(initiative)
        last = Entry.objects.acts().order_by("-id").values_list("id", flat=True).first() or 0
        try:
            with transaction.atomic():
                run(initiative)
            rows = Entry.objects.acts().of_initiative(initiative.ref).filter(id__gt=last).order_by("id")
            found = [(row.kind, row.facts["facts"]) for row in rows]
        except (ValidationError, Refused):
            found = []
        transaction.set_rollback(True)
    return found


def somebody(initiative: Initiative) -> User | None:
    """Who stands in as the one who acts where nobody is named: the owner, or whoever registered the initiative."""
    owner = initiative_permissions.accepted(initiative, Role.OWNER)
    return owner.person if owner else initiative.registered_by
