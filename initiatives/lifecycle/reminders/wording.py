"""Wording of messages about an initiative: which initiative, its stage and goal, the warnings that go with them."""

from collections.abc import Callable
from functools import partial

from governance import clock
from governance.models import ContractVersion, Rulebook
from governance.notifications.daily_mail import InitiativeWords
from governance.notifications.due import Due
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
    "change proposed": "Read and answer",
    "comment": "Read the comment",
    "condition": "Say that it is met",
    "condition overdue": "Say that it is met",
    "continue or stop": "See when it ends",
    "data leaves its region": "See which transfer and which term",
    "decided": "Read the decision",
    "definitions disagree": "See what disagrees",
    "dependence": "Read and answer",
    "dependence unanswered": "See who is asked",
    "drift": "See the system",
    "drill": "Try it again",
    "evidence not shown": "Read what is missing",
    "file missing": "See which file is gone",
    "gap": "Close the gap",
    "held": "See why it is held",
    "look again": "Look again",
    "model ends": "Record what replaces it",
    "no owner": "Propose an owner",
    "not signed": "Review",
    "objection": "Answer the objection",
    "overdue": "Complete it",
    "due": "Complete it",
    "owner vacant": "Propose a successor",
    "evidence": "Add newer evidence",
    "proposal answered": "Read the answer",
    "question": "Answer the question",
    "ready to decide": "Read and decide",
    "reattest": "Accept production again",
    "renewal": "Open and verify",
    "review expires": "Look at the review",
    "review opened": "Review",
    "role": "Accept or decline",
    "role unanswered": "See who is asked",
    "rulebook published": "See what is missing",
    "seats not signed": "Look at the review",
    "stepped back": "Read why",
    "stale sign-off": "See what changed",
    "term to confirm": "Read and confirm",
    "waiver": "Look at the waiver",
}


def subject(initiative: Initiative, words: str) -> str:
    """The subject of a message about an initiative: its reference and title first."""
    return f"{initiative.ref} {initiative.title}: {words}"


def about(initiative: Initiative, kind: str, object_key: str, words: str, **more) -> Callable[..., Due]:
    """A message about an initiative for `told`, which says to whom and for which period.

    `more`: further fields of Due.
    """
    return partial(
        Due,
        kind=kind,
        object_key=object_key,
        subject=subject(initiative, words),
        initiative_ref=initiative.ref,
        **more,
    )


def words_of(refs: set[str]) -> dict[str, InitiativeWords]:
    """Title, stage and goal of these initiatives as they stand now, the warnings that every mail about them carries,
    and whom to ask: the owner, else whoever decides on the initiative.
    """
    numbers = [int(ref.removeprefix("AI-")) for ref in refs if ref.removeprefix("AI-").isdecimal()]
    initiatives = list(Initiative.objects.filter(number__in=numbers).select_related("unit"))
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
        yield owner.pk, f"{owner}, who owns it,"
    if chair is not None:
        yield chair.pk, f"{chair}, who decides on it,"
