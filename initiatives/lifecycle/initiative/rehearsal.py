"""Rehearsal of an act: the losses, new tasks and ends that it would cause.

The real act runs inside a savepoint that is always rolled back, and the state for the board is compared before and
after. The rules therefore exist once. The rehearsal uses up numbers of the database, as a refused act does.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection, transaction

from governance.audit_log.entries import canonical
from governance.database import rehearsing, row_history
from governance.database.request_memo import one_look
from governance.gates import criteria
from governance.gates.requirement_state import State
from governance.models import Rulebook, User
from governance.permission_result import ended
from governance.templatetags.plumbline import day
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, ReviewOutcome, Role, Seat, Stage
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.facts import supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.models import Evidence, Initiative
from initiatives.models.initiative import gate_out_of

MOST = 40  # initiatives that a rehearsal compares; of further ones the page says how many there are
# What ends. The page of an act names what the act itself ends; this says what ends along with something else.
ENDS = {
    EntryKind.KEY_REVOKED: "The key of {system} is revoked.",
    EntryKind.LINK_CLOSED: "The link to {system} ends.",
    EntryKind.STANDALONE_ENDED: "The declaration that the initiative is standalone ends.",
    EntryKind.ROLE_ENDED: "{person} no longer has the role {role}.",
    EntryKind.EVIDENCE_WITHDRAWN: "The evidence “{title}” is withdrawn.",
    EntryKind.DEPENDANT_CLOSED: "The dependant {who} is closed.",
    EntryKind.MAPPING_CLOSED: "A mapping of a clause to a control ends.",
    EntryKind.MEASURE_CLOSED: "A measure ends.",
    EntryKind.ALERT_MAPPING_CLOSED: "The mapping of the alert {which} ends.",
    EntryKind.SURVEY_CLOSED: "A survey is closed.",
    EntryKind.SIGN_OFF_WITHDRAWN: "The sign-off of the seat {seat} is withdrawn.",
    EntryKind.WAIVER_LAPSED: "The request for a waiver expires.",
    EntryKind.REVIEW_WITHDRAWN: "The open review is withdrawn.",
    EntryKind.HANDOVER_WITHDRAWN: "A proposed handover is withdrawn.",
}
WORDED = {"role": Role, "seat": Seat}  # facts of entries that are keys of a vocabulary
# What follows from an act, and is never the act itself.
FOLLOWS = {
    EntryKind.CHANGED,
    EntryKind.OBLIGATION_OPENED,
    EntryKind.HOLD_OPENED,
    EntryKind.DEPENDANTS_WARNED,
    EntryKind.BOARD_TOLD,
}


@dataclass(frozen=True)
class Sight:
    """The state of an initiative for the board, as far as an edit changes it."""

    supported: str
    findings: dict[str, criteria.Finding] = field(hash=False)
    states: dict[str, State] = field(hash=False)
    sign_offs: dict[str, criteria.JudgedSignOff] = field(hash=False)
    decidable: bool | None  # None where no review is open
    holds: tuple[str, ...]
    questions: dict[str, str] = field(hash=False)


def sight(initiative: Initiative) -> Sight:
    """Return present support, gates up to the next, and open sign-offs."""
    initiative = Initiative.objects.select_related("unit", "contract").get(pk=initiative.pk)
    review = initiative.reviews.filter(outcome=ReviewOutcome.OPEN).select_related("rulebook").first()
    rulebook = Rulebook.objects.current()
    with one_look():  # which judges once by each version of the rulebook
        snapshot = review_state.snapshot_of(review, initiative) if review is not None else None
        deciding = supported_stage.judged(initiative)
        judged = supported_stage.judged_by(rulebook, initiative)
    found = {
        finding.criterion.key: finding
        for gate in _gates_of(initiative, rulebook.parsed)
        for finding in judged.at_gate(gate)
    }
    return Sight(
        supported=deciding.support.supported,
        findings=found,
        states={
            key: judged.states[key] for finding in found.values() for key in finding.criterion.requirements
        },
        sign_offs={sign_off.seat: sign_off for sign_off in snapshot.judged_sign_offs} if snapshot else {},
        decidable=snapshot.verdict.decidable if snapshot else None,
        holds=tuple(
            f"{hold.words}. {hold.reason}"
            for hold in criteria.holds_at(deciding.facts, deciding.rulebook, deciding.at)
        ),
        questions={one.key: one.question for one in rulebook.parsed.requirements.values()},
    )


def _gates_of(initiative: Initiative, rulebook) -> list[str]:
    """Return the gates that led to the approved stage, and the next gate."""
    passed = [
        rulebook.gate_to(stage).key for stage in RUNNING_STAGES[1 : STAGE_RANK.get(initiative.stage, 0) + 1]
    ]
    ahead = gate_out_of(initiative.stage)
    return [*passed, ahead] if ahead else passed


def effects(before: Sight, after: Sight) -> list[str]:
    """Return the losses between two sights, in sentences. These are sign-offs, criteria, evidence, support, holds."""
    lines = []
    for seat, sign_off in before.sign_offs.items():
        now = after.sign_offs.get(seat)
        if sign_off.approves and sign_off.fresh and now is not None and now.stale:
            why = ended("; ".join(now.stale))
            lines.append(
                f"The approval by {sign_off.person} for the {Seat(seat).label.lower()} seat will no longer "
                f"count: {why}"
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
    if before.decidable and after.decidable is False:
        lines.append("The review can no longer be decided as it is.")
    return lines


def _name(criterion: str) -> str:
    """Return a criterion's short name, "Rollout bounded" for "mvp.rollout_bounded"."""
    return criterion.split(".", 1)[-1].replace("_", " ").capitalize()


def _stage(stage: str) -> str:
    return Stage(stage).label if stage == Stage.MVP else Stage(stage).label.lower()


def rehearse(run: Callable[[], Any], *, by: User, initiative: Initiative | None = None) -> list[str]:
    """Return what an act would bring, in sentences. All of it is undone. Empty if the act would be refused.

    `run` does the act. `initiative` is the one whose page it is, else the one that `run` looked up. Sentences about
    other initiatives name them as far as the person may see them.
    """
    after: dict[int, Sight] = {}
    with row_history.acting(by=by, reason="Rehearsal"):
        try:
            with rehearsing.rehearsing() as noted, transaction.atomic():
                _run(run)
                own = initiative or row_history.concerned()
                keys = _concerned(noted, own)
                after = _sights(keys[:MOST])
                titles = _titles(noted)
                transaction.set_rollback(True)
            before = _sights(list(after))
        except WouldFail:
            return []
        finally:
            transaction.set_rollback(True)
    found = {key: effects(before[key], after[key]) for key in keys if key in before}
    for key, line in _said(noted, titles):
        found.setdefault(key, []).insert(0, line)
    return _told(found, getattr(own, "pk", None), by, len(keys) - len(after))


class WouldFail(Exception):
    """An error for an act that would be refused, or fail."""


def _run(run: Callable[[], Any]) -> None:
    """Run the act, and have the database check its deferred constraints now. Raises WouldFail.

    The constraints stay immediate until the innermost savepoint around it is rolled back, and beyond one that is
    kept.
    """
    try:
        run()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except Exception as failure:  # the act itself says so when it is done for good
        raise WouldFail from failure


def entries_of(run: Callable[[], Any], *, by: User) -> list[tuple[str, dict]]:
    """Return the entries (kind, facts) that an act would write, undone. Empty if the act is refused."""
    with rehearsing.rehearsing() as noted, row_history.acting(by=by, reason="Rehearsal"):
        try:
            with transaction.atomic():
                _run(run)
                transaction.set_rollback(True)
        except WouldFail:
            return []
        finally:
            transaction.set_rollback(True)
    return [(kind, json.loads(canonical(facts))) for kind, _, facts in noted.entries]


def _concerned(noted: rehearsing.Rehearsal, own: Initiative | None) -> list[int]:
    """Return the keys of all initiatives that the act concerns, its page's first."""
    keys = noted.initiatives | {row.pk for _, row, _ in noted.entries if row is not None}
    return sorted(keys, key=lambda key: (own is None or key != own.pk, key))


def _sights(keys: list[int]) -> dict[int, Sight]:
    rows = Initiative.objects.filter(pk__in=keys)
    return {row.pk: sight(row) for row in rows}


def _titles(noted: rehearsing.Rehearsal) -> dict[int, str]:
    """Return the titles of the items of evidence that changes of the act void."""
    keys = {
        item for kind, _, facts in noted.entries if kind == EntryKind.CHANGED for item, _ in facts["voided"]
    }
    return dict(Evidence.objects.filter(pk__in=keys).values_list("pk", "title"))


def _said(noted: rehearsing.Rehearsal, titles: dict[int, str]) -> Iterator[tuple[int | None, str]]:
    """Yield initiative and sentence for effects that the sights do not show."""
    kinds = {kind for kind, _, _ in noted.entries}
    along = bool(kinds - ENDS.keys() - FOLLOWS)  # something was done that these rows ended along with
    for kind, initiative, facts in reversed(noted.entries):
        key = initiative.pk if initiative is not None else None
        if kind == EntryKind.OBLIGATION_OPENED and len(kinds) > 1:
            due = facts["due"] if isinstance(facts["due"], date) else date.fromisoformat(facts["due"])
            yield (
                key,
                f"Due from {facts['responsible'] or 'no one yet'} by {day(due)}: {ended(facts['text'])}",
            )
        elif kind == EntryKind.DEPENDANTS_WARNED:
            yield key, f"Notified at once: {', '.join(facts['who'])}."
        elif kind == EntryKind.BOARD_TOLD:
            yield key, "The whole board is notified at once."
        elif kind == EntryKind.CHANGED and facts["voided"]:
            items = {item for item, _ in facts["voided"]}
            named = Counter(titles[item] for item in items).items()
            names = ", ".join(
                f"“{title}”{f' ({number})' if number > 1 else ''}" for title, number in sorted(named)
            )
            yield key, f"Evidence that no longer counts: {names}."
        elif kind == EntryKind.EVIDENCE_ADDED:
            yield from ((key, line) for line in _ages(facts))
        elif kind in ENDS and along:
            words = {name: of.word(facts[name]).lower() for name, of in WORDED.items() if name in facts}
            yield key, ENDS[kind].format_map(facts | words)


def _ages(facts: dict[str, Any]) -> Iterator[str]:
    """Yield that new evidence is older than it seems: its file was there before, or it replaces a newer item."""
    if "known_since" in facts:
        yield f"The same file was observed on {day(facts['known_since'])}. The age counts from that day."
    if "replaces_newer" in facts:
        older = facts.get("known_since", facts["observed_on"])
        yield (
            f"The new item was observed on {day(older)}. The evidence that it replaces was observed later, on "
            f"{day(facts['replaces_newer'])}."
        )


def _told(found: dict[int | None, list[str]], own: int | None, by: User, left: int) -> list[str]:
    """Return the sentences: those of other initiatives with their name, and of hidden ones their number."""
    lines = [*found.pop(own, []), *found.pop(None, [])]
    others = {key: told for key, told in found.items() if told}
    seen = visibility.visible_to(by).filter(pk__in=[*others])
    for row in seen.order_by("pk"):
        lines += [f"{row.ref} {row.title}: {line}" for line in others.pop(row.pk)]
    # Confidential initiatives are not even counted.
    hidden = Initiative.objects.filter(pk__in=[*others], confidential=False).count()
    if hidden:
        number = f"{hidden} initiative{'' if hidden == 1 else 's'}"
        lines.append(f"{number} that you cannot see would lose something, for example a current sign-off.")
    if left > 0:
        lines.append(f"{left} more initiatives are judged again.")
    return list(dict.fromkeys(lines))
