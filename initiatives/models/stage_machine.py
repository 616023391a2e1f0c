"""The state machine of stages: what a move carries and its conditions read. The moves stand on `Initiative`.

A condition of django-fsm is handed nothing but the initiative. What one request found out about it is therefore laid on
the initiative for as long as the machine is asked (`judged`): conditions read that and ask no query of their own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django_fsm import Transition, transition

from governance.permission_result import Answer

PROMOTION, RETIREMENT, EMERGENCY = "promotion", "retirement", "emergency"
STEP_BACK, STOP, REOPENING = "step back", "stop", "reopening"
REPORTED, REPORT_WITHDRAWN = "reported", "report withdrawn"


@dataclass(frozen=True)
class Judgement:
    """What one request found out about an initiative, once. By itself it lets nothing pass that has to be judged.

    `gate`: that of its review, where that can be decided now. `was_prototype`: whether it passed the prototype gate
    before it was stopped, None where nobody looked. `post_mortem_written`: whether the post-mortem of its stop is
    written.
    """

    gate: str = ""
    was_prototype: bool | None = None
    post_mortem_written: bool = False


UNJUDGED = Judgement()
# Who may make a move: `initiatives.lifecycle.access.permissions` stands on the models and enters its rules here, by
# these names.
WHO_MAY: dict[str, Callable[[Any, Any], Answer]] = {}


@contextmanager
def judged(initiative, judgement: Judgement) -> Iterator:
    """Hand the one judgement of this request to the conditions of the moves of this initiative, until the block
    ends.
    """
    initiative.judgement = judgement
    try:
        yield initiative
    finally:
        initiative.judgement = UNJUDGED


def move(source, target, *, kind: str, basis: str, who: str, gate: str = "", conditions=()):
    """A django-fsm transition with what it is called for, and that a template cannot run by printing it.

    See docs/architecture.md, trap 1.

    `basis`: why the initiative has the stage afterwards. `gate`: whose decision makes the move, if one does. `who`: the
    rule of `WHO_MAY`.
    """
    permission = _permission(who)
    custom = {"kind": kind, "basis": basis, "gate": gate, "who": who}
    wanted = [*([_decidable(gate)] if gate else []), *conditions]

    def wrap(body):
        method = transition("stage", source, target, None, wanted, permission, custom)(body)
        method.alters_data = True
        return method

    return wrap


def _permission(who: str):
    def permitted(initiative, person) -> bool:
        return bool(WHO_MAY[who](initiative, person))

    return permitted


def offered(initiative, **marks) -> Transition | None:
    """The move with these marks (kind, gate, basis) or this `target` that the initiative offers now; None where none
    does.
    """
    for one in initiative.get_available_stage_transitions():
        if marks.items() <= (one.custom | {"target": one.target}).items():
            return one
    return None


def make_move(initiative, one: Transition) -> None:
    """Make the move, on the instance alone. Raises TransitionNotAllowed where it is not offered."""
    getattr(initiative, one.name)()


# Conditions. `words` is what the state diagram says of them.


def _decidable(gate: str):
    def decidable(initiative) -> bool:
        return initiative.judgement.gate == gate

    decidable.words = f"the review of the gate {gate} can be decided"
    return decidable


def not_withdrawn(initiative) -> bool:
    """Whether the initiative was not withdrawn as registered by mistake."""
    return initiative.withdrawn_at is None


def never_moved(initiative) -> bool:
    """Whether the initiative stands where it was registered: what moved here is reported by no import."""
    return initiative.basis == "registered"


def only_reported(initiative) -> bool:
    """Whether the stage rests on an import alone, and on no decision made here."""
    return initiative.basis == "import"


def was_prototype(initiative) -> bool:
    """Whether the stopped initiative had passed the prototype gate."""
    return initiative.judgement.was_prototype is True


def was_idea(initiative) -> bool:
    """Whether the stopped initiative had never been more than an idea."""
    return initiative.judgement.was_prototype is False


def post_mortem_written(initiative) -> bool:
    """Whether the post-mortem of its stop is written."""
    return initiative.judgement.post_mortem_written


not_withdrawn.words = "it was not withdrawn"
never_moved.words = "it has not moved since it was registered"
only_reported.words = "its stage rests on an import alone"
was_prototype.words = "it had passed the prototype gate"
was_idea.words = "it had never been a prototype"
post_mortem_written.words = "no post-mortem is due"
