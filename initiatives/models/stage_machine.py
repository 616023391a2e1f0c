"""The state machine of stages: data and conditions of the moves on `Initiative`.

A condition of django-fsm gets only the initiative. So what one request found out about it is set on the initiative
while the machine is asked (`judged`). Conditions read it and make no query.
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
    """The facts that one request found out about an initiative. Defaults permit no gate.

    The `gate` is that of its review, if that can be decided now. `was_prototype` is True if it passed the prototype
    gate before its stop, None if not checked. `post_mortem_written` is True if the post-mortem of its stop is written.
    """

    gate: str = ""
    was_prototype: bool | None = None
    post_mortem_written: bool = False


UNJUDGED = Judgement()
# Who may make a move: `initiatives.lifecycle.initiative.permissions` imports the models and enters its rules here,
# by these names.
WHO_MAY: dict[str, Callable[[Any, Any], Answer]] = {}


@contextmanager
def judged(initiative, judgement: Judgement) -> Iterator:
    """Give this judgement to the conditions of the moves, within the block."""
    initiative.judgement = judgement
    try:
        yield initiative
    finally:
        initiative.judgement = UNJUDGED


def move(source, target, *, kind: str, basis: str, who: str, gate: str = "", conditions=()):
    """Return a decorator for a django-fsm transition that templates cannot run.

    See docs/architecture.md, trap 1. `basis` is why the initiative has the stage afterwards, `gate` the gate whose
    decision makes the move, if any, and `who` the rule of `WHO_MAY`.
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
    """Return the move that is offered now with these marks or `target`, or None."""
    for one in initiative.get_available_stage_transitions():
        if marks.items() <= (one.custom | {"target": one.target}).items():
            return one
    return None


def make_move(initiative, one: Transition) -> None:
    """Make the move on the instance only. Raises TransitionNotAllowed if it is not offered."""
    getattr(initiative, one.name)()


# Conditions. The state diagram shows their `words`.


def _decidable(gate: str):
    def decidable(initiative) -> bool:
        return initiative.judgement.gate == gate

    decidable.words = f"the review of the gate {gate} can be decided"
    return decidable


def not_withdrawn(initiative) -> bool:
    """Return True if the initiative was not withdrawn as registered by mistake."""
    return initiative.withdrawn_at is None


def never_moved(initiative) -> bool:
    """Return True if the stage is still that of the registration. Imports report only then."""
    return initiative.basis == "registered"


def only_reported(initiative) -> bool:
    """Return True if the stage rests on an import alone, and on no decision made here."""
    return initiative.basis == "import"


def was_prototype(initiative) -> bool:
    """Return True if the stopped initiative had passed the prototype gate."""
    return initiative.judgement.was_prototype is True


def was_idea(initiative) -> bool:
    """Return True if the stopped initiative had never passed the prototype gate."""
    return initiative.judgement.was_prototype is False


def post_mortem_written(initiative) -> bool:
    """Return True if the post-mortem of its stop is written."""
    return initiative.judgement.post_mortem_written


not_withdrawn.words = "it was not withdrawn"
never_moved.words = "it has not moved since it was registered"
only_reported.words = "its stage rests on an import alone"
was_prototype.words = "it had passed the prototype gate"
was_idea.words = "it had never been a prototype"
post_mortem_written.words = "no post-mortem is due"
