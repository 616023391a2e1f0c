"""Wording of messages about an initiative: its name, stage, goal and warnings."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from governance import clock
from governance.contributions import EventSubject
from governance.models import Absence, ContractVersion, Rulebook
from governance.notifications.daily_mail import InitiativeWords
from governance.notifications.due import Due
from governance.templatetags.plumbline import day as in_words
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import Stage
from initiatives.lifecycle.initiative.initiative_frame import NOT_EVIDENCED, goal_of
from initiatives.lifecycle.reminders.recipients import Circle
from initiatives.models import Initiative

# What each kind of notification asks for, as the words of the button in the mail.
VERBS = {
    "answered": "Read the answer",
    "approval": "Read and answer",
    "initiative stopped": "Read why",
    "change": "Complete the audit log",
    "comment": "Read the comment",
    "component ends": "Record what replaces it",
    "condition": "Mark the condition as met",
    "condition met": "Read how it was met",
    "condition not met": "Mark the condition as met",
    "condition overdue": "Mark the condition as met",
    "continue or stop": "See when it ends",
    "data leaves its region": "See the transfer and the term",
    "decided": "Read the decision",
    "definitions disagree": "See the conflicting definitions",
    "dependence": "Read and answer",
    "dependence unanswered": "See who was asked",
    "drift": "See the system",
    "drill": "Try it again",
    "evidence not shown": "Read what is missing",
    "evidence to verify": "Open and verify",
    "file missing": "See which file is missing",
    "gap": "Close the gap",
    "held": "See why it is held",
    "key without person": "Name the person",
    "hold lifted": "Read why",
    "look again": "Look again",
    "no chair": "Appoint a chair",
    "no owner": "Propose an owner",
    "not signed": "Review",
    "objection": "Answer the objection",
    "overdue": "Complete the obligation",
    "due": "Complete the obligation",
    "owner vacant": "Propose a successor",
    "evidence": "Renew the evidence",
    "question": "Answer the question",
    "ready to decide": "Read and decide",
    "reattest": "Accept production again",
    "renewal": "Open and verify",
    "review expires": "Open the review",
    "review without chair": "Open the review",
    "review moved": "See what changed",
    "review opened": "Review",
    "role": "Accept or decline",
    "role answered": "See the people",
    "role unanswered": "See who was asked",
    "rulebook published": "See what is open",
    "seats not signed": "Open the review",
    "stepped back": "Read why",
    "stale sign-off": "See what changed",
    "term to confirm": "Read and confirm",
    "tier changed": "See the initiative",
    "tier proposed": "See the initiative",
    "tier refused": "See the initiative",
    "tier to confirm": "Read and confirm",
    "waiver": "Open the requirement",
}

# Kinds that ask for an act, which is in the inbox of their person until it is done.
ASKING = {
    "definitions disagree",
    "delegate",
    "dependence",
    "evidence to verify",
    "handover",
    "look again",
    "not signed",
    "objection",
    "question",
    "ready to decide",
    "role",
    "term to confirm",
    "tier to confirm",
}
# Kinds that say what happened: they stay until they are read.
NEWS = {
    "answered",
    "comment",
    "condition met",
    "condition not met",
    "data leaves its region",
    "decided",
    "drift",
    "evidence not shown",
    "hold lifted",
    "initiative stopped",
    "review moved",
    "role answered",
    "rulebook published",
    "stepped back",
    "tier changed",
    "tier proposed",
    "tier refused",
}
# All other kinds pass with their matter; some are told to people who have no task of their own about it.
PASSING = set(VERBS) - NEWS - ASKING


def days_of(absence: Absence) -> str:
    """Return the days of an absence, such as "from 3 December to 10 December 2026"."""
    return days_between(absence.starts_at, absence.ends_at)


def days_between(starts_at: datetime, ends_at: datetime) -> str:
    """Return the days in words. `ends_at` is the first moment after the last day."""
    last = clock.local_day(max(ends_at - timedelta(microseconds=1), starts_at))
    return f"from {in_words(starts_at)} to {in_words(last)}"


def subject(initiative: Initiative, words: str) -> str:
    """Return the subject of a message, with reference and title first."""
    return f"{initiative.ref} {initiative.title}: {words}"


def about(
    initiative: Initiative, kind: str, object_key: str, words: str, *, outside: bool = False, **more
) -> Callable[..., Due]:
    """Return a function that makes messages about an initiative, for `told`.

    `told` gives the person and the period. With `outside`, the person need not be able to open the initiative: the
    message names it by its reference alone. `more` has further fields of Due.
    """
    return partial(
        Due,
        kind=kind,
        object_key=object_key,
        subject=f"{initiative.ref}: {words}" if outside else subject(initiative, words),
        initiative_ref="" if outside else initiative.ref,
        **more,
    )


def event_subjects(refs: set[str]) -> dict[str, EventSubject]:
    """Return what an event says about initiatives: the title only of those that are not confidential."""
    found = Initiative.objects.with_refs(refs).select_related("unit")
    return {
        one.ref: EventSubject("" if one.confidential else one.title, one.get_absolute_url(), one.unit.path)
        for one in found
        if one.ref in refs
    }


def words_of(refs: set[str]) -> dict[str, InitiativeWords]:
    """Return title, stage, goal, warnings and contact of initiatives. The contact is the owner, else who decides."""
    initiatives = list(Initiative.objects.with_refs(refs).select_related("unit"))
    if not initiatives:
        return {}
    rulebook, now = Rulebook.objects.current().parsed, clock.now()
    contracts = ContractVersion.objects.filter(
        contract__in=[initiative.contract_id for initiative in initiatives if initiative.contract_id],
        starts_at__lte=now,
    )
    governed = {version.contract_id for version in contracts if not version.ends_at or version.ends_at > now}
    circle = Circle(initiatives)
    return {
        initiative.ref: InitiativeWords(
            ref=initiative.ref,
            title=initiative.title,
            stage=stage_word(initiative.stage),
            goal=goal_of(initiative, rulebook)[0],
            warnings=tuple(_warnings(initiative, initiative.contract_id in governed)),
            people=tuple(_people(circle, initiative)),
        )
        for initiative in initiatives
    }


def _warnings(initiative: Initiative, under_contract: bool):
    if initiative.stage == Stage.PROTOTYPE:
        yield "not production-ready"
    if initiative.stage in (Stage.PROTOTYPE, Stage.MVP, Stage.PRODUCTION) and not under_contract:
        yield "no contract in force"
    if initiative.imported:
        yield NOT_EVIDENCED


def _people(circle: Circle, initiative: Initiative):
    owner, chair = circle.owner(initiative), circle.chair(initiative)
    if owner is not None:
        yield owner.pk, f"{owner}, who is its owner,"
    if chair is not None:
        yield chair.pk, f"{chair}, who decides on it,"
